package sas

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"esplanade/bench/document"
	"esplanade/bench/proof"
)

// row is one case of the benchmark: packets of a size, to so many SAs of those installed.
type row struct {
	size, active, installed int
	// least and median are nanoseconds for a packet; q1, ratio and q3 are the quartiles of the ratios to the case beside it in
	// the same round.
	least, median, q1, ratio, q3 float64
}

var errOutput = errors.New("the benchmark's output is not understood")

// read finds the metrics in the output of go test -bench.
func read(out string) ([]row, error) {
	var rows []row
	for line := range strings.Lines(out) {
		f := strings.Fields(line)
		name, ok := strings.CutPrefix(strings.Join(f[:min(1, len(f))], ""), "BenchmarkInstalled/")
		if !ok {
			continue
		}
		name, _, _ = strings.Cut(name, "-")
		size, err := strconv.Atoi(name)
		if err != nil {
			return nil, fmt.Errorf("%w: %.80q", errOutput, line)
		}
		for i := 2; i+1 < len(f); i += 2 {
			which, metric, ok := strings.Cut(f[i+1], ":")
			if !ok {
				continue // ns/op
			}
			r := row{size: size}
			v, err := strconv.ParseFloat(f[i], 64)
			if _, errCase := fmt.Sscanf(which, "%d/%d", &r.active, &r.installed); err != nil || errCase != nil {
				return nil, fmt.Errorf("%w: %s %s", errOutput, f[i], f[i+1])
			}
			k := slices.IndexFunc(rows, func(x row) bool { return x.size == size && x.active == r.active && x.installed == r.installed })
			if k < 0 {
				k, rows = len(rows), append(rows, r)
			}
			if !rows[k].set(metric, v) {
				return nil, fmt.Errorf("%w: %s %s", errOutput, f[i], f[i+1])
			}
		}
	}
	for _, r := range rows {
		if r.least <= 0 || r.median <= 0 || r.ratio <= 0 {
			return nil, fmt.Errorf("%w: a figure is missing in %+v", errOutput, r)
		}
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: it has no metrics", errOutput)
	}
	slices.SortFunc(rows, func(a, b row) int {
		return slices.Compare([]int{a.size, a.active, a.installed}, []int{b.size, b.active, b.installed})
	})
	return rows, nil
}

func (r *row) set(metric string, v float64) bool {
	at := map[string]*float64{"least-ns": &r.least, "median-ns": &r.median, "ratio-q1": &r.q1, "ratio-median": &r.ratio, "ratio-q3": &r.q3}[metric]
	if at != nil {
		*at = v
	}
	return at != nil
}

// maxMore is what a packet may cost with many SAs installed, in relation to with few.
const maxMore = 1.1

// judge compares cases with the same traffic and different numbers of SAs installed. It goes by the least time of each: what
// else the machine does can only add to it.
func judge(rows []row) []proof.Verdict {
	var vs []proof.Verdict
	for _, many := range rows {
		if many.active == many.installed {
			continue
		}
		for _, few := range rows {
			if few.size == many.size && few.active == many.active && few.installed == few.active {
				vs = append(vs, proof.AtMost(fmt.Sprintf("%d bytes, traffic of %d: %d SAs installed / %d", many.size, many.active, many.installed, few.installed),
					many.least/few.least, maxMore, "%.3f"))
			}
		}
	}
	if len(vs) == 0 {
		vs = append(vs, proof.Verdict{What: "cases to compare", Found: "none", Bound: "some"})
	}
	return vs
}

func text(o *Options, rows []row, verdicts []proof.Verdict, conditions string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# A packet with one SA and with 10,000

The way of a packet through two engines without system calls, in one process, all cases in turn, %d times. What is judged is the
ratio of the least times, to which whatever else the machine does can only add. [How it is measured](../README.md#many-sas).

%s
The cases, in nanoseconds for a packet. The ratio is to the case with the same traffic and no other SAs, for traffic of all 10,000
to that of 100 of 100, in the same round: median and quartiles.

`, o.rounds, proof.Table(verdicts))
	t := document.NewTable("bytes", "SAs with traffic", "installed", "least", "median", "ratio")
	for _, r := range rows {
		t.Rowf("%d | %d | %d | %.0f | %.0f | %.2f (%.2f–%.2f)", r.size, r.active, r.installed, r.least, r.median, r.ratio, r.q1, r.q3)
	}
	fmt.Fprintf(&b, `%s
That each packet is one of another of 10,000 SAs is not what the ratio is asked for: nothing that it needs is in a cache near the
CPU then, neither keys nor windows nor counters nor policies, and it waits for memory some dozens of times. Nor do packets of different
SAs share a system call. With 100 SAs in turn that is so as well, but for the caches.

%s`, t, conditions)
	return b.String()
}
