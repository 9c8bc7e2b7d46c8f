package handshake

import (
	"fmt"
	"strings"

	"esplanade/bench/contest"
	"esplanade/bench/credentials"
	"esplanade/bench/document"
	"esplanade/bench/proof"
	"esplanade/bench/stats"
)

// titleOf is a way of authentication in the table.
func titleOf(how string) string {
	switch how {
	case credentials.ECDSA:
		return "certificates, ECDSA P-256"
	case credentials.RSA:
		return "certificates, RSA 2048"
	case credentials.EAP:
		return "EAP-MSCHAPv2, a virtual address"
	}
	return "a pre-shared key"
}

// write makes both files.
func write(o *Options, rs []responder, all []figures, c proof.Conditions) error {
	if err := document.WriteJSON(o.Out, "handshake.json", all); err != nil {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, `# IKE SAs set up, %s

Each responder, just started, sets up %d IKE SAs with a CHILD SA each (%s, %s), %d at a time, after %d
that don't count. Both sides prove who they are by a pre-shared key, or by certificates: of one CA, with keys of ECDSA P-256 or of RSA with 2048
bits, each initiator with a certificate of its own, sent in both directions; or the initiators are users with passwords in a file,
prove themselves by EAP-MSCHAPv2 to a responder with an ECDSA certificate, and get an address each of one pool. Both responders have the same proposals and a TUN device, and log nothing of it. Medians of %d runs in
interleaved order, and in brackets the least and the greatest.

What to compare is the CPU time: it is the responder's alone, user and system, and what follows from it for one core. The rate is
that of both sides together, as the initiators run on the same machine, and of whatever else runs there; so are the latencies.
Other load makes CPU time longer too, and not alike for both: what counts is a run on a quiet machine.

`, c.Began.UTC().Format("2006-01-02"), o.count, contest.IKEProposal, "aes128gcm16", o.atOnce, warmUp, o.runs)
	t := document.NewTable("", "both sides have", "CPU ms for each", "so a second and core", "IKE SAs a second, both sides", "resident KiB for each", "p50 ms", "p99 ms",
		"requests repeated")
	for i := range len(rs) * len(o.auth) {
		r, how := rs[i%len(rs)], o.auth[i/len(rs)]
		cell := func(format string, of func(f figures) float64) string {
			var v []float64
			for _, f := range all {
				if f.Responder == r.name && f.Auth == how {
					v = append(v, of(f))
				}
			}
			s := stats.Summarise(v)
			if s.N == 0 {
				return "failed"
			}
			return fmt.Sprintf(format+" ("+format+"–"+format+")", s.Median, s.Min, s.Max)
		}
		t.Row(r.name, titleOf(how),
			cell("%.2f", func(f figures) float64 { return f.CPUMillis }), cell("%.0f", func(f figures) float64 { return 1000 / f.CPUMillis }),
			cell("%.0f", func(f figures) float64 { return f.PerSecond }),
			cell("%.1f", func(f figures) float64 { return f.KiB }), cell("%.1f", func(f figures) float64 { return f.P50 }),
			cell("%.1f", func(f figures) float64 { return f.P99 }), cell("%.0f", func(f figures) float64 { return float64(f.Result.Retransmits) }))
	}
	b.WriteString(t.String())
	if len(rs) == 2 {
		b.WriteString("\n")
		for _, how := range o.auth {
			// Each run has both, one after the other: a ratio for each run.
			cpu := [2]map[int]float64{{}, {}}
			for _, f := range all {
				for i, r := range rs {
					if f.Responder == r.name && f.Auth == how {
						cpu[i][f.Run] = f.CPUMillis
					}
				}
			}
			if q := stats.RatioOf(cpu[1], cpu[0]); q.Ok {
				fmt.Fprintf(&b, "With %s, %s takes %.1f (%.1f–%.1f) times the CPU of %s.\n", titleOf(how), rs[1].name, q.Value, q.Low, q.High, rs[0].name)
			}
		}
	}
	fmt.Fprintf(&b, "\n%s\n", c)
	for _, r := range rs {
		fmt.Fprintf(&b, "%s: %s.\n", r.name, r.version)
	}
	return document.WriteFile(o.Out, "handshake.md", b.String())
}
