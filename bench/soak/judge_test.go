package soak

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"esplanade/bench/gateways"
	"esplanade/bench/load"
	"esplanade/bench/proof"
	"esplanade/integration/lab"
)

// sample makes the readings of a run of ten minutes on two CPUs in which nothing changes but what change does.
func sample(change func(i int, r *reading)) []reading {
	var rs []reading
	for i := range 121 {
		at := time.Duration(i) * 5 * time.Second
		n := uint64(i)
		r := reading{at: at, forth: n * 1e9, back: n * 2e9, busy: 2 * at, ours: 3 * at / 2, retransmits: n, units: int64(i) * 1000, unitTime: at / 100}
		for g := range r.gateways {
			r.gateways[g] = state{cpu: at / 2, rss: 30 << 20, metrics: gateways.Metrics{
				"go_memstats_next_gc_bytes": 8 << 20, "go_goroutines": 20, "process_open_fds": 12,
				`ipsec_rekeys_total{sa="child"}`: float64(i / 12), `ipsec_rekeys_total{sa="ike"}`: float64(i / 24),
				`ipsec_drops_total{direction="out",reason="send_buffer"}`: float64(i),
			}}
		}
		if change != nil {
			change(i, &r)
		}
		rs = append(rs, r)
	}
	return rs
}

func bad(vs []proof.Verdict) string {
	var all []string
	for _, v := range vs {
		if !v.Ok {
			all = append(all, v.What)
		}
	}
	return strings.Join(all, "\n")
}

func TestIntervals(t *testing.T) {
	xs := intervals(sample(nil), 2)
	x := xs[7]
	// 3 GB in five seconds; of ten CPU seconds others took 2.5; the gateways took 5.
	if x.forth != 1.6 || x.back != 3.2 || x.left != 7.5 || x.perLeft != 0.4 || fmt.Sprintf("%.3f", x.cost) != "1.667" || x.unit != 5e-5 || x.rss[1] != 30 || x.heap[0] != 4 {
		t.Errorf("%+v", x)
	}
}

func TestJudge(t *testing.T) {
	lossless := []flow{{"forth", load.NumberedResult{Sent: 10, Received: 10}}}
	metric := func(name string, of func(i int) float64) func(int, *reading) {
		return func(i int, r *reading) { r.gateways[1].metrics[name] = of(i) }
	}
	late := func(i int, v float64) float64 {
		if i > 60 {
			return v
		}
		return 0
	}
	for _, c := range []struct {
		name     string
		change   func(i int, r *reading)
		numbered []flow
		bad      string // what is not kept; empty: everything is
	}{
		{name: "nothing changes"},
		{name: "the machine gets busy with other things", change: func(i int, r *reading) {
			if i > 60 { // half of the CPU time, half of the throughput, the same cost
				n := uint64(60 + i) // halves
				half := r.at - (r.at-5*time.Minute)/2
				r.forth, r.back, r.ours = n*5e8, n*1e9, 3*half/2
				r.busy = 2 * r.at
				for g := range r.gateways {
					r.gateways[g].cpu = half / 2
				}
			}
		}},
		{name: "slower, and idle", bad: "throughput for each unit", change: func(i int, r *reading) {
			if i > 60 {
				n := uint64(60 + i) // halves
				half := r.at - (r.at-5*time.Minute)/2
				r.forth, r.back, r.ours, r.busy = n*5e8, n*1e9, 3*half/2, 3*half/2+r.at/2
				for g := range r.gateways {
					r.gateways[g].cpu = half / 2
				}
			}
		}},
		{name: "the CPUs get slower", change: func(i int, r *reading) {
			if i > 60 { // half of the throughput in the same time, and the reference takes twice as long
				n := uint64(60 + i) // halves
				r.forth, r.back = n*5e8, n*1e9
				r.unitTime += (r.at - 5*time.Minute) / 100
			}
		}},
		{name: "more CPU time for each GB", bad: "units of CPU time of both gateways for each GB", change: func(i int, r *reading) {
			r.gateways[0].cpu += time.Duration(i*i) * 20 * time.Millisecond
		}},
		{name: "resident memory grows", bad: "gateway a: growth of resident memory", change: func(i int, r *reading) {
			r.gateways[0].rss += uint64(i) << 16
		}},
		{name: "the heap grows", bad: "gateway b: growth of live heap", change: metric("go_memstats_next_gc_bytes", func(i int) float64 { return 8<<20 + float64(i)*40e3 })},
		{name: "goroutines are left over", bad: "gateway b: more goroutines", change: metric("go_goroutines", func(i int) float64 { return 20 + float64(i/20) })},
		{name: "files are left open", bad: "gateway b: more open files", change: metric("process_open_fds", func(i int) float64 { return 12 + float64(i/20) })},
		{name: "a replayed packet", bad: "gateway b: dropped packets", change: metric(`ipsec_drops_total{direction="in",reason="replay"}`, func(i int) float64 { return late(i, 1) })},
		{name: "no rekeying of CHILD SAs", bad: "rekeyings of the CHILD SA", change: func(_ int, r *reading) {
			r.gateways[0].metrics[`ipsec_rekeys_total{sa="child"}`] = 3
		}},
		{name: "no rekeying of IKE SAs", bad: "rekeyings of the IKE SA", change: func(_ int, r *reading) {
			r.gateways[0].metrics[`ipsec_rekeys_total{sa="ike"}`] = 3
		}},
		{name: "loss that is congestion", change: func(i int, r *reading) { r.overflow = lab.Overflow{UDP: i, TUN: i} },
			numbered: []flow{{"forth", load.NumberedResult{Lost: make([]time.Duration, 240+240)}}}},
		{name: "loss that nobody owns to", bad: "numbered datagrams lost", change: func(i int, r *reading) { r.overflow = lab.Overflow{UDP: i, TUN: i} },
			numbered: []flow{{"forth", load.NumberedResult{Lost: make([]time.Duration, 240+240+1)}}}},
		{name: "a datagram that comes twice", bad: "forth: datagrams that arrived twice", numbered: []flow{{"forth", load.NumberedResult{Repeated: 1}}}},
	} {
		if c.numbered == nil {
			c.numbered = lossless
		}
		got := bad(judge(sample(c.change), 2, c.numbered))
		if c.bad == "" && got != "" || c.bad != "" && (!strings.HasPrefix(got, c.bad) || strings.Contains(got, "\n")) {
			t.Errorf("%s: not kept: %q, want %q", c.name, got, c.bad)
		}
	}
}

func TestText(t *testing.T) {
	rs := sample(nil)
	xs := intervals(rs, 2)
	got := text(&Options{length: 10 * time.Minute, streams: 4}, xs, judge(rs, 2, nil), "conditions")
	rows := 0
	for line := range strings.Lines(got) {
		if strings.HasPrefix(line, "| ") && strings.Count(line, "|") == 14 {
			rows++
		}
	}
	if rows != maxRows+1 || !strings.HasSuffix(got, "conditions") {
		t.Errorf("%d rows in\n%s", rows, got)
	}
	if svg := plot(xs); strings.Count(svg, `<path class="l`) != 5 {
		t.Error(svg)
	}
}
