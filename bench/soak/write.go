package soak

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"

	"esplanade/bench/document"
	"esplanade/bench/load"
	"esplanade/bench/proof"
)

// flow is what became of numbered datagrams in one direction.
type flow struct {
	name string
	load.NumberedResult
}

// maxRows bounds the table of the course.
const maxRows = 20

// write makes both files.
func write(o *Options, rs []reading, verdicts []proof.Verdict, conditions string) error {
	xs := intervals(rs, runtime.NumCPU())
	return errors.Join(document.WriteFile(o.Out, "soak.svg", plot(xs)), document.WriteFile(o.Out, "soak.md", text(o, xs, verdicts, conditions)))
}

func text(o *Options, xs []interval, verdicts []proof.Verdict, conditions string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# A soak of %v

%d TCP streams, half of them each way, go through a pair of Esplanades as fast as they can, and numbered UDP datagrams with them.
CHILD SAs are rekeyed every %v and IKE SAs every %v, by age. Gateways, endpoints and whatever else the machine does share its
CPUs, so what is judged is throughput for what CPU time others left, and CPU time for each GB, both in units of what a little
encryption and copying takes at the same time. Thirds are compared by their medians. [How it is measured](../README.md#soak).

![The course](soak.svg)

## What was asked

%s
## The course

`, o.length, o.streams, childRekey, ikeRekey, proof.Table(verdicts))
	t := document.NewTable("s", "Gbit/s a to b", "b to a", "CPU seconds left", "GB for each", "CPU s of gateways for each GB", "units, thousands",
		"RSS a, MiB", "RSS b", "live heap a, MiB", "b", "child rekeyings", "ike")
	step := (len(xs) + maxRows - 1) / maxRows
	for i := step - 1; i < len(xs); i += step {
		x := xs[i]
		m := x.last.gateways[0].metrics
		t.Rowf("%.0f | %.2f | %.2f | %.2f | %.3f | %.2f | %.1f | %.1f | %.1f | %.2f | %.2f | %d | %d", x.end.Seconds(), x.forth, x.back, x.left, x.perLeft,
			x.cost, x.cost/x.unit/1000, x.rss[0], x.rss[1], x.heap[0], x.heap[1], m.Rekeys("child"), m.Rekeys("ike"))
	}
	fmt.Fprintf(&b, "%s\n%s", t, conditions)
	return b.String()
}

func plot(xs []interval) string {
	line := func(name string, of func(interval) float64) document.Line {
		l := document.Line{Name: name}
		for _, x := range xs {
			v := of(x)
			if math.IsInf(v, 0) {
				v = math.NaN()
			}
			l.X, l.Y = append(l.X, x.end.Seconds()), append(l.Y, v)
		}
		return l
	}
	return document.SVG("A pair of gateways at work", []document.Panel{
		{Title: "TCP, Gbit/s, both ways together", Lines: []document.Line{line("", func(x interval) float64 { return x.forth + x.back })}},
		{Title: "MB for each thousand units of CPU time that the machine left",
			Lines: []document.Line{line("", func(x interval) float64 { return x.perLeft * x.unit * 1e6 })}},
		{Title: "Units of CPU time of both gateways for each MB", Lines: []document.Line{line("", func(x interval) float64 { return x.cost / x.unit / 1e3 })}},
		{Title: "Resident memory, MiB", Lines: []document.Line{
			line("gateway a", func(x interval) float64 { return x.rss[0] }), line("gateway b", func(x interval) float64 { return x.rss[1] })}},
	})
}
