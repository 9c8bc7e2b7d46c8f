package sa

import (
	"net/netip"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// dynamic gives both sides a child between the gateways themselves.
func dynamic(a, b *Config) {
	for _, c := range []*Config{a, b} {
		c.Children[0].LocalTS, c.Children[0].RemoteTS = nil, nil
	}
}

// wantSelectors checks what the one child of each side carries, and that both sides agree.
func (m *mobileRig) wantSelectors(ofA string) {
	m.t.Helper()
	m.wantUp(1)
	ca, cb := m.a.liveChildren()[0], m.b.liveChildren()[0]
	if got := ca.TS.String(); got != ofA {
		m.t.Errorf("a's child carries %s, want %s", got, ofA)
	}
	if got, want := cb.TS.Swap().String(), ca.TS.String(); got != want {
		m.t.Errorf("b's child carries %s, a's %s", got, want)
	}
	if len(m.a.failures)+len(m.b.failures) > 0 {
		m.t.Errorf("failures: %v %v", m.a.failures, m.b.failures)
	}
}

// rekeyed has a side rekey its child, and checks that there is another one then.
func (m *mobileRig) rekeyed(e *end) {
	m.t.Helper()
	old := e.liveChildren()[0]
	x := e.machine()
	x.RekeyChild(m.now, old.ID)
	e.drain(x)
	m.run(time.Minute)
	if fresh := e.liveChildren(); len(fresh) != 1 || fresh[0] == old {
		m.t.Errorf("%s: the child was not rekeyed", e.name)
	}
}

// Selectors that stand for the gateways follow them, on both sides, and both can rekey the child before and after that, also on
// an IKE SA that was rekeyed since.
func TestDynamicSelectorsFollowAMove(t *testing.T) {
	for name, check := range map[string]policy.RouteCheck{"checked before": policy.RouteCheckBefore, "checked after": policy.RouteCheckAfter, "not checked": policy.RouteCheckNever} {
		t.Run(name, func(t *testing.T) {
			m := newMobileRig(t, func(a, b *Config) { dynamic(a, b); a.RouteCheck, b.RouteCheck = check, check })
			m.up()
			m.wantSelectors("192.0.2.1/32 === 192.0.2.2/32")
			m.changed(m.a, a2)
			m.run(20 * time.Second)
			m.wantSelectors("203.0.113.1/32 === 192.0.2.2/32")
			if countEvents[UpdateSelectors](m.a) != 1 || countEvents[UpdateSelectors](m.b) != 1 {
				t.Errorf("the data planes were told %d and %d times", countEvents[UpdateSelectors](m.a), countEvents[UpdateSelectors](m.b))
			}
			for _, e := range []*end{m.a, m.b} {
				m.rekeyed(e)
				m.wantSelectors("203.0.113.1/32 === 192.0.2.2/32")
			}
			for _, e := range []*end{m.a, m.b} {
				x := e.machine()
				x.RekeyIKE(m.now)
				e.drain(x)
				m.run(time.Minute)
				m.rekeyed(e)
			}
			// The responder moves, and the initiator back to where it was.
			m.changed(m.b, b2)
			m.run(time.Minute)
			m.wantSelectors("203.0.113.1/32 === 203.0.113.2/32")
			m.changed(m.a, a1)
			m.run(time.Minute)
			m.wantSelectors("192.0.2.1/32 === 203.0.113.2/32")
			for _, e := range []*end{m.a, m.b} {
				m.rekeyed(e)
			}
			m.wantSelectors("192.0.2.1/32 === 203.0.113.2/32")
			m.run(90 * time.Minute) // the rekeyings of their own accord
			m.wantSelectors("192.0.2.1/32 === 203.0.113.2/32")
		})
	}
}

// A move and a rekeying at the same time: the request, or its answer, names the addresses from before the move.
func TestMoveWhileASelectorIsRekeyed(t *testing.T) {
	for _, by := range []string{"a", "b"} {
		for _, wait := range []time.Duration{0, 5 * time.Millisecond, 12 * time.Millisecond, 25 * time.Millisecond, 45 * time.Millisecond} {
			t.Run(by+" "+wait.String(), func(t *testing.T) {
				m := newMobileRig(t, dynamic)
				m.up()
				m.addrs[m.a] = []netip.Addr{a1, a2} // what is on the way still arrives
				e := map[string]*end{"a": m.a, "b": m.b}[by]
				x := e.machine()
				x.RekeyChild(m.now, e.liveChildren()[0].ID)
				e.drain(x)
				m.run(wait)
				m.changed(m.a, a2)
				m.run(3 * time.Minute)
				m.wantSelectors("203.0.113.1/32 === 192.0.2.2/32")
				m.rekeyed(m.a)
				m.rekeyed(m.b)
				m.wantSelectors("203.0.113.1/32 === 192.0.2.2/32")
			})
		}
	}
}

// The answer to a rekeying is late: it was made before the move, and arrives when the peer's move is known.
func TestLateAnswerNamesOldAddresses(t *testing.T) {
	m := newMobileRig(t, dynamic)
	m.up()
	m.addrs[m.a] = []netip.Addr{a1, a2}
	lost := false
	m.drop = func(from *end, d []byte) bool {
		h := headerOf(d)
		drop := from == m.a && h.Exchange == wire.ExchangeCreateChildSA && !lost
		lost = lost || drop
		return drop
	}
	x := m.b.machine()
	x.RekeyChild(m.now, m.b.liveChildren()[0].ID)
	m.b.drain(x)
	m.run(15 * time.Millisecond)
	m.changed(m.a, a2)
	m.run(time.Minute)
	if !lost {
		t.Fatal("no answer was lost")
	}
	m.wantSelectors("203.0.113.1/32 === 192.0.2.2/32")
}

// A network that is configured stays what it is, and a host that is configured as such too: the peer's new address is not in it.
func TestConfiguredSelectorsStay(t *testing.T) {
	m := newMobileRig(t, func(a, b *Config) {
		dynamic(a, b)
		a.Children[0].LocalTS, b.Children[0].RemoteTS = mustTS(t, "192.0.2.1/32"), mustTS(t, "192.0.2.1/32")
	})
	m.up()
	m.changed(m.a, a2)
	m.run(20 * time.Second)
	m.wantSelectors("192.0.2.1/32 === 192.0.2.2/32")
	m.rekeyed(m.a)
	m.rekeyed(m.b)
	m.wantSelectors("192.0.2.1/32 === 192.0.2.2/32")
}

// The side that is called has a network for its peer's selector, and the peer its own address: that one follows within the network.
func TestDynamicSelectorWithinANetwork(t *testing.T) {
	m := newMobileRig(t, func(a, b *Config) {
		dynamic(a, b)
		b.Children[0].RemoteTS = mustTS(t, "192.0.2.0/24", "203.0.113.0/24")
	})
	m.up()
	m.changed(m.a, a2)
	m.run(20 * time.Second)
	m.wantSelectors("203.0.113.1/32 === 192.0.2.2/32")
	m.rekeyed(m.b)
	m.rekeyed(m.a)
	m.wantSelectors("203.0.113.1/32 === 192.0.2.2/32")
}

// No selector goes to an address that somebody else has, nor to one at which the peer has not answered.
func TestSelectorsOfAnotherPeer(t *testing.T) {
	t.Run("known to be another's", func(t *testing.T) {
		m := newMobileRig(t, func(a, b *Config) { dynamic(a, b) })
		asked := 0
		m.b.env.Foreign = func(_ *Machine, x netip.Addr) bool { asked++; return x == a2 }
		_, mb := m.up()
		one := m.b.liveChildren()[0]
		for range 9 { // a search among all IKE SAs for each of a peer's children would be too much
			same := *one
			mb.children = append(mb.children, &same)
		}
		m.changed(m.a, a2)
		m.run(20 * time.Second)
		if mb.children = mb.children[:1]; asked > 3 {
			t.Errorf("asked %d times whose the address is", asked)
		}
		if got := m.b.liveChildren()[0].TS.String(); mb.Path().Remote.Addr() != a2 || got != "192.0.2.2/32 === 192.0.2.1/32" {
			t.Errorf("at %s, b's child carries %s", mb.Path(), got)
		}
		m.rekeyed(m.b) // the child can be rekeyed all the same
	})
	t.Run("not reached yet", func(t *testing.T) {
		m := newMobileRig(t, func(a, b *Config) { dynamic(a, b); b.RouteCheck = policy.RouteCheckAfter })
		_, mb := m.up()
		m.addrs[m.a] = []netip.Addr{a2}
		m.reach = func(from *end, p Path) bool { return from == m.a } // b's messages do not arrive there
		m.tell(m.a)
		m.run(20 * time.Second)
		c := m.b.liveChildren()[0]
		if got := c.TS.String(); mb.Path().Remote.Addr() != a2 || c.Path.Remote.Addr() != a2 || got != "192.0.2.2/32 === 192.0.2.1/32" {
			t.Errorf("at %s, b's child carries %s to %s", mb.Path(), got, c.Path.Remote)
		}
	})
}

// Without MOBIKE a NAT that changes its mapping moves nothing inside of the tunnel, and the child can be rekeyed by both sides.
func TestRekeyingAfterANATHasRebound(t *testing.T) {
	r := newRig(t, 9, func(a, b *Config) {
		a.ForceEncap, b.ForceEncap = false, false
		a.Children[0].LocalTS, b.Children[0].LocalTS = nil, nil
		b.Children[0].RemoteTS, a.Children[0].RemoteTS = mustTS(t, "192.0.2.1/32"), nil
	})
	outside := netip.MustParseAddr("198.51.100.7")
	r.translate = func(f *flight) {
		if f.to == r.b {
			f.path.Remote = netip.AddrPortFrom(outside, f.path.Remote.Port())
		} else {
			f.path.Local = netip.AddrPortFrom(r.a.addr, f.path.Local.Port())
		}
	}
	r.a.connect()
	r.run(time.Second)
	r.wantUp(1)
	outside = netip.MustParseAddr("198.51.100.8")
	r.run(90 * time.Minute)
	r.wantUp(1)
	for _, e := range []*end{r.a, r.b} {
		for _, f := range e.failures {
			if f.Code == diag.CodeTS || f.Code == diag.CodeNarrowed {
				t.Errorf("%s: %v", e.name, f)
			}
		}
		if n := countEvents[ChildReplaced](e); n == 0 {
			t.Errorf("%s has seen no rekeying", e.name)
		}
	}
}
