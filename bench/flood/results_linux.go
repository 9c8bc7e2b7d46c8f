package flood

import (
	"fmt"
	"time"

	"esplanade/bench/document"
	"esplanade/bench/gateways"
	"esplanade/bench/initiators"
	"esplanade/bench/proof"
	"esplanade/bench/stats"
)

const (
	// maxGrowth is how much the resident memory of a gateway may grow in a flood, in MiB, however fast and long it is. Its
	// parts: the queues of the event loop hold at most 8 MiB of datagrams; half-open IKE SAs, of which there are at most
	// half_open_limit (1,024), take less than the 20 KiB of an established one with its CHILD SA; the rest is what the garbage
	// collector lets the heap grow before it works, no more than as much again.
	maxGrowth = 64
	// maxLost is how many per cent of the packets through the tunnel may be lost. None is by the gateway; but where the CPUs
	// are all taken by the flood and its sender, a socket's buffer may overflow.
	maxLost = 5

	// flooded is what the gateway under attack is called, halfOpen the reason of peers that began and did not go on.
	flooded  = "the gateway"
	halfOpen = "half_open"
)

// results are what a run has shown.
type results struct {
	Sent      uint64  `json:"sent"`
	PerSecond float64 `json:"per_second"`
	// CPUSeconds are those of the gateway during the flood.
	CPUSeconds         float64            `json:"cpu_seconds"`
	MiBBefore, MiBPeak float64            // resident
	Ignored            map[string]float64 `json:"ignored"`
	Newcomers          initiators.Result  `json:"newcomers"`
	RekeysAsked        int                `json:"rekeys_asked"`
	Rekeys             int                `json:"rekeys"`
	PacketsSent        int                `json:"packets_sent"`
	PacketsBack        int                `json:"packets_back"`

	took time.Duration
	peak uint64
	// a and b are the metrics of the two gateways afterwards.
	a, b gateways.Metrics
}

// judge says what the flood has done that it must not do.
func (r *results) judge() error {
	var wrong proof.Faults
	wrong.Must(r.Ignored["cookie_demanded"] > 0, "no cookie was demanded: the flood did not arrive")
	wrong.Must(r.MiBPeak-r.MiBBefore <= maxGrowth, "the gateway's memory has grown by %.1f MiB, more than %d", r.MiBPeak-r.MiBBefore, maxGrowth)
	// The peer of the tunnel has set up each connection once, and nothing went wrong.
	wrong.Must(r.a.Sum("ipsec_connection_up") == 2, "%v of 2 connections are up", r.a.Sum("ipsec_connection_up"))
	wrong.Must(r.a.Sum("ipsec_ike_established_total") == 2, "%v IKE SAs were set up for 2 connections", r.a.Sum("ipsec_ike_established_total"))
	for name, m := range map[string]gateways.Metrics{"the peer": r.a, flooded: r.b} {
		for what, n := range m.Labelled("ipsec_exchange_failures_total", "reason") {
			// The forged requests from before the threshold are half-open until their time is up.
			wrong.Must(n == 0 || name == flooded && what == halfOpen, "%s counts %v failures: %s", name, n, what)
		}
		wrong.Must(m.Sum("ipsec_inbox_dropped_total") == 0, "%s has lost %v messages of existing IKE SAs", name, m.Sum("ipsec_inbox_dropped_total"))
	}
	wrong.Must(r.a.Sum("ipsec_exchanges_total", `exchange="INFORMATIONAL"`, `role="initiator"`) > 0, "the peer was not asked whether it lives")
	wrong.Must(r.RekeysAsked > 0 && r.Rekeys >= r.RekeysAsked, "%d rekeyings of %d", r.Rekeys, r.RekeysAsked)
	wrong.Must(r.PacketsSent > 0 && float64(r.PacketsSent-r.PacketsBack) <= float64(r.PacketsSent)*maxLost/100,
		"%d of %d packets through the tunnel came back", r.PacketsBack, r.PacketsSent)
	wrong.Must(r.Newcomers.Established > 0 && r.Newcomers.Failed == 0, "%d new peers got in and %d did not: %s",
		r.Newcomers.Established, r.Newcomers.Failed, r.Newcomers.Failure)
	return wrong.Err()
}

// write makes both files.
func write(o *Options, r results, c proof.Conditions) error {
	if err := document.WriteJSON(o.Out, "flood.json", &r); err != nil {
		return err
	}
	ms, kept := r.Newcomers.Millis(), "ipsec_ike_established_total"
	failures, lost := "ipsec_exchange_failures_total", "ipsec_inbox_dropped_total"
	t := document.NewTable("", "")
	t.Rowf("requests sent | %d, %.0f a second", r.Sent, r.PerSecond)
	t.Row("of them, by what became of them", gateways.Counts(r.Ignored))
	t.Rowf("CPU of the gateway | %.1f s, %.1f µs for each request", r.CPUSeconds, r.CPUSeconds*1e6/float64(max(r.Sent, 1)))
	t.Rowf("resident memory before, and at most | %.1f MiB, %.1f MiB; the bound is %d MiB more than before", r.MiBBefore, r.MiBPeak, maxGrowth)
	t.Rowf("packets through the tunnel | %d sent, %d came back", r.PacketsSent, r.PacketsBack)
	t.Rowf("rekeyings of the tunnel, CHILD SA and IKE SA in turn | %d asked for, %d done", r.RekeysAsked, r.Rekeys)
	t.Rowf("new peers that got in | %d, %d failed, %d requests repeated; p50 %.0f ms, p99 %.0f ms", r.Newcomers.Established, r.Newcomers.Failed,
		r.Newcomers.Retransmits, stats.Percentile(ms, 50), stats.Percentile(ms, 99))
	t.Rowf("IKE SAs lost, liveness checks that failed, IKE messages of existing SAs lost | %.0f, %.0f, %.0f", r.a.Sum(kept)-2,
		r.a.Sum(failures)+r.b.Sum(failures)-r.b.Labelled(failures, "reason")[halfOpen], r.a.Sum(lost)+r.b.Sum(lost))
	return document.WriteFile(o.Out, "flood.md", fmt.Sprintf(`# A flood of forged requests, %s

For %v, up to %d IKE_SA_INIT requests a second came to a gateway, each from another address of 127.0.0.0/8, half of them
to the port that carries ESP too. %s

%s
What the kernel dropped, because a socket's buffer was full, is in no counter of the gateway.

The sender shares the CPUs. %s`, c.Began.UTC().Format("2006-01-02"), o.duration, o.rate,
		proof.Sentence(r.judge(), "Nothing was disturbed."), t, c))
}
