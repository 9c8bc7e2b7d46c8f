package gateway

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestCountersSinceUp: the counters of a child that an operator sees begin again when it comes up, also while the CHILD SA of before is
// still installed, and stay over a rekeying; those for monitoring never go back.
func TestCountersSinceUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		a, b := f.start(addrA, toml("", left("none"))), f.start(addrB, toml("", right("none")))
		carry := func(n uint64) {
			b.plane.mu.Lock()
			b.plane.traffic = Counters{InBytes: n, InPackets: 1, OutBytes: n, OutPackets: 1}
			b.plane.mu.Unlock()
		}
		initiate := func() {
			t.Helper()
			if err := a.d.Initiate(t.Context(), Target{Child: "net"}, false, nil); err != nil {
				t.Fatal(err)
			}
			settle(100 * time.Millisecond)
		}
		want := func(when string, sinceUp, all uint64) {
			t.Helper()
			if h := b.child("a/net"); h.SinceUp().InBytes != sinceUp || h.SinceUp().OutBytes != sinceUp || h.Counters.InBytes != all {
				t.Errorf("%s: %d since it came up, %d in all; want %d, %d", when, h.SinceUp().InBytes, h.Counters.InBytes, sinceUp, all)
			}
		}
		initiate()
		carry(1000)
		want("up", 1000, 1000)
		if n, err := a.d.Rekey(t.Context(), Target{Child: "net"}); n != 1 || err != nil {
			t.Fatalf("%d rekeyed, %v", n, err)
		}
		settle(15 * time.Second) // the old one has gone
		want("rekeyed", 2000, 2000)
		if _, err := a.d.Terminate(t.Context(), Target{Child: "net"}, false, false); err != nil {
			t.Fatal(err)
		}
		initiate()
		if n := len(b.child("a/net").SAs); n != 2 {
			t.Fatalf("%d CHILD SAs are installed, want that of before, too", n)
		}
		want("up again", 1000, 3000)
		settle(15 * time.Second)
		want("the old one has gone", 1000, 3000)
		stopAll(t, a, b)
	})
}
