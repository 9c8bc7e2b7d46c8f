package crowd

import (
	"errors"
	"os"
	"strings"
	"testing"

	"esplanade/bench/command"
	"esplanade/bench/command/commandtest"
	"esplanade/bench/proof"
	"esplanade/ike"
)

// A few peers with a group that workers make, in both ways: all are rekeyed, and the other one has its answers.
func TestMeasure(t *testing.T) {
	o := &Options{peers: 3, group: "modp4096"}
	r := results{Peers: o.peers, Group: o.group}
	for name, workers := range map[string]int{"event loop": ike.NoWorkers, "workers": 1} {
		p, err := measure(t.Context(), o, name, workers)
		if err != nil {
			t.Fatal(err)
		}
		if p.Rekeyed != o.peers || len(p.Before) == 0 || (p.Worked == 0) != (workers == ike.NoWorkers) {
			t.Errorf("%+v", p)
		}
		if len(p.During) == 0 {
			p.During = []float64{0} // they were faster than the first question
		}
		r.Phases = append(r.Phases, p)
	}
	o.Out = t.TempDir()
	if err := write(o, r, proof.Conditions{}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(o.Out + "/crowd.md")
	if err != nil || !strings.Contains(string(b), "3 peers rekeyed") {
		t.Errorf("%s, %v", b, err)
	}
}

func TestJudge(t *testing.T) {
	good := phase{Name: "workers", Worked: 2, Rekeyed: 1, Before: []float64{1}, During: []float64{1, 2, 3}}
	for name, c := range map[string]struct {
		change func(p *phase)
		want   string
	}{
		"well":       {func(*phase) {}, ""},
		"late":       {func(p *phase) { p.During = []float64{1, 6, 7} }, "answered after"},
		"nobody":     {func(p *phase) { p.Rekeyed = 0 }, "0 of 1 peers"},
		"unanswered": {func(p *phase) { p.During = nil }, "no liveness check"},
		"event loop": {func(p *phase) { p.Worked, p.During = 0, []float64{4000} }, ""},
	} {
		p := good
		c.change(&p)
		err := (&results{Peers: 1, Phases: []phase{p}}).judge()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParse(t *testing.T) {
	o, err := commandtest.Parse(Command, "--peers 8 --group modp4096 --out x")
	if err != nil {
		t.Fatal(err)
	}
	if want := (Options{Common: command.Common{Out: "x", Line: o.Line}, peers: 8, group: "modp4096"}); *o != want {
		t.Errorf("%+v", o)
	}
	for _, args := range []string{"--peers 0", "--peers 201", "surplus", "--unknown"} {
		if _, err := commandtest.Parse(Command, args); !errors.Is(err, command.ErrUsage) {
			t.Errorf("%s: %v", args, err)
		}
	}
}
