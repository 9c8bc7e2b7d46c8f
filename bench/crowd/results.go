package crowd

import (
	"fmt"
	"slices"

	"esplanade/bench/document"
	"esplanade/bench/proof"
	"esplanade/bench/stats"
)

// maxTrip is the longest that 95 of 100 answers may take, in milliseconds.
const maxTrip = 5

// phase is what one gateway has shown.
type phase struct {
	// Name says who makes the key exchanges, Worked how many of them workers made.
	Name   string `json:"name"`
	Worked uint64 `json:"worked"`
	// Rekeyed peers took Seconds, all together.
	Rekeyed int     `json:"rekeyed"`
	Seconds float64 `json:"seconds"`
	// Before and During are what answers to liveness checks took, in milliseconds: before the others rekeyed, and meanwhile.
	Before []float64 `json:"before_ms"`
	During []float64 `json:"during_ms"`
}

type results struct {
	Peers  int     `json:"peers"`
	Group  string  `json:"group"`
	Phases []phase `json:"phases"`
}

// judge says what took too long, or was not put to the test.
func (r *results) judge() error {
	var wrong proof.Faults
	for _, p := range r.Phases {
		wrong.Must(p.Rekeyed == r.Peers, "%s: %d of %d peers were rekeyed", p.Name, p.Rekeyed, r.Peers)
		wrong.Must(len(p.Before) > 0 && len(p.During) > 0, "%s: no liveness check was answered", p.Name)
		if p.Worked == 0 || len(p.During) == 0 {
			continue
		}
		late := stats.Percentile(p.During, 95)
		wrong.Must(late < maxTrip, "%s: 5 of 100 liveness checks were answered after %.1f ms or more", p.Name, late)
	}
	return wrong.Err()
}

// write makes both files.
func write(o *Options, r results, c proof.Conditions) error {
	if err := document.WriteJSON(o.Out, "crowd.json", &r); err != nil {
		return err
	}
	t := document.NewTable("key exchanges are made by", "before: p50, p95, max (ms)", "liveness checks meanwhile", "p50, p95, max (ms)",
		"all are rekeyed after")
	for _, p := range r.Phases {
		t.Rowf("the %s | %.2f, %.2f, %.2f | %d | %.2f, %.2f, %.2f | %.1f s", p.Name, stats.Percentile(p.Before, 50), stats.Percentile(p.Before, 95),
			slices.Max(p.Before), len(p.During), stats.Percentile(p.During, 50), stats.Percentile(p.During, 95), slices.Max(p.During), p.Seconds)
	}
	return document.WriteFile(o.Out, "crowd.md", fmt.Sprintf(`# A crowd, %s

%d peers rekeyed their CHILD SAs at once with %s. Meanwhile another peer asked every %v whether the gateway lives, unless it still waited
for an answer. %s

%s
The time is from the question, given to the gateway in the same process, to the answer, before it is sent. The peers compute nothing.

%s`, c.Began.UTC().Format("2006-01-02"), r.Peers, r.Group, askEvery,
		proof.Sentence(r.judge(), "With workers it was not disturbed."), t, c))
}
