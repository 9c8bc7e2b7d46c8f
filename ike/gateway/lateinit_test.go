package gateway

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// A late copy of the IKE_SA_INIT request of an established IKE SA makes no half-open one and no failure (pitfall M2).
func TestLateInit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		var from, to netip.AddrPort
		var first []byte
		f.setDeliver(func(x, y netip.AddrPort, b []byte) bool {
			if first == nil {
				from, to, first = x, y, slices.Clone(b)
			}
			return true
		})
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", left("start")))
		settle(time.Second)
		wantUp(t, a, b)
		b.d.HandleIKE(to, from, first)
		settle(time.Second)
		if n := b.info().HalfOpen; n != 0 {
			t.Errorf("%d half-open IKE SAs", n)
		}
		settle(time.Minute)
		if l := b.last("a"); l != nil {
			t.Errorf("reported: %v", l)
		}
		wantUp(t, a, b)
		a.stop()
		settle(time.Second)
		// The SA is gone, and so is what was kept of its request.
		settle(time.Minute)
		b.d.HandleIKE(to, from, first)
		settle(time.Second)
		if n := b.info().HalfOpen; n != 1 {
			t.Errorf("%d half-open IKE SAs of a request that is new again, want 1", n)
		}
		b.stop()
	})
}
