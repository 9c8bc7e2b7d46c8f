package conns

import (
	"testing"
)

// TestSteps: a run with a few connections does all steps, each of which looks at what comes of it.
func TestSteps(t *testing.T) {
	c, w, stop, err := start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		c.Close()
		if err := stop(); err != nil {
			t.Error(err)
		}
	}()
	for _, s := range steps(t.Context(), c, 300) {
		if r, err := measure(t.Context(), w, s.do); err != nil || r.Seconds <= 0 {
			t.Fatalf("%s: %v, %+v", s.name, err, r)
		}
	}
	late := results{Count: 10000, Steps: []step{{Name: loading, Seconds: 11}, {Name: "x", BusyMs: 6}}}
	if late.judge() == nil || (&results{Count: 10000, Steps: []step{{Name: loading, Seconds: 9, BusyMs: 4, TurnMs: 50}}}).judge() != nil {
		t.Error("it does not judge what it is to judge")
	}
}
