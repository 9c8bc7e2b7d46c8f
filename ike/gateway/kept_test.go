package gateway

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// unique = "keep" refuses whoever comes from another place with the identity of a peer that is there, until that peer is known to be
// dead.
func TestKeepRefusesFromElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		r := right("none")
		r.remote, r.extra = addrA+" "+addrC, `unique = "keep"`
		b := f.start(addrB, toml("", r))
		l := left("start")
		l.extra = `unique = "never"` // claims no INITIAL_CONTACT
		a := f.start(addrA, toml("", l))
		settle(time.Minute)
		a.crash()
		l.local = addrC
		c := f.start(addrC, toml("", l))
		settle(15 * time.Second)
		if log := b.log.String(); !strings.Contains(log, "allow one IKE SA for each peer") || !strings.Contains(log, "otherwise terminate it here") {
			t.Errorf("the newcomer was let in, or nobody was told:\n%s", log)
		}
		if h := c.child("b/net"); h.Up() {
			t.Error("the newcomer's child is up")
		}
		if n := strings.Count(b.log.String(), "IKE SA established"); n != 1 {
			t.Errorf("%d IKE SAs", n)
		}
		settle(10 * time.Minute)
		wantUp(t, c, b)
		c.stop()
		b.stop()
	})
}

// With unique = "keep" a peer authenticates again without a gap: the new IKE SA comes from where the old one is.
func TestKeepLetsAPeerReauthenticate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := `unique = "keep"`
		p := startReauth(t, "", u, u)
		settle(2 * crossingTime)
		for range 3 {
			before := p.ids()
			if n, err := p.a.d.Reauthenticate(t.Context(), Target{Connection: "b"}); n != 1 || err != nil {
				t.Errorf("%d SAs, %v", n, err)
			}
			p.unbroken(2 * lateTime)
			p.wantUp()
			p.wantNew(before)
		}
		p.stop()
	})
}
