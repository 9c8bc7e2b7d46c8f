package gateway

import (
	"testing"
	"testing/synctest"
	"time"
)

// A peer that rekeys its IKE SA without end leaves a bounded number of closed ones behind, the latest; all of them go in time.
func TestLingeringIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("start")))
		settle(time.Second)
		known := func() (all, lingering int) {
			b.d.turn(func(time.Time) {
				all = len(b.d.table.bySPI)
				for _, list := range b.d.table.lingering {
					lingering += len(list)
				}
			})
			return all, lingering
		}
		const rekeyings, pause = maxLingering + 30, 30 * time.Millisecond // less than an IKE SA lingers
		for range rekeyings {
			if n, err := a.d.Rekey(t.Context(), Target{Connection: "b"}); n != 1 || err != nil {
				t.Fatalf("%d rekeyed, %v", n, err)
			}
			settle(pause)
		}
		if all, lingering := known(); lingering != maxLingering || all != maxLingering+1 {
			t.Errorf("after %d rekeyings there are %d IKE SAs, %d of them closed", rekeyings, all, lingering)
		}
		for peer, list := range b.d.table.lingering {
			for i, e := range list[1:] {
				if e.m.ID() <= list[i].m.ID() {
					t.Fatalf("%v: %d lingers behind %d", peer, e.m.ID(), list[i].m.ID())
				}
			}
		}
		settle(20 * time.Second)
		if all, lingering := known(); lingering != 0 || all != 1 || len(b.d.table.lingering) != 0 {
			t.Errorf("20 s later there are %d IKE SAs, %d of them closed", all, lingering)
		}
		if paired(t, a, b) != 1 {
			t.Error("the CHILD SA is gone")
		}
		a.stop()
		b.stop()
	})
}
