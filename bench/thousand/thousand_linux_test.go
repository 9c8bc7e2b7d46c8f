package thousand

import (
	"strings"
	"testing"
	"time"

	"esplanade/bench/contest"
	"esplanade/integration/lab"
)

// The command works; with 1,000 IKE SAs and for as long as it takes to rekey them, ike/gateway.TestThousandSAs does the same in
// virtual time.
func TestSome(t *testing.T) {
	if missing := lab.Missing(); len(missing) > 0 {
		t.Skip("MANY SAS ARE NOT TESTED, this machine lacks: " + strings.Join(missing, "; "))
	}
	o := &Options{count: 50, duration: time.Second}
	b, err := contest.NewBuilder(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	r, err := measure(t.Context(), b, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.judge(o); err != nil {
		t.Error(err)
	}
	if r.PacketsArrived < o.count {
		t.Errorf("%d packets of %d have arrived", r.PacketsArrived, r.PacketsSent)
	}
}

// The judge finds each thing that can be wrong.
func TestJudge(t *testing.T) {
	o := &Options{count: 10, duration: 10 * time.Minute}
	good := results{Count: 10, Up: 10, Established: 10, ChildRekeys: 90, IKERekeys: 40}
	if err := good.judge(o); err != nil || good.lost() != 0 {
		t.Errorf("%v, %d lost", err, good.lost())
	}
	for name, change := range map[string]func(*results){
		"a connection down": func(r *results) { r.Up = 9 }, "one set up again": func(r *results) { r.Established = 11 },
		"a silent one": func(r *results) { r.Silent = 1 }, "a failure": func(r *results) { r.Failures = 1 },
		"too few CHILD rekeyings": func(r *results) { r.ChildRekeys = 89 }, "too few IKE rekeyings": func(r *results) { r.IKERekeys = 39 },
	} {
		r := good
		change(&r)
		if r.judge(o) == nil {
			t.Errorf("%s: not noticed", name)
		}
	}
}
