package rekey

import (
	"fmt"
	"slices"
	"strings"

	"esplanade/bench/document"
	"esplanade/bench/proof"
	"esplanade/bench/stats"
)

func (r *result) text(o *Options, verdicts []proof.Verdict, conditions string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Rekeying under load

%d TCP streams, half of them each way, go through a pair of Esplanades as fast as they can, and %d numbered UDP datagrams a second
with them each way. Phases of %v take turns: in one of two, keys are renewed every %v, mostly of the CHILD SA, every %s time of
the IKE SA, from one end and from the other. Tenths of a second count as with a rekeying by the moment when it was due. Then the same with TCP paced to a share of what it carried. Every packet is
accounted for: those that went into an SA are those that came out, and those counted as dropped on the way.
[How it is measured](../README.md#rekeying-under-load).

## What was asked

%s
## Throughput by tenths of a second, Gbit/s

`, o.streams, numberedRate, o.phase, o.every, ordinal(ikeEvery), proof.Table(verdicts))
	t := document.NewTable("100 ms with", "number", "median", "25th percentile", "10th", "5th", "least")
	due, later, without, details := r.kinds()
	for _, k := range slices.Concat([]kind{due}, details, []kind{later, without}) {
		p := func(q float64) float64 { return stats.Percentile(k.gbits, q) }
		t.Rowf("%s | %d | %.2f | %.2f | %.2f | %.2f | %.2f", k.name, len(k.gbits), stats.Summarise(k.gbits).Median, p(25), p(10), p(5), p(0))
	}
	fmt.Fprintf(&b, "%s\n%s", t, conditions)
	return b.String()
}

func ordinal(n int) string { return fmt.Sprintf("%dth", n) }

func (r *result) write(o *Options, verdicts []proof.Verdict, conditions string) error {
	return document.WriteFile(o.Out, "rekey.md", r.text(o, verdicts, conditions))
}
