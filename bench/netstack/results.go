package netstack

import (
	"fmt"
	"slices"

	"esplanade/bench/document"
	"esplanade/bench/proof"
	"esplanade/bench/stats"
)

// maxRatio is how many times the data of the slower direction the faster one may have, when both carry data at once.
const maxRatio = 2

// measured is one pair in one pattern, once. Speeds are in Mbit/s of what the application has read.
type measured struct {
	Contestant string  `json:"contestant"`
	Ours       bool    `json:"ours"`
	Pattern    string  `json:"pattern"`
	Forth      float64 `json:"forth_mbits"`
	Back       float64 `json:"back_mbits"`
}

// ratio is how many times as fast as the slower direction the faster one was.
func (m measured) ratio() float64 { return max(m.Forth, m.Back) / max(min(m.Forth, m.Back), 0.001) }

type results struct {
	Runs     int        `json:"runs"`
	Seconds  float64    `json:"seconds"`
	Measured []measured `json:"measured"`
}

// judge says where a direction starved, or nothing was carried.
func (r *results) judge() error {
	var wrong proof.Faults
	for _, m := range r.Measured {
		wrong.Must(m.Forth+m.Back > 0, "%s, %s: nothing was carried", m.Contestant, m.Pattern)
		if m.Ours && m.Pattern == both {
			wrong.Must(m.ratio() <= maxRatio, "%s: both at once, one direction had %.1f times what the other had", m.Contestant, m.ratio())
		}
	}
	return wrong.Err()
}

// both is the pattern in which each direction shares the machine with the other.
var both = patterns[len(patterns)-1].name

// of gives what one contestant has shown in a pattern, in both directions together, and the ratios of its directions.
func (r *results) of(contestant, pattern string) (speeds, ratios []float64) {
	for _, m := range r.Measured {
		if m.Contestant == contestant && m.Pattern == pattern {
			speeds, ratios = append(speeds, m.Forth+m.Back), append(ratios, m.ratio())
		}
	}
	return speeds, ratios
}

// write makes both files.
func write(o *Options, r results, c proof.Conditions) error {
	if err := document.WriteJSON(o.Out, "netstack.json", &r); err != nil {
		return err
	}
	t := document.NewTable("gateways", "left to right", "right to left", "both at once, together", "the faster direction to the slower one: median, worst")
	last := contestants[len(contestants)-1].name
	for _, x := range contestants {
		cells := []any{x.name}
		for _, w := range patterns {
			speeds, _ := r.of(x.name, w.name)
			others, _ := r.of(last, w.name)
			cells = append(cells, stats.Percentile(speeds, 50), stats.Percentile(speeds, 50)/stats.Percentile(others, 50))
		}
		_, ratios := r.of(x.name, both)
		t.Rowf("%s | %.0f (%.2f) | %.0f (%.2f) | %.0f (%.2f) | %.2f, %.2f", append(cells, stats.Percentile(ratios, 50), slices.Max(ratios))...)
	}
	return document.WriteFile(o.Out, "netstack.md", fmt.Sprintf(`# Without a TUN device, %s

One TCP connection through two gateways in one process, a TCP/IP stack behind each, over UDP on the loopback interface: the median of
%d runs of %.1f s, by turns, in Mbit/s of what the application has read, and in brackets how many times as fast as %s that is.
Both gateways and both stacks share the CPUs. %s

%s
%s`, c.Began.UTC().Format("2006-01-02"), r.Runs, r.Seconds, last, proof.Sentence(r.judge(), "Both ways at once no direction of Esplanade's starved."), t, c))
}
