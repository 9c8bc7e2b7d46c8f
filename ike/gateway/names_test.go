package gateway

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// resolver answers DNS look-ups.
type resolver struct {
	mu    sync.Mutex
	addrs map[string][]netip.Addr
	asked int
}

func (r *resolver) set(name string, addrs ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.addrs == nil {
		r.addrs = map[string][]netip.Addr{}
	}
	r.addrs[name] = nil
	for _, a := range addrs {
		r.addrs[name] = append(r.addrs[name], netip.MustParseAddr(a))
	}
}

func (r *resolver) resolve(ctx context.Context, name string) ([]netip.Addr, error) {
	select {
	case <-time.After(50 * time.Millisecond):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked++
	if len(r.addrs[name]) == 0 {
		return nil, errors.New("no such host")
	}
	return slices.Clone(r.addrs[name]), nil
}

func (r *resolver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// A peer with a name: no answer is a failure of its own; the tunnel comes up when there is one, and follows the name to
// another address.
func TestPeerName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		var dns resolver
		c := left("start")
		c.remote = "gw.example"
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", c), func(o *rigOptions) { o.Resolve = dns.resolve })
		settle(time.Minute)
		if l := a.last("b"); l == nil || l.Failure.Code != diag.CodeDNS {
			t.Errorf("without an answer: %v", l)
		}
		dns.set("gw.example", addrB)
		settle(2 * time.Minute)
		wantUp(t, a, b)

		b.crash()
		moved := right("none")
		moved.local = "192.0.2.33"
		b = f.start("192.0.2.33", toml("", moved))
		dns.set("gw.example", "192.0.2.33")
		settle(5 * time.Minute)
		wantUp(t, a, b)
		a.stop()
		b.stop()
		a.plane.empty(t)
		a.net.Empty(t)
	})
}

// A responder knows a peer by the address of its name, also after that has changed.
func TestPeerNameResponder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		var dns resolver
		dns.set("road.example", "192.0.2.50")
		c := right("none")
		c.remote = "road.example"
		b := f.start(addrB, toml("", c), func(o *rigOptions) { o.Resolve = dns.resolve })
		settle(time.Minute)
		dns.set("road.example", addrA)
		a := f.start(addrA, toml("", left("start")))
		settle(2 * time.Minute)
		wantUp(t, a, b)
		a.stop()
		b.stop()
	})
}

// A peer whose name has another address has moved there. Its name is looked up again then, so that it is not refused if it begins again
// from there; also if it was looked up a moment ago, and never more often than once in moveRefresh.
func TestPeerThatHasMovedIsLookedUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		var dns resolver
		dns.set("road.example", addrA)
		c := right("none")
		c.remote = "road.example"
		b := f.start(addrB, toml("", c), func(o *rigOptions) { o.Resolve = dns.resolve })
		a := f.start(addrA, toml("", roaming("")))
		settle(time.Minute)
		wantUp(t, a, b)
		knows := func(addr string) (ok bool) {
			_ = b.d.call(t.Context(), func(time.Time) {
				ok = slices.Equal(b.d.names.known["road.example"].addrs, []netip.Addr{netip.MustParseAddr(addr)})
			})
			return ok
		}
		for i, to := range []string{"198.51.100.7", "198.51.100.8"} {
			before := dns.count()
			dns.set("road.example", to)
			a.moveTo(netip.MustParseAddr(to))
			settle(time.Second)
			if i > 0 { // it was looked up a second ago
				if dns.count() != before {
					t.Error("looked up at once")
				}
				settle(moveRefresh)
			}
			if n := dns.count() - before; n != 1 || !knows(to) {
				t.Errorf("move %d: %d look-ups, the new address is known: %v", i, n, knows(to))
			}
		}
		before := dns.count()
		settle(time.Minute)
		if n := dns.count() - before; n != 0 {
			t.Errorf("%d look-ups later", n)
		}
		a.stop()
		b.stop()
	})
}

// A peer that has a new address is taken for one of a connection for any address and refused. Its name is looked up again at once,
// whatever the refusal is for. Any number of strangers that are refused cause one look-up in strangerRefresh.
func TestPeerNameBehindAny(t *testing.T) {
	const other = "proposals = [\"aes256gcm16-prfsha384-ecp384\"]\n"
	for _, c := range []struct {
		name, id, extra string
		code            diag.Code
	}{
		{"identity", "c.example", "", diag.CodeAuthID},
		{"proposals", "c.example", other, diag.CodeProposalIKE},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFabric(t)
				var dns resolver
				dns.set("road.example", "192.0.2.50")
				named, open := right("none"), right("none")
				named.remote, named.extra = "road.example", "proposals = [\""+crowdIKE+"\"]\n"
				open.name, open.remote, open.remoteID, open.extra = "open", "%any", c.id, c.extra
				open.children = []kid{{"net", "10.2.0.0/16", "10.3.0.0/16", "none", ""}}
				b := f.start(addrB, toml("", open, named), func(o *rigOptions) { o.Resolve = dns.resolve })
				settle(2 * strangerRefresh)
				before := dns.count()
				dns.set("road.example", addrA)
				caller := left("start")
				caller.extra = named.extra
				a := f.start(addrA, toml("", caller))
				settle(strangerRefresh)
				wantUp(t, a, b)
				if !strings.Contains(b.log.String(), string(c.code)) {
					t.Errorf("the first attempt was not refused with %s:\n%s", c.code, b.log.String())
				}
				if n := dns.count() - before; n != 1 {
					t.Errorf("%d look-ups", n)
				}
				a.stop()
				b.stop()
			})
		})
	}
}

// Strangers that an open connection refuses in IKE_AUTH, one after the other.
func TestRefusedStrangersCauseFewLookUps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		crowd := newCrowd(f)
		var dns resolver
		dns.set("road.example", "192.0.2.50")
		named := right("none")
		named.name, named.remote, named.remoteID = "named", "road.example", "road.example"
		named.children[0].remote = "10.3.0.0/16"
		b := f.start(addrB, toml("", openGateway(""), named), func(o *rigOptions) { o.Resolve = dns.resolve })
		settle(2 * strangerRefresh)
		began, before := time.Now(), dns.count()
		refused := 0
		for i := 0; time.Since(began) < 2*strangerRefresh; i++ {
			x := crowd.caller(t, netip.AddrPortFrom(crowdAddr(i), 1000), b.addr, crowdIKE)
			for _, x := range beginAll([]*caller{x}) {
				x.send(x.seal(wire.ExchangeIKEAuth, 1, x.auth("z.example", testKey)...))
				settle(3 * latency)
				refused += len(x.notifies())
			}
			settle(time.Second)
		}
		if refused < 10 {
			t.Fatalf("%d strangers were refused", refused)
		}
		if n := dns.count() - before; n < 2 || n > 3 {
			t.Errorf("%d strangers caused %d look-ups in %s", refused, n, time.Since(began))
		}
		b.stop()
	})
}

// Of several addresses each attempt takes the next.
func TestPeerAddresses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		var dns resolver
		dns.set("gw.example", "192.0.2.66", addrB)
		c := left("start")
		c.remote = "192.0.2.65 gw.example"
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", c), func(o *rigOptions) { o.Resolve = dns.resolve })
		settle(15 * time.Minute)
		wantUp(t, a, b)
		a.stop()
		b.stop()
	})
}

// A look-up that hangs does not keep the daemon from ending.
func TestResolverHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		c := left("start")
		c.remote = "gw.example"
		a := f.start(addrA, toml("", c), func(o *rigOptions) {
			o.Resolve = func(ctx context.Context, _ string) ([]netip.Addr, error) { <-ctx.Done(); return nil, ctx.Err() }
		})
		settle(time.Second)
		if h := a.child("b/net"); h.Phase != "connecting" || h.WaitsFor != "the peer's address from DNS" {
			t.Errorf("%s, waits for %s", h.Phase, h.WaitsFor)
		}
		a.stop()
	})
}
