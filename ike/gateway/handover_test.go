package gateway

import (
	"context"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// An IKE SA that is rekeyed while the name of its peer is looked up is authenticated again all the same.
func TestReauthenticationAfterALookUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		slow := false
		c := left("start")
		c.remote = "gw.example"
		b := f.start(addrB, toml("", right("none")))
		a := f.start(addrA, toml("", c), func(o *rigOptions) {
			o.Resolve = func(context.Context, string) ([]netip.Addr, error) {
				if slow {
					time.Sleep(2 * time.Second)
				}
				return []netip.Addr{netip.MustParseAddr(addrB)}, nil
			}
		})
		settle(time.Second)
		wantUp(t, a, b)
		slow = true
		if _, err := a.d.Reauthenticate(t.Context(), Target{Connection: "b"}); err != nil {
			t.Fatal(err)
		}
		if _, err := a.d.Rekey(t.Context(), Target{Connection: "b"}); err != nil {
			t.Fatal(err)
		}
		settle(time.Minute)
		wantUp(t, a, b)
		if n := a.established(); n != 2 || a.ikeSAs() != 1 {
			t.Errorf("%d IKE SAs were authenticated, %d are left", n, a.ikeSAs())
		}
		a.stop()
		b.stop()
	})
}

// An attempt to authenticate again that goes to where the peer was is given up when the peer has moved, and the next one goes to where
// it is.
func TestReauthenticationOfAPeerThatMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		r := right("none")
		r.local = "%any"
		b := f.start(addrB, toml("", r))
		c := left("start")
		c.remote = addrB + " 192.0.2.33"
		a := f.start(addrA, toml("", c))
		settle(time.Second)
		wantUp(t, a, b)
		f.setDeliver(func(_, _ netip.AddrPort, d []byte) bool { return d[18] != 34 }) // IKE_SA_INIT is lost
		if _, err := a.d.Reauthenticate(t.Context(), Target{Connection: "b"}); err != nil {
			t.Fatal(err)
		}
		settle(time.Second)
		b.moveTo(netip.MustParseAddr("192.0.2.33"))
		settle(time.Second)
		f.setDeliver(nil)
		settle(30 * time.Second)
		if n := strings.Count(a.log.String(), "reauthenticating"); n < 2 || a.established() != 2 || a.ikeSAs() != 1 {
			t.Errorf("%d attempts, %d IKE SAs were authenticated, %d are left\n%s", n, a.established(), a.ikeSAs(), a.log)
		}
		a.stop()
		b.stop()
	})
}
