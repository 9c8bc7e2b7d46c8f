package main

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"esplanade/bench/initiators"
	"esplanade/bench/proof"
	"esplanade/bench/scrape"
	"esplanade/bench/stats"
	"esplanade/integration/lab"
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
	a, b scrape.Metrics
}

// judge says what the flood has done that it must not do.
func (r *results) judge() error {
	var wrong proof.Faults
	wrong.Must(r.Ignored["cookie_demanded"] > 0, "no cookie was demanded: the flood did not arrive")
	wrong.Must(r.MiBPeak-r.MiBBefore <= maxGrowth, "the gateway's memory has grown by %.1f MiB, more than %d", r.MiBPeak-r.MiBBefore, maxGrowth)
	// The peer of the tunnel has set up each connection once, and nothing went wrong.
	wrong.Must(r.a.Sum("ipsec_connection_up") == 2, "%v of 2 connections are up", r.a.Sum("ipsec_connection_up"))
	wrong.Must(r.a.Sum("ipsec_ike_established_total") == 2, "%v IKE SAs were set up for 2 connections", r.a.Sum("ipsec_ike_established_total"))
	for name, m := range map[string]scrape.Metrics{"the peer": r.a, flooded: r.b} {
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
func write(o options, r results, commit string) error {
	kernel, err := lab.Kernel()
	if err != nil {
		return err
	}
	if err := proof.WriteJSON(o.out, "flood.json", &r); err != nil {
		return err
	}
	verdict := "Nothing was disturbed."
	if err := r.judge(); err != nil {
		verdict = "FAILED: " + strings.ReplaceAll(err.Error(), "\n", "; ") + "."
	}
	ms := r.Newcomers.Millis()
	var ignored []string
	for _, k := range slices.Sorted(maps.Keys(r.Ignored)) {
		ignored = append(ignored, fmt.Sprintf("%s %.0f", k, r.Ignored[k]))
	}
	return proof.WriteFile(o.out, "flood.md", fmt.Sprintf(`# A flood of forged requests, %s

For %v, up to %d IKE_SA_INIT requests a second came to a gateway, each from another address of 127.0.0.0/8, half of them
to the port that carries ESP too. %s

| | |
|---|---|
| requests sent | %d, %.0f a second |
| of them, by what became of them | %s |
| CPU of the gateway | %.1f s, %.1f µs for each request |
| resident memory before, and at most | %.1f MiB, %.1f MiB; the bound is %d MiB more than before |
| packets through the tunnel | %d sent, %d came back |
| rekeyings of the tunnel, CHILD SA and IKE SA in turn | %d asked for, %d done |
| new peers that got in | %d, %d failed, %d requests repeated; p50 %.0f ms, p99 %.0f ms |
| IKE SAs lost, liveness checks that failed, IKE messages of existing SAs lost | %.0f, %.0f, %.0f |

What the kernel dropped, because a socket's buffer was full, is in no counter of the gateway.

%d CPUs, which the sender shares, Linux %s, %s; commit %s.
`, time.Now().UTC().Format("2006-01-02"), o.duration, o.rate, verdict, r.Sent, r.PerSecond, strings.Join(ignored, ", "),
		r.CPUSeconds, r.CPUSeconds*1e6/float64(max(r.Sent, 1)), r.MiBBefore, r.MiBPeak, maxGrowth, r.PacketsSent, r.PacketsBack,
		r.RekeysAsked, r.Rekeys, r.Newcomers.Established, r.Newcomers.Failed, r.Newcomers.Retransmits,
		stats.Percentile(ms, 50), stats.Percentile(ms, 99),
		r.a.Sum("ipsec_ike_established_total")-2, r.a.Sum("ipsec_exchange_failures_total")+r.b.Sum("ipsec_exchange_failures_total")-r.b.Labelled("ipsec_exchange_failures_total", "reason")[halfOpen],
		r.a.Sum("ipsec_inbox_dropped_total")+r.b.Sum("ipsec_inbox_dropped_total"),
		runtime.NumCPU(), kernel, runtime.Version(), commit))
}
