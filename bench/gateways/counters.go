package gateways

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Drops are the dropped packets by direction and reason, such as "in replay"; those that never happened are left out.
func (m Metrics) Drops() map[string]uint64 {
	d := map[string]uint64{}
	for sample, v := range m {
		if labels, ok := labelsOf(sample, "ipsec_drops_total"); ok && v != 0 {
			d[label(labels, "direction")+" "+label(labels, "reason")] = uint64(v)
		}
	}
	return d
}

// Packets are the inner packets that all children carried in a direction, "in" or "out".
func (m Metrics) Packets(direction string) uint64 {
	return uint64(m.Sum("ipsec_child_packets_total", fmt.Sprintf("direction=%q", direction)))
}

// Rekeys are the SAs replaced so far: "child" or "ike".
func (m Metrics) Rekeys(sa string) uint64 {
	return uint64(m.Sum("ipsec_rekeys_total", fmt.Sprintf("sa=%q", sa)))
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

// Counts says in words how often what was counted.
func Counts(counted map[string]float64) string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(counted)) {
		all = append(all, fmt.Sprintf("%s %.0f", k, counted[k]))
	}
	return strings.Join(all, ", ")
}
