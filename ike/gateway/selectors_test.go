package gateway

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/selector"
)

func (p *fakePlane) UpdateSelectors(child uint64, ts selector.Pair) {
	p.mu.Lock()
	p.ts[child], p.pairs[child] = ts.String(), ts
	p.mu.Unlock()
}

// selectorsOut are what a daemon's outbound SAs select, as the data plane was told.
func (n *node) selectorsOut() (out []string) {
	n.plane.mu.Lock()
	defer n.plane.mu.Unlock()
	for id := range n.plane.out {
		out = append(out, n.plane.ts[id])
	}
	slices.Sort(out)
	return out
}

// A tunnel between the gateways themselves moves along: data plane, routes and trap have the new address on both sides, and the
// child can be rekeyed by both.
func TestSelectorsMoveAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		f.onlyFromOwn()
		host := func(c conn) conn { c.children[0].local, c.children[0].remote = "dynamic", "dynamic"; return c }
		b := f.start(addrB, toml("", host(hostless(""))))
		a := f.start(addrA, toml("", host(roaming(""))))
		settle(time.Second)
		if got := a.selectorsOut(); !slices.Equal(got, []string{addrA + "/32 === " + addrB + "/32"}) {
			t.Fatalf("a: %s", got)
		}
		a.moveTo(ipC)
		settle(time.Second)
		want := []string{ipC.String() + "/32 === " + addrB + "/32"}
		check := func(when string) {
			t.Helper()
			if got := a.selectorsOut(); !slices.Equal(got, want) {
				t.Errorf("%s, a: %s, want %s", when, got, want)
			}
			if got := b.selectorsOut(); len(got) != 1 || got[0] != addrB+"/32 === "+ipC.String()+"/32" {
				t.Errorf("%s, b: %s", when, got)
			}
			for _, n := range []*node{a, b} {
				for r := range n.net.Routes() {
					if strings.Contains(r, addrA+"/32") {
						t.Errorf("%s, %s has a route for %s", when, n.addr, r)
					}
				}
			}
		}
		check("after the move")
		settle(3 * time.Hour)
		if n := paired(t, a, b); n != 1 {
			t.Errorf("%d children", n)
		}
		check("after rekeyings")
		for name, n := range map[string]*node{"b": a, "a": b} {
			if s := n.d.Stats(); s.ChildRekeys == 0 {
				t.Errorf("%s has seen no rekeying", n.addr)
			}
			if r := n.last(name); r != nil {
				t.Errorf("%s: %v", n.addr, r.Failure)
			}
		}
	})
}

// An address is somebody else's when another peer is there, or has it behind a tunnel.
func TestForeign(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", hostless("")))
		f.start(addrA, toml("", roaming("")))
		settle(time.Second)
		var got []bool
		if err := b.d.call(t.Context(), func(now time.Time) {
			e := b.d.table.all()[0]
			for _, x := range []string{addrA, "10.1.0.9", "10.9.0.9"} {
				got = append(got, b.d.foreign(e.m, netip.MustParseAddr(x)))
			}
			e.peer.remote = "somebody-else.example"
			for _, x := range []string{addrA, "10.1.0.9", "10.9.0.9"} {
				got = append(got, b.d.foreign(e.m, netip.MustParseAddr(x)))
			}
			e.peer = keyOf(e.m)
		}); err != nil {
			t.Fatal(err)
		}
		if want := []bool{false, false, false, true, true, false}; !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}
