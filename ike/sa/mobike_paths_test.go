package sa

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/wire"
)

// check has an end ask its peer whether it is there.
func (e *end) check() {
	m := e.live()[0]
	m.alive.checkAt = e.r.now
	m.Advance(e.r.now)
	e.drain(m)
}

// A responder that gets no answer sends its request to no other address than where the peer's packets come from: what the
// initiator has announced may be anybody's. "If the source address that the responder is currently using becomes unavailable"
// it may use them. https://www.rfc-editor.org/rfc/rfc4555#section-3.5
func TestResponderProbesOnlyWhenItHasMoved(t *testing.T) {
	for _, moved := range []bool{false, true} {
		m := newMobileRig(t, nil)
		m.addrs[m.a] = []netip.Addr{a1, a2}
		m.addrs[m.b] = []netip.Addr{b1}
		_, mb := m.up()
		if got := mb.Snapshot().PeerAddrs; !slices.Equal(got, []netip.Addr{a2}) {
			t.Fatalf("b knows %v", got)
		}
		to := map[netip.Addr]int{}
		m.reach = func(from *end, p Path) bool {
			if from == m.b {
				to[p.Remote.Addr()]++
			}
			return false
		}
		if moved {
			m.changed(m.b, b2)
		} else {
			m.b.check()
		}
		m.run(2 * time.Minute)
		if to[a1] == 0 || (to[a2] > 0) != moved || len(to) > 2 {
			t.Errorf("moved %v: b has sent to %v", moved, to)
		}
	}
	// When the peer has answered, it is found, and its other addresses are left alone again.
	m := newMobileRig(t, nil)
	m.addrs[m.a] = []netip.Addr{a1, a2}
	m.up()
	m.changed(m.b, b2)
	m.run(5 * time.Second)
	strangers := 0
	m.reach = func(from *end, p Path) bool {
		if from == m.b && p.Remote.Addr() == a2 {
			strangers++
		}
		return false
	}
	m.b.check()
	m.run(2 * time.Minute)
	if strangers > 0 {
		t.Errorf("%d datagrams to an address that the peer is not at", strangers)
	}
}

// "If the same INFORMATIONAL request has been sent to several different addresses …, receiving the INFORMATIONAL response does not
// tell which address is the working one. In this case, a new INFORMATIONAL request needs to be sent to check return
// routability." That holds for an update as well. https://www.rfc-editor.org/rfc/rfc4555#section-3.7
func TestUpdateSentEverywhereProvesNothing(t *testing.T) {
	for _, everywhere := range []bool{false, true} {
		m := newMobileRig(t, nil)
		m.addrs[m.b] = []netip.Addr{b1, b2}
		ma, _ := m.up()
		to := map[netip.Addr]bool{}
		reach := m.reach
		m.reach = func(from *end, p Path) bool {
			if from == m.a {
				to[p.Remote.Addr()] = true
				// Nothing arrives until it was repeated elsewhere, and then only where it is to go.
				return (!everywhere || len(to) > 1) && p.Remote.Addr() == b2
			}
			return reach(from, p)
		}
		m.a.events = nil
		ma.move(m.now, ma.pathTo(a1, b2), "a test")
		ma.pump(m.now)
		m.a.drain(ma)
		if got := ma.Children()[0].Path.Remote.Addr(); got != b1 {
			t.Fatalf("ESP went to %s before the peer has answered", got)
		}
		for range 800 {
			if ma.Children()[0].Path.Remote.Addr() == b2 {
				break
			}
			m.run(50 * time.Millisecond)
		}
		checked := slices.Contains(m.a.made(), "N(COOKIE2)")
		if ma.Children()[0].Path.Remote.Addr() != b2 || !ma.isVerified(b2) {
			t.Fatal("ESP has not moved")
		}
		if checked != everywhere {
			t.Errorf("everywhere %v: a made %q", everywhere, m.a.made())
		}
	}
}

// With MOBIKE, ESP from elsewhere than the path in use "SHOULD NOT be used as evidence that the peer is able to communicate with
// this node". https://www.rfc-editor.org/rfc/rfc4555#section-3.12
func TestESPFromElsewhereIsNoSignOfLife(t *testing.T) {
	for _, mobike := range []bool{true, false} {
		m := newMobileRig(t, func(a, b *Config) {
			a.MOBIKE, b.MOBIKE = mobike, mobike
			a.DPDDelay = 0
		})
		m.a.connect()
		m.run(time.Second)
		m.b.events = nil
		m.b.env.LastInbound = func(uint64) time.Time { return m.now }
		m.b.env.LastOnPath = func(uint64) time.Time { return time.Time{} }
		m.run(time.Minute)
		asked := slices.ContainsFunc(m.b.events, func(o Output) bool { x, ok := o.(ExchangeDone); return ok && x.Initiated })
		if asked != mobike {
			t.Errorf("MOBIKE %v: a liveness check: %v", mobike, asked)
		}
	}
}

// What can be no gateway's address is not taken from a list of additional addresses, nor is it announced.
func TestAddressesOfNoGateway(t *testing.T) {
	bad := []string{"0.0.0.0", "127.0.0.1", "127.8.8.8", "224.0.0.1", "239.255.255.250", "255.255.255.255", "169.254.7.7",
		"::", "::1", "fe80::1", "ff02::1", "::ffff:192.0.2.9"}
	m := newMobileRig(t, nil)
	_, mb := m.up()
	var list []wire.Payload
	for _, s := range bad {
		if a := netip.MustParseAddr(s); a.Is4() || !a.Is4In6() {
			list = append(list, wire.NewAdditionalAddress(a))
		}
	}
	list = append(list, wire.NewAdditionalAddress(a2))
	m.a.send(wire.ExchangeInformational, list...)
	m.run(time.Second)
	if got := mb.Snapshot().PeerAddrs; !slices.Equal(got, []netip.Addr{a2}) {
		t.Errorf("b knows %v", got)
	}
	own := []netip.Addr{a1, a2}
	for _, s := range bad {
		own = append(own, netip.MustParseAddr(s))
	}
	m.changed(m.a, own...)
	m.run(time.Second)
	ma, _ := m.wantUp(1)
	if got := ma.additional(); !slices.Equal(got, []netip.Addr{a2}) {
		t.Errorf("a announces %v", got)
	}
}

// A gateway that announces the addresses of the networks behind it as well is not tried there: the way leads through the tunnel.
func TestNoPathThroughTheTunnel(t *testing.T) {
	inside := netip.MustParseAddr("10.2.0.1")
	m := newMobileRig(t, nil)
	m.a.env.Tunnelled = func(_ *Config, x netip.Addr) bool { return x == inside }
	m.addrs[m.b] = []netip.Addr{b1, b2, inside}
	ma, mb := m.up()
	tried := map[netip.Addr]int{}
	m.reach = func(from *end, p Path) bool {
		if from == m.a {
			tried[p.Remote.Addr()]++
		}
		return false
	}
	m.a.check()
	m.run(40 * time.Second)
	if tried[b1] == 0 || tried[b2] == 0 || tried[inside] > 0 {
		t.Errorf("a has tried %v", tried)
	}
	// Nor is it followed there when it says from there that it has left its address.
	_, _ = ma, mb
	m = newMobileRig(t, nil)
	m.a.env.Tunnelled = func(_ *Config, x netip.Addr) bool { return x == inside }
	ma, _ = m.up()
	m.changed(m.b, inside)
	m.run(time.Second)
	if got := ma.Path().Remote.Addr(); got != b1 {
		t.Errorf("a has moved to %s", got)
	}
	if slices.ContainsFunc(m.a.reasons(), func(s string) bool { return strings.Contains(s, "has left") }) {
		t.Errorf("%q", m.a.reasons())
	}
}

// While the peer has not answered at the address that it claims, or that it was asked to be at, all ESP stays where it was: that of new
// CHILD SAs as well, and whatever comes from there. "By default, the return routability check SHOULD be done before updating the IPsec
// SAs". https://www.rfc-editor.org/rfc/rfc4555#section-3.7
func TestUnprovenAddressGetsNoESP(t *testing.T) {
	victim := netip.MustParseAddr("198.51.100.66")
	for _, side := range []string{"responder", "initiator"} {
		for _, rekeyedBy := range []string{"a", "b"} {
			t.Run("the "+side+" is deceived, rekeyed by "+rekeyedBy, func(t *testing.T) {
				m := newMobileRig(t, nil)
				if side == "initiator" {
					m.addrs[m.b] = []netip.Addr{b1, victim}
				}
				ma, mb := m.up()
				reach := m.reach
				m.reach = func(from *end, p Path) bool { return p.Remote.Addr() != victim && reach(from, p) }
				deceived, peer := mb, a1
				if side == "responder" {
					// a, or who has its keys, sends an update with the victim's address as the source.
					m.translate = func(f *flight) {
						if f.to == m.b {
							f.path.Remote = netip.AddrPortFrom(victim, 4500)
						}
					}
					ma.update(m.now, ma.path)
					ma.pump(m.now)
					m.a.drain(ma)
					m.run(m.delay)
					m.translate = nil
					m.run(3 * time.Second) // the update is answered where it is repeated
				} else {
					deceived, peer = ma, b1
					ma.move(m.now, ma.pathTo(a1, victim), "a test")
					ma.pump(m.now)
					m.a.drain(ma)
				}
				if deceived.Path().Remote.Addr() != victim {
					t.Fatal("the claim was not heard")
				}
				e, x := m.a, ma
				if rekeyedBy == "b" {
					e, x = m.b, mb
				}
				x.RekeyChild(m.now, x.Children()[0].ID)
				e.drain(x)
				m.run(time.Second)
				deceived.PeerMoved(m.now, deceived.Children()[0].ID, netip.AddrPortFrom(victim, 4500))
				m.run(time.Second)
				for _, c := range deceived.Children() {
					if c.Path.Remote.Addr() != peer {
						t.Errorf("ESP of %08x goes to %s", c.Inbound.SPI, c.Path.Remote)
					}
				}
			})
		}
	}
}

// A check of the peer's address that the end of its IKE SA cuts off is made on the successor: until then no ESP goes to where the peer
// is by now.
func TestAddressCheckOutlivesItsIKESA(t *testing.T) {
	m := newMobileRig(t, nil)
	ma, mb := m.up()
	cut := true
	m.drop = func(e *end, d []byte) bool {
		h := headerOf(d)
		// What b asks on the first IKE SA does not arrive.
		return cut && e == m.b && h.SPIr == mb.LocalSPI() && h.Flags&wire.FlagResponse == 0
	}
	m.changed(m.a, a2)
	m.run(3 * time.Second)
	if c := mb.Children()[0]; mb.Path().Remote.Addr() != a2 || c.Path.Remote.Addr() != a1 {
		t.Fatalf("b is at %s and its ESP goes to %s", mb.Path(), c.Path.Remote)
	}
	ma.RekeyIKE(m.now)
	m.a.drain(ma)
	m.run(20 * time.Second)
	cut = false
	_, nb := m.wantUp(1)
	if nb == mb {
		t.Fatal("the IKE SA was not rekeyed")
	}
	for _, c := range nb.Children() {
		if c.Path.Remote.Addr() != a2 {
			t.Errorf("ESP of %08x goes to %s", c.Inbound.SPI, c.Path.Remote)
		}
	}
}

// The same for the initiator, which has moved to another address of its peer, and whose update was answered after it had gone to several.
func TestInitiatorsAddressCheckOutlivesItsIKESA(t *testing.T) {
	m := newMobileRig(t, nil)
	m.addrs[m.b] = []netip.Addr{b1, b2}
	ma, mb := m.up()
	to := map[netip.Addr]bool{}
	checks := false
	m.reach = func(e *end, p Path) bool {
		if e == m.a {
			to[p.Remote.Addr()] = true
			return len(to) > 1 && p.Remote.Addr() == b2
		}
		return true
	}
	m.drop = func(e *end, d []byte) bool {
		h := headerOf(d)
		if e == m.a && !h.Flags.Response() && h.SPIi == ma.spii() {
			_, is := doing[*routeTask](ma)
			checks = checks || is
		}
		return e == m.a && !h.Flags.Response() && h.SPIi == ma.spii() && checks // the check does not arrive
	}
	ma.move(m.now, ma.pathTo(a1, b2), "a test")
	ma.pump(m.now)
	m.a.drain(ma)
	for range 60 {
		if m.run(time.Second); checks {
			break
		}
	}
	if !checks || ma.Children()[0].Path.Remote.Addr() != b1 {
		t.Fatalf("it is checked: %v", checks)
	}
	mb.RekeyIKE(m.now)
	m.b.drain(mb)
	m.run(20 * time.Second)
	na, _ := m.wantUp(1)
	if na == ma {
		t.Fatal("the IKE SA was not rekeyed")
	}
	for _, c := range na.Children() {
		if c.Path.Remote.Addr() != b2 {
			t.Errorf("ESP of %08x goes to %s", c.Inbound.SPI, c.Path.Remote)
		}
	}
}

// With MOBIKE no message but an update moves the peer, and yet it is looked for where its messages come from, when a request finds nobody
// where it was.
func TestPeerIsFoundWhereItSpeaks(t *testing.T) {
	// Rekeyings of the IKE SA cross, and the initiator moves. Its own request is refused, which it does not hear, and the old IKE SA is
	// gone at the responder. It cannot say there where it is, and may not say it on the new one, of which it does not know yet whether
	// it stays: it only answers there.
	m := newMobileRig(t, func(a, b *Config) { a.DPDDelay, b.DPDDelay = 10*time.Second, 10*time.Second })
	ma, mb := m.up()
	crossed := false
	m.drop = func(e *end, d []byte) bool {
		h := headerOf(d)
		if e == m.a { // its request waits for the second copy
			return !crossed && h.Exchange == wire.ExchangeCreateChildSA && !h.Flags.Response()
		}
		return h.SPIi == ma.spii() && (crossed || h.Exchange == wire.ExchangeInformational) // b's DELETE, and its answer later
	}
	m.both(ma, mb, func(x *Machine) { x.RekeyIKE(m.now) })
	m.run(3 * m.delay)
	if ma.State() != StateRekeying || mb.State() != StateDeleting {
		t.Fatal("b's rekeying is not the one that is done")
	}
	crossed = true
	m.changed(m.a, a2)
	m.run(20 * time.Second)
	if mb.State() != StateClosed || ma.State() != StateRekeying {
		t.Fatalf("the old IKE SA is %s at a and %s at b", ma.State(), mb.State())
	}
	m.run(20 * time.Second) // long before the request is given up
	m.wantPaths(m.a.liveChildren()[0].Inbound.SPI, a2, b1)

	// A responder behind a port forward that goes to another of its addresses now.
	for name, c := range map[string]struct{ back, found bool }{"for good": {false, true}, "for a moment": {true, false}} {
		m := newMobileRig(t, nil)
		ma, _ := m.up()
		from := b2
		m.translate = func(f *flight) {
			if f.to == m.a {
				f.path.Remote = netip.AddrPortFrom(from, 4500)
			} else {
				f.path.Local = netip.AddrPortFrom(b1, 4500)
			}
		}
		m.reach = func(e *end, p Path) bool { return e == m.b || p.Remote.Addr() == from }
		m.b.check()
		m.run(time.Second)
		if c.back {
			from = b1
			m.b.check()
			m.run(time.Second)
		}
		if got := ma.Path().Remote.Addr(); got != b1 {
			t.Fatalf("%s: a follows to %s", name, got)
		}
		tried := 0
		m.reach = func(e *end, p Path) bool {
			if e == m.a && p.Remote.Addr() == b2 {
				tried++
			}
			return e == m.b || p.Remote.Addr() == b2 && !c.back
		}
		m.a.check()
		m.run(15 * time.Second) // it is repeated after 2, 5.6 and 12.1
		if got := ma.Path().Remote.Addr(); (got == b2) != c.found || (tried > 0) != c.found {
			t.Errorf("%s: a sends to %s, and has tried the other %d times", name, got, tried)
		}
	}
}
