package gateway

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"

	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// filedRight checks that what finds IKE SAs and CHILD SAs without looking through all of them has what is there, no more and no less.
func filedRight(d *Manager) error {
	for _, e := range d.table.bySPI {
		if from := e.handover.from; from != nil {
			if _, ok := from.followers[e]; !ok {
				return fmt.Errorf("IKE SA %d takes the place of %d, which does not know", e.m.ID(), from.m.ID())
			}
		}
		for x := range e.followers {
			if x.handover.from != e {
				return fmt.Errorf("IKE SA %d does not take the place of %d any more", x.m.ID(), e.m.ID())
			}
		}
	}
	for _, c := range d.conns {
		for _, h := range c.children {
			found := map[uint64]bool{}
			for _, l := range h.networks.table.All() {
				for _, i := range l {
					found[i.child.ID] = true
					if h.live[i.child.ID] == nil || d.installed[i.child.ID] != i {
						return fmt.Errorf("the networks of %s/%s have CHILD SA %d, which is gone", c.conf.Name, h.conf.Name, i.child.ID)
					}
				}
			}
			if len(found) != len(h.live) {
				return fmt.Errorf("%s/%s has %d CHILD SAs, its networks have %d", c.conf.Name, h.conf.Name, len(h.live), len(found))
			}
		}
	}
	return nil
}

// What networks find is what a comparison with each would find, as CHILD SAs come, move and go.
func TestNetworks(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		random := func() []selector.Selector {
			var out []selector.Selector
			for range 1 + rng.IntN(3) {
				first := 0x0a000000 + uint32(rng.IntN(1<<12))
				s := selector.FromAddr(v4(first))
				s.End = v4(first + uint32(rng.IntN(1<<rng.IntN(12))))
				out = append(out, s)
			}
			return out
		}
		var n networks
		var all []*installed
		for range 300 {
			switch i := rng.IntN(max(1, len(all))); {
			case len(all) < 10 || rng.IntN(3) == 0:
				x := &installed{child: &sa.Child{ID: uint64(len(all)), TS: selector.Pair{Remote: random()}}}
				n.add(x)
				all = append(all, x)
			case rng.IntN(2) == 0:
				n.remove(all[i])
				all = append(all[:i], all[i+1:]...)
			default: // its selectors have moved
				all[i].child.TS.Remote = random()
				n.remove(all[i])
				n.add(all[i])
			}
			asked := random()
			want, got := map[*installed]bool{}, map[*installed]bool{}
			for _, x := range all {
				if overlap(x.child.TS.Remote, asked) {
					want[x] = true
				}
			}
			n.find(asked, func(x *installed) bool { got[x] = true; return false })
			if len(want) != len(got) {
				t.Fatalf("seed %d: found %d, want %d", seed, len(got), len(want))
			}
			for x := range want {
				if !got[x] {
					t.Fatalf("seed %d: %v was not found for %v", seed, x.child.TS.Remote, asked)
				}
			}
			if x := n.find(asked, func(*installed) bool { return true }); (x != nil) != (len(want) > 0) {
				t.Fatalf("seed %d: one found: %v, want one of %d", seed, x, len(want))
			}
		}
		for _, x := range all {
			n.remove(x)
		}
		if n.table.Size() != 0 {
			t.Fatalf("seed %d: %d prefixes are left", seed, n.table.Size())
		}
	}
}

func v4(n uint32) netip.Addr {
	return netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
}

func overlap(a, b []selector.Selector) bool {
	for _, x := range a {
		for _, y := range b {
			if x.Start.Compare(y.End) <= 0 && y.Start.Compare(x.End) <= 0 {
				return true
			}
		}
	}
	return false
}

// A new peer's networks are compared with those of none of a thousand others that have nothing of them.
func TestNetworksOfOthersCostNothing(t *testing.T) {
	var n networks
	for k := range uint32(1000) {
		n.add(&installed{child: &sa.Child{ID: uint64(k), TS: selector.Pair{Remote: []selector.Selector{selector.FromAddr(v4(0x0a000000 + k))}}}})
	}
	compared := 0
	n.find([]selector.Selector{selector.FromAddr(v4(0x0a010000))}, func(*installed) bool { compared++; return true })
	if compared != 0 {
		t.Errorf("compared with %d", compared)
	}
}
