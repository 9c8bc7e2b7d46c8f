package gateways

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Metrics are the samples of one scrape, by what stands in front of the value: the name, with its labels if it has any.
type Metrics map[string]float64

var errMetrics = errors.New("gateways: metrics")

// ParseMetrics reads Prometheus' text format, as far as counters and gauges without timestamps go.
func ParseMetrics(text string) (Metrics, error) {
	m := Metrics{}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		i := strings.LastIndexByte(line, ' ')
		if i <= 0 {
			return nil, fmt.Errorf("%w: %.80q has no value", errMetrics, line)
		}
		v, err := strconv.ParseFloat(line[i+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("%w: %.80q: %w", errMetrics, line, err)
		}
		m[strings.TrimSpace(line[:i])] = v
	}
	return m, nil
}

// Drops are the dropped packets by direction and reason, such as "in replay"; those that never happened are left out.
func (m Metrics) Drops() map[string]uint64 {
	d := map[string]uint64{}
	for name, v := range m {
		labels, ok := strings.CutPrefix(name, "ipsec_drops_total{")
		if !ok || v == 0 {
			continue
		}
		d[label(labels, "direction")+" "+label(labels, "reason")] = uint64(v)
	}
	return d
}

// label finds the value of a label in `a="1",b="2"}`.
func label(labels, name string) string {
	for l := range strings.SplitSeq(strings.TrimSuffix(labels, "}"), ",") {
		k, v, _ := strings.Cut(l, "=")
		if k == name {
			return strings.Trim(v, `"`)
		}
	}
	return ""
}

// Packets are the inner packets that all children carried in a direction, "in" or "out".
func (m Metrics) Packets(direction string) uint64 {
	var sum uint64
	for name, v := range m {
		if labels, ok := strings.CutPrefix(name, "ipsec_child_packets_total{"); ok && label(labels, "direction") == direction {
			sum += uint64(v)
		}
	}
	return sum
}

// Rekeys are the SAs replaced so far: "child" or "ike".
func (m Metrics) Rekeys(sa string) uint64 {
	return uint64(m[fmt.Sprintf("ipsec_rekeys_total{sa=%q}", sa)])
}

// Sub are the drops that have come since an earlier scrape.
func Sub(drops, earlier map[string]uint64) map[string]uint64 {
	d := map[string]uint64{}
	for k, n := range drops {
		if n > earlier[k] {
			d[k] = n - earlier[k]
		}
	}
	return d
}
