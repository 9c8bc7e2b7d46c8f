package gateway

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
)

// moveTo gives a daemon's host another address in place of the one it had; an invalid one leaves it without.
func (n *node) moveTo(a netip.Addr) {
	n.f.mu.Lock()
	delete(n.f.nodes, n.net.Addr())
	if a.IsValid() {
		n.f.nodes[a] = n
	}
	n.f.mu.Unlock()
	n.net.SetAddr(a)
	n.d.AddressesChanged()
}

// onlyFromOwn drops what a host sends from an address that it has not.
func (f *fabric) onlyFromOwn() {
	f.setDeliver(func(from, to netip.AddrPort, b []byte) bool { return f.nodes[from.Addr()] != nil })
}

// spis are the SPIs of a daemon's inbound SAs.
func (n *node) spis() (out []uint32) {
	n.plane.mu.Lock()
	defer n.plane.mu.Unlock()
	for _, i := range n.plane.in {
		out = append(out, i.SPI)
	}
	slices.Sort(out)
	return out
}

// wantESP checks that all SAs of a daemon send between two addresses.
func (n *node) wantESP(local, remote netip.Addr) {
	n.f.t.Helper()
	n.plane.mu.Lock()
	defer n.plane.mu.Unlock()
	for id := range n.plane.out {
		if p := n.plane.paths[id]; p.Local.Addr() != local || p.Remote.Addr() != remote {
			n.f.t.Errorf("%s: ESP goes %s -> %s", n.addr, p.Local, p.Remote)
		}
	}
}

// roaming is left with whatever address its host has.
func roaming(extra string) conn {
	c := left("start")
	c.local, c.extra = "%any", extra
	return c
}

// hostless is right for a peer at any address.
func hostless(extra string) conn {
	c := right("none")
	c.local, c.remote, c.extra = "%any", "%any", extra
	return c
}

var (
	ipA = netip.MustParseAddr(addrA)
	ipB = netip.MustParseAddr(addrB)
	ipC = netip.MustParseAddr("198.51.100.3")
)

// The host's address changes: the tunnel moves along, IKE and ESP together, with the keys that it has.
func TestAddressChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		f.onlyFromOwn()
		b := f.start(addrB, toml("", hostless("")))
		a := f.start(addrA, toml("", roaming("")))
		settle(time.Second)
		if n := paired(t, a, b); n != 1 {
			t.Fatalf("%d children", n)
		}
		before := slices.Concat(a.spis(), b.spis())
		a.moveTo(ipC)
		settle(time.Second)
		paired(t, a, b)
		if after := slices.Concat(a.spis(), b.spis()); !slices.Equal(before, after) {
			t.Errorf("the SAs are others: %x, %x", before, after)
		}
		a.wantESP(ipC, ipB)
		b.wantESP(ipB, ipC)
		// And the responder's.
		b.moveTo(netip.MustParseAddr("198.51.100.4"))
		settle(time.Second)
		a.wantESP(ipC, netip.MustParseAddr("198.51.100.4"))
		b.wantESP(netip.MustParseAddr("198.51.100.4"), ipC)
		if after := slices.Concat(a.spis(), b.spis()); !slices.Equal(before, after) {
			t.Errorf("the SAs are others: %x, %x", before, after)
		}
		for _, n := range []*node{a, b} {
			if n.ikeSAs() != 1 || n.d.Stats().Moves == 0 || !strings.Contains(n.log.String(), "msg=moved") {
				t.Errorf("%s: %d IKE SAs, %d moves", n.addr, n.ikeSAs(), n.d.Stats().Moves)
			}
		}
		s := a.info().Conns[0].SAs[0]
		if !s.MOBIKE || s.Path.Local.Addr() != ipC {
			t.Errorf("status: %+v", s)
		}
		a.stop()
		settle(time.Second)
		a.net.Empty(t)
		b.stop()
		b.net.Empty(t)
	})
}

// A single local_addrs says where an IKE SA begins, and keeps it from moving only where mobike_addrs says so.
func TestMoveFromTheOnlyLocalAddress(t *testing.T) {
	for _, side := range []string{"initiator", "responder"} {
		for _, keys := range []string{"", `mobike_addrs = "any"`, `mobike_addrs = "local_addrs"`} {
			t.Run(side+"/"+keys, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newFabric(t)
					f.onlyFromOwn()
					l, r := left("start"), hostless("")
					if l.extra = keys; side == "responder" {
						l, r = roaming(""), right("none")
						r.remote, r.extra = "%any", keys
					}
					b := f.start(addrB, toml("", r))
					a := f.start(addrA, toml("", l))
					settle(time.Second)
					before := slices.Concat(a.spis(), b.spis())
					if len(before) != 2 {
						t.Fatal("not up")
					}
					mover, from, other := a, ipA, b
					if side == "responder" {
						mover, from, other = b, ipB, a
					}
					mover.moveTo(ipC)
					settle(5 * time.Second)
					moved := from != other.info().Conns[0].SAs[0].Path.Remote.Addr()
					if want := !strings.Contains(keys, `"local_addrs"`); moved != want {
						t.Errorf("moved: %v\n%s", moved, mover.log)
					} else if after := slices.Concat(a.spis(), b.spis()); want && !slices.Equal(before, after) {
						t.Errorf("the SAs are others: %x, %x", before, after)
					}
					if moved {
						settle(3 * time.Hour) // rekeyings, liveness checks
						if paired(t, a, b) != 1 || mover.info().Conns[0].SAs[0].Path.Local.Addr() != ipC {
							t.Error("it does not stay there")
						}
					}
					a.stop()
					b.stop()
				})
			})
		}
	}
}

// An interface goes away for a while and comes back, with another address. Nothing is given up that is not answered for so long.
func TestInterfaceGoesAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		f.onlyFromOwn()
		b := f.start(addrB, toml("", hostless("")))
		a := f.start(addrA, toml("", roaming("")))
		settle(time.Second)
		before := a.spis()
		a.moveTo(netip.Addr{})
		settle(40 * time.Second)
		a.moveTo(ipC)
		settle(3 * time.Second)
		paired(t, a, b)
		a.wantESP(ipC, ipB)
		b.wantESP(ipB, ipC)
		if !slices.Equal(before, a.spis()) {
			t.Error("the SAs are others")
		}
	})
}

// Without MOBIKE the IKE SA is made again from the new address, at once and with a line that says why.
func TestAddressChangesWithoutMOBIKE(t *testing.T) {
	for _, side := range []string{"neither", "initiator only", "responder only"} {
		t.Run(side, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				off := func(on bool) string {
					if on {
						return ""
					}
					return "mobike = false"
				}
				f := newFabric(t)
				f.onlyFromOwn()
				b := f.start(addrB, toml("", hostless(off(side == "responder only"))))
				a := f.start(addrA, toml("", roaming(off(side == "initiator only"))))
				settle(time.Minute)
				before := a.spis()
				a.moveTo(ipC)
				settle(time.Second)
				if slices.Equal(before, a.spis()) {
					t.Error("the SAs are the same")
				}
				settle(10 * time.Second) // the old inbound SAs go
				if n := paired(t, a, b); n != 1 || a.ikeSAs() != 1 || b.ikeSAs() != 1 {
					t.Errorf("%d children, %d and %d IKE SAs", n, a.ikeSAs(), b.ikeSAs())
				}
				a.wantESP(ipC, ipB)
				b.wantESP(ipB, ipC)
				if l := a.log.String(); !strings.Contains(l, string(diag.CodeAddress)) || !strings.Contains(l, "the local address 192.0.2.1 is gone") {
					t.Error("no line says why")
				}
			})
		})
	}
}

// A daemon that has nothing to call from tries again as soon as there is something.
func TestAddressAppears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		b := f.start(addrB, toml("", hostless("")))
		a := f.start(addrA, toml("", roaming("")), func(o *rigOptions) { o.Network.(*fakeNetwork).SetAddr(netip.Addr{}) })
		settle(10 * time.Minute)
		if a.child("b/net").Up() {
			t.Fatal("up without an address")
		}
		a.moveTo(ipA)
		settle(500 * time.Millisecond)
		if !a.child("b/net").Up() || paired(t, a, b) != 1 {
			t.Error("not up half a second after there is an address")
		}
	})
}

// What a connection may use: no address that its local_addrs exclude, and none of the networks behind the gateway.
func TestWhatIsAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		c := left("start")
		c.local = "192.0.2.0/24"
		c.extra = `mobike_addrs = "local_addrs"`
		b := f.start(addrB, toml("", hostless("")))
		a := f.start(addrA, toml("", c), func(o *rigOptions) {
			o.Network = &manyAddresses{o.Network.(*fakeNetwork), []string{addrA, "192.0.2.77", "198.51.100.3", "10.1.0.1", "127.0.0.1", "2001:db8::1"}}
		})
		settle(time.Second)
		if got := b.info().Conns[0].SAs[0].PeerAddrs; !slices.Equal(got, []netip.Addr{netip.MustParseAddr("192.0.2.77")}) {
			t.Errorf("the peer knows %v", got)
		}
		if got := a.info().Conns[0].SAs[0].LocalAddrs; len(got) != 1 {
			t.Errorf("%v", got)
		}
	})
}

type manyAddresses struct {
	*fakeNetwork
	list []string
}

func (m *manyAddresses) Addresses() (out []netip.Addr, err error) {
	for _, s := range m.list {
		out = append(out, netip.MustParseAddr(s))
	}
	return out, nil
}

// What is not known to have gone is taken for present: an address may be there by a route alone.
func TestKnownAddresses(t *testing.T) {
	var a addrs
	if !a.has(ipA) || !a.update([]netip.Addr{ipA, ipB}) || a.update([]netip.Addr{ipB, ipA, ipA}) {
		t.Error("the first list")
	}
	if !a.update([]netip.Addr{ipB}) || a.has(ipA) || !a.has(ipB) || !a.has(ipC) {
		t.Error("the second list")
	}
	x := netip.MustParseAddr("2001:db8::")
	for range 3 * maxSeen {
		x = x.Next()
		a.update([]netip.Addr{x})
	}
	if len(a.seen) > maxSeen+1 {
		t.Errorf("%d addresses are remembered", len(a.seen))
	}
}
