package gateway

import (
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/sa"
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
		b.d.turn(func(time.Time) {
			for peer, list := range b.d.table.lingering {
				for i, e := range list[1:] {
					if e.m.ID() <= list[i].m.ID() {
						t.Errorf("%v: %d lingers behind %d", peer, e.m.ID(), list[i].m.ID())
					}
				}
			}
		})
		settle(20 * time.Second)
		if all, lingering := known(); lingering != 0 || all != 1 {
			t.Errorf("20 s later there are %d IKE SAs, %d of them closed", all, lingering)
		}
		if paired(t, a, b) != 1 {
			t.Error("the CHILD SA is gone")
		}
		a.stop()
		b.stop()
	})
}

// A peer that takes an identity after the other, all of them of one pattern, leaves no more behind than all peers may.
func TestLingeringOfManyIdentities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", right("none")))
		b.d.turn(func(now time.Time) {
			m := b.d
			conn := m.conns[0]
			for i := range maxLingeringAll + 40 {
				x := sa.NewInitiator(m.env, now, conn.cfg, sa.Path{Local: netip.AddrPortFrom(netip.MustParseAddr(addrB), 500), Remote: netip.AddrPortFrom(netip.MustParseAddr(addrA), 500)}, nil)
				e := m.table.add(x, conn)
				e.closed, e.peer = true, peerKey{local: "b", remote: strconv.Itoa(i)}
				m.linger(now, e)
			}
			if n, all := len(m.table.lingeringAll), len(m.table.bySPI); n != maxLingeringAll || all != maxLingeringAll || len(m.table.lingering) != maxLingeringAll {
				t.Errorf("%d linger, %d IKE SAs of %d peers, want %d", n, all, len(m.table.lingering), maxLingeringAll)
			}
			for _, e := range slices.Clone(m.table.lingeringAll) {
				m.drop(now, e)
			}
			if len(m.table.lingeringAll)+len(m.table.lingering)+len(m.table.bySPI) != 0 {
				t.Error("some are left")
			}
		})
		b.stop()
	})
}
