package gateway

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"esplanade/ike/diag"
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
		a.net.empty(t)
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
