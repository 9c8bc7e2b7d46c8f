package sa

import (
	"testing"
	"time"

	"esplanade/ike/wire"
)

// An answer without COOKIE2 proves as little as one with another value. https://www.rfc-editor.org/rfc/rfc4555#section-3.7
func TestCookie2LeftOut(t *testing.T) {
	without := func(ps []wire.Payload) (out []wire.Payload) {
		for _, p := range ps {
			if n, ok := p.(*wire.Notify); !ok || n.NotifyType != wire.NotifyCookie2 {
				out = append(out, p)
			}
		}
		return out
	}
	for _, by := range []string{"initiator", "responder"} {
		m := newMobileRig(t, nil)
		m.up()
		from := map[string]*end{"initiator": m.a, "responder": m.b}[by]
		m.edit(from, wire.ExchangeInformational, true, without)
		m.changed(m.a, a2)
		m.run(10 * time.Second)
		if n := len(m.a.live()) + len(m.b.live()); n != 0 {
			t.Errorf("answers of the %s: %d IKE SAs are left", by, n)
		}
	}
}

// When a request has been sent on several paths its answer does not tell which of them the peer gets packets on: the check is made
// again before an address counts as the peer's. https://www.rfc-editor.org/rfc/rfc4555#section-3.7
func TestRouteCheckByTwoPaths(t *testing.T) {
	m := newMobileRig(t, nil)
	_, mb := m.up()
	mb.checkRoute()
	mb.mob.verified = nil
	mb.pump(m.now)
	m.b.drain(mb)
	task, ok := doing[*routeTask](mb)
	if !ok {
		t.Fatal("no check is under way")
	}
	task.elsewhere = true
	m.run(m.delay * 2)
	if mb.isVerified(a1) {
		t.Error("an address is verified by an answer to a request that was sent to several")
	}
	m.run(time.Second)
	if !mb.isVerified(a1) {
		t.Error("the check was not made again")
	}
}

// Whose ESP is followed to where it comes from: that of a peer behind a NAT, by the side that was called, with MOBIKE.
func TestWhoseESPIsFollowed(t *testing.T) {
	for name, c := range map[string]struct {
		mob  mobility
		nat  nat
		want bool
	}{
		"called, the peer behind a NAT":    {mobility{on: true}, nat{supported: true, remote: true}, true},
		"called, both behind one":          {mobility{on: true}, nat{supported: true, local: true, remote: true}, true},
		"called, no NAT":                   {mobility{on: true}, nat{supported: true}, false},
		"initiator, the peer behind a NAT": {mobility{on: true, initiator: true}, nat{supported: true, remote: true}, false},
		"initiator, both behind one":       {mobility{on: true, initiator: true}, nat{supported: true, local: true, remote: true}, false},
		"called, the peer, without MOBIKE": {mobility{}, nat{supported: true, remote: true}, false},
	} {
		m := &Machine{mob: c.mob, nat: c.nat, establishedAt: epoch}
		if got := m.followsESP(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
