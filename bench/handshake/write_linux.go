package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"esplanade/bench/contest"
	"esplanade/bench/proof"
	"esplanade/bench/stats"
	"esplanade/integration/lab"
)

func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return err.Error()
	}
	return strings.Join(strings.Fields(string(b))[:3], " ")
}

// conditions are what the figures depend on, beside the machine.
type conditions struct {
	began       time.Time
	loadAverage string
	commit      string
}

// write makes both files.
func write(o options, rs []responder, all []figures, c conditions) error {
	kernel, err := lab.Kernel()
	if err != nil {
		return err
	}
	if err := proof.WriteJSON(o.out, "handshake.json", all); err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# IKE SAs set up, %s

Each responder, just started, sets up %d IKE SAs with a CHILD SA each (%s, pre-shared key, %s), %d at a time, after %d
that don't count. Both responders have the same proposals and a TUN device, and log nothing of it. Medians of %d runs in
interleaved order, and in brackets the least and the greatest.

What to compare is the CPU time: it is the responder's alone, user and system, and what follows from it for one core. The rate is
that of both sides together, as the initiators run on the same machine, and of whatever else runs there; so are the latencies.
Other load makes CPU time longer too, and not alike for both: what counts is a run on a quiet machine.

| | CPU ms for each | so a second and core | IKE SAs a second, both sides | resident KiB for each | p50 ms | p99 ms | requests repeated |
|---|---|---|---|---|---|---|---|
`, c.began.UTC().Format("2006-01-02"), o.count, contest.IKEProposal, "aes128gcm16", o.atOnce, warmUp, o.runs)
	for _, r := range rs {
		cell := func(format string, of func(f figures) float64) string {
			var v []float64
			for _, f := range all {
				if f.Responder == r.name {
					v = append(v, of(f))
				}
			}
			s := stats.Summarise(v)
			if s.N == 0 {
				return "failed"
			}
			return fmt.Sprintf(format+" ("+format+"–"+format+")", s.Median, s.Min, s.Max)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", r.name,
			cell("%.2f", func(f figures) float64 { return f.CPUMillis }), cell("%.0f", func(f figures) float64 { return 1000 / f.CPUMillis }),
			cell("%.0f", func(f figures) float64 { return f.PerSecond }),
			cell("%.1f", func(f figures) float64 { return f.KiB }), cell("%.1f", func(f figures) float64 { return f.P50 }),
			cell("%.1f", func(f figures) float64 { return f.P99 }), cell("%.0f", func(f figures) float64 { return float64(f.Result.Retransmits) }))
	}
	if len(rs) == 2 {
		// Each run has both, one after the other: a ratio for each run.
		cpu := [2]map[int]float64{{}, {}}
		for _, f := range all {
			for i, r := range rs {
				if f.Responder == r.name {
					cpu[i][f.Run] = f.CPUMillis
				}
			}
		}
		if q := stats.RatioOf(cpu[1], cpu[0]); q.Ok {
			fmt.Fprintf(&b, "\n%s takes %.1f (%.1f–%.1f) times the CPU of %s.\n", rs[1].name, q.Value, q.Low, q.High, rs[0].name)
		}
	}
	fmt.Fprintf(&b, "\n%d CPUs, Linux %s, %s; commit %s; load average at the start %s.\n", runtime.NumCPU(), kernel, runtime.Version(), c.commit, c.loadAverage)
	for _, r := range rs {
		fmt.Fprintf(&b, "%s: %s.\n", r.name, r.version)
	}
	return proof.WriteFile(o.out, "handshake.md", b.String())
}
