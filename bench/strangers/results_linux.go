package strangers

import (
	"fmt"
	"slices"

	"esplanade/bench/document"
	"esplanade/bench/gateways"
	"esplanade/bench/proof"
	"esplanade/bench/stats"
)

const (
	// maxMedian is the longest median of the round trips, in milliseconds.
	maxMedian = 5
	// maxGrowth is how much the resident memory of the gateway may grow, in MiB: see bench/flood.
	maxGrowth = 64
)

// phase is what one attack has shown.
type phase struct {
	Name string `json:"name"`
	// Asked are the attempts a second that were asked for, Attempts those that were made, Done those that came to their end.
	Asked    float64 `json:"asked_per_second"`
	Attempts uint64  `json:"attempts"`
	Done     uint64  `json:"done"`
	// RoundTrips are those of the established IKE SA, in milliseconds; Lost were not answered within a second.
	RoundTrips []float64 `json:"round_trips_ms"`
	Lost       int       `json:"lost"`
	CPUSeconds float64   `json:"cpu_seconds"`
	// MiB is the resident memory of the gateway afterwards.
	MiB float64 `json:"mib"`

	seconds float64
}

type results struct {
	Phases  []phase            `json:"phases"`
	Ignored map[string]float64 `json:"ignored"`

	inboxDropped float64
}

// check says what was wrong that does not depend on how fast the machine is.
func (r *results) check() error {
	var wrong proof.Faults
	for _, p := range r.Phases {
		wrong.Must(len(p.RoundTrips) > 0, "%s: the established IKE SA had no answer", p.Name)
		wrong.Must(p.Asked == 0 || p.Done > 0, "%s: none of %d attempts came to its end", p.Name, p.Attempts)
		wrong.Must(p.MiB-r.Phases[0].MiB <= maxGrowth, "%s: the gateway's memory has grown by %.1f MiB", p.Name, p.MiB-r.Phases[0].MiB)
	}
	wrong.Must(r.Ignored["cookie_demanded"] > 0, "no cookie was demanded")
	wrong.Must(r.inboxDropped == 0, "%.0f messages of existing IKE SAs were lost", r.inboxDropped)
	return wrong.Err()
}

// judge says what took too long, or was not put to the test.
func (r *results) judge() error {
	var wrong proof.Faults
	for _, p := range r.Phases {
		wrong.Must(stats.Percentile(p.RoundTrips, 50) < maxMedian, "%s: the median of the round trips is %.1f ms", p.Name, stats.Percentile(p.RoundTrips, 50))
		wrong.Must(float64(p.Attempts) >= 0.9*p.Asked*p.seconds, "%s: only %d attempts were made", p.Name, p.Attempts)
		wrong.Must(p.Lost == 0, "%s: %d questions had no answer", p.Name, p.Lost)
	}
	return wrong.Err()
}

// write makes both files.
func write(o *Options, r results, c proof.Conditions) error {
	if err := document.WriteJSON(o.Out, "strangers.json", &r); err != nil {
		return err
	}
	t := document.NewTable("attack", "attempts", "with an answer to the last message", "liveness checks answered, not answered",
		"round trip p50, p99, max (ms)", "CPU of the gateway", "resident MiB")
	for _, p := range r.Phases {
		t.Rowf("%s | %d | %d | %d, %d | %.2f, %.2f, %.2f | %.0f %% | %.1f", p.Name, p.Attempts, p.Done,
			len(p.RoundTrips), p.Lost, stats.Percentile(p.RoundTrips, 50), stats.Percentile(p.RoundTrips, 99), slices.Max(p.RoundTrips),
			100*p.CPUSeconds/p.seconds, p.MiB)
	}
	return document.WriteFile(o.Out, "strangers.md", fmt.Sprintf(`# Strangers, %s

For %v each, peers at %d addresses that return their cookies had %d attempts a minute refused, and asked for %d key exchanges
with MODP-4096 a second. Meanwhile an established IKE SA asked every %v whether the gateway lives. %s

%s
Messages that had no effect: %s. Of the requests for MODP-4096 only as many are served as the budget of the event loop allows
([floods](../../docs/operations.md#floods)).

The attackers share the CPUs. %s`, c.Began.UTC().Format("2006-01-02"), o.duration, hostileHosts, o.refused, o.expensive, askEvery,
		proof.Sentence(r.judge(), "The established IKE SA was not disturbed."), t, gateways.Counts(r.Ignored), c))
}
