package gateway

import (
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// Both sides are to call. One calls and its requests are lost; the other comes through. An answer to the first call minutes later must not
// make a second IKE SA.
func TestAttemptIsDroppedWhenThePeerHasCalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFabric(t)
		var late []func()
		f.setDeliver(func(from, to netip.AddrPort, d []byte) bool {
			if from.Addr() == netip.MustParseAddr(addrA) && d[18] == 34 && d[19]&0x20 == 0 {
				d = slices.Clone(d)
				late = append(late, func() { f.send(from, to, d) })
				return false
			}
			return true
		})
		a := f.start(addrA, toml("", left("start")))
		settle(3 * time.Second)
		b := f.start(addrB, toml("", right("start")))
		settle(3 * time.Second)
		wantUp(t, a, b)
		settle(crossingTime + 10*time.Second) // the attempt would go on for 83 seconds
		f.setDeliver(nil)
		for _, deliver := range late {
			deliver()
		}
		settle(2 * longReviewTime)
		if n, m := a.ikeSAs(), b.ikeSAs(); n != 1 || m != 1 {
			t.Errorf("%d and %d IKE SAs, want one", n, m)
		}
		if n := a.established(); n != 1 {
			t.Errorf("%d IKE SAs were established", n)
		}
		wantUp(t, a, b)
		a.stop()
		b.stop()
	})
}

// An attempt to authenticate again whose IKE_AUTH gets lost until the peer has given it up is begun again, and the tunnel stays.
func TestReauthenticationBeginsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := startReauth(t, "[ike]\nretransmit_tries = 12\nretransmit_base = 1.2\n", `reauth_time = "10m"`, "")
		before := p.ids()
		lost, end := false, p.due().Add(40*time.Second)
		settle(time.Until(p.due()))
		p.f.setDeliver(func(_, _ netip.AddrPort, d []byte) bool {
			drop := (d[18] == 35 || d[22] == 35) && time.Now().Before(end) // IKE_AUTH, with or without the marker
			lost = lost || drop
			return !drop
		})
		p.unbroken(80 * time.Second)
		if !lost {
			t.Error("no IKE_AUTH was lost")
		}
		p.wantUp()
		p.wantNew(before)
		p.stop()
	})
}
