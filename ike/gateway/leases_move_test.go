package gateway

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// roamer starts a client that goes out from whichever address its host has.
func (w *warriors) roamer(addr, name, gw, extra string) *node {
	return w.f.start(addr, "[connections.gw]\nremote_addrs = \""+addrA+"\"\nremote_ts = \"10.0.0.0/8\"\nvips = \"0.0.0.0\"\n"+extra+
		"\n[connections.gw.local]\nid = \""+name+".clients.example\"\nauth = \"psk\"\n[connections.gw.remote]\nid = \""+gw+"\"\nauth = \"psk\"\n[secrets.ike.all]\nsecret = \""+testKey+"\"\n")
}

// carriedBy are the CHILD SAs that a daemon sends and receives through, the oldest first.
func carriedBy(n *node) (out []uint64) {
	n.plane.mu.Lock()
	defer n.plane.mu.Unlock()
	for id := range n.plane.out {
		if _, ok := n.plane.in[id]; ok {
			out = append(out, id)
		}
	}
	slices.Sort(out)
	return out
}

// A client that has moved is where it is now, not where it got its address: it keeps that when it authenticates again, and again after that.
func TestAddressAfterMoveAndReauthentication(t *testing.T) {
	for _, unique := range []string{"no", "never", "keep", "replace"} {
		t.Run(unique, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				u := "unique = \"" + unique + "\"\n"
				w := newWarriors(t, officePool, u+"rekey_time = \"10m\"\nrand_time = \"0s\"")
				x := w.roamer("192.0.2.11", "x", "gw.example", u+"reauth_time = \"25m\"\nrand_time = \"0s\"")
				settle(11 * time.Minute) // it has been rekeyed
				x.moveTo(netip.MustParseAddr("192.0.2.99"))
				for range 12 {
					settle(5 * time.Minute)
					w.want(w.has(x), "10.30.0.1")
				}
				w.want(w.leases(), "10.30.0.1 x online")
				if n := strings.Count(x.log.String(), "the gateway has assigned"); n < 3 {
					t.Errorf("%d assignments: it has not authenticated again\n%s", n, x.log)
				}
			})
		})
	}
}

// A client that comes back from elsewhere, with a word of that it has nothing else, takes its address with it. The IKE SA that it had goes on until the
// client can have the answer that makes the new one, and goes then; also where the new one is of another connection with the same pool.
func TestDisplacedGoesOnUntilTheAnswerIsThere(t *testing.T) {
	const second = "\n[connections.rw2]\nlocal_addrs = \"" + addrA + "\"\nlocal_ts = [\"0.0.0.0/0\", \"::/0\"]\nunique = \"replace\"\npools = \"office\"\n" +
		"[connections.rw2.local]\nid = \"gw2.example\"\nauth = \"psk\"\n[connections.rw2.remote]\nid = \"*.clients.example\"\nauth = \"psk\"\n"
	for _, gw := range []string{"gw.example", "gw2.example"} {
		t.Run(gw, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWarriors(t, officePool+second, "unique = \"replace\"")
				x := w.roamer("192.0.2.11", "x", "gw.example", "unique = \"never\"")
				settle(time.Second)
				w.want(w.has(x), "10.30.0.1")
				before := carriedBy(w.gw)
				lost := 0
				w.f.setDeliver(func(from, to netip.AddrPort, b []byte) bool {
					answer := from.Addr() == w.gw.addr && to.Addr().String() == "192.0.2.17" && len(b) > 18 && wire.ExchangeType(b[18]) == wire.ExchangeIKEAuth
					if answer {
						lost++
					}
					return !answer
				})
				y := w.roamer("192.0.2.17", "x", gw, "unique = \"never\"") // says no INITIAL_CONTACT
				settle(3 * time.Second)
				w.check()
				if lost == 0 || w.has(y) != "" {
					t.Fatalf("%d answers were lost, the client has %q", lost, w.has(y))
				}
				if now := carriedBy(w.gw); len(before) != 1 || len(now) != 2 || now[0] != before[0] {
					t.Errorf("the gateway carried %v, and while the client waits for the answer %v", before, now)
				}
				w.f.setDeliver(nil)
				x.plane.mute() // it is the same host: it has gone from there
				settle(time.Minute)
				w.want(w.has(y), "10.30.0.1")
				w.want(w.leases(), "10.30.0.1 x online")
				if now := carriedBy(w.gw); len(now) != 1 || now[0] == before[0] {
					t.Errorf("the gateway carries %v in the end, before %v", now, before)
				}
				if n := w.gw.ikeSAs(); n != 1 {
					t.Errorf("%d IKE SAs\n%s", n, w.gw.log)
				}
			})
		})
	}
}

// Nobody is given an address of the gateway, whatever RADIUS says.
func TestAddressOfTheGatewayIsNoUsers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWarriors(t, "[tun]\naddresses = [\"10.31.0.1/24\"]\n"+officePool, "")
		w.client("192.0.2.11", "x", "")
		settle(time.Second)
		for addr, want := range map[string]string{addrA: "", "10.31.0.1": "", "10.31.0.2": "10.31.0.2 ann online"} {
			w.gw.d.turn(func(now time.Time) {
				a := netip.MustParseAddr(addr)
				for _, e := range w.gw.d.table.all() {
					u := &aaa.User{Name: "ann", Server: "radius", Addresses: []netip.Addr{a}}
					w.gw.d.lease(now, e, Errand{}, sa.Lease{Connection: "rw", User: u, Asked: []netip.Addr{netip.IPv4Unspecified()}, Remote: e.m.Path().Remote})
				}
			})
			if got := w.leases(); !strings.Contains(got, "10.30.0.1 x offline") || strings.Contains(got, "ann") != (want != "") || !strings.Contains(got, want) {
				t.Errorf("%s: %q, want %q", addr, got, want)
			}
		}
	})
}
