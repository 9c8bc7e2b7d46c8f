package sa

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// RFC 4555 section 3.7: "the original sender MUST verify that the value is the same one as sent. If the values do not match, the
// IKE_SA MUST be closed." Both sides ask: the initiator with its update, the responder with its check.
func TestCookie2ComesBackWrong(t *testing.T) {
	for _, c := range []struct {
		name string
		wait time.Duration // until the request is out, in delays of the network
		of   func(m *mobileRig) *end
	}{
		{"of the initiator", 0, func(m *mobileRig) *end { return m.a }},
		{"of the responder", 1, func(m *mobileRig) *end { return m.b }},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMobileRig(t, nil)
			m.up()
			m.changed(m.a, a2)
			m.run(c.wait * m.delay)
			e := c.of(m)
			x := e.live()[0]
			if u, ok := doing[*updateTask](x); ok {
				u.cookie = []byte("something else")
			} else if r, ok := doing[*routeTask](x); ok {
				r.cookie = []byte("something else")
			} else {
				t.Fatal("no COOKIE2 is on the way")
			}
			m.run(10 * time.Second)
			e.wantFailure(diag.CodeSyntax)
			m.a.wantNothing()
			m.b.wantNothing()
		})
	}
}

// Section 4.2.5: COOKIE2 has 8 to 64 octets. It is copied as it is, whatever else the request holds; another length is a
// malformed message.
func TestCookie2IsReturned(t *testing.T) {
	for _, n := range []int{7, 8, 64, 65} {
		m := newMobileRig(t, nil)
		_, mb := m.up()
		value := []byte(strings.Repeat("x", n))
		m.a.send(wire.ExchangeInformational, wire.NewCookie2(value))
		m.run(time.Second)
		if n < wire.MinCookie2Len || n > wire.MaxCookie2Len {
			m.b.wantFailure(diag.CodeSyntax)
			continue
		}
		if got := m.b.lastAnswer(); !strings.Contains(got, "N(COOKIE2)") || mb.State() != StateEstablished {
			t.Errorf("%d octets: answer %q", n, got)
		}
	}
}

// Section 3.5: a responder whose policy does not allow the addresses says UNACCEPTABLE_ADDRESSES and stays where it is; the
// initiator tries its next address, and goes back when there is none.
func TestUnacceptableAddresses(t *testing.T) {
	t.Run("another one is accepted", func(t *testing.T) {
		m := newMobileRig(t, nil)
		m.addrs[m.a] = []netip.Addr{a1, a2, netip.MustParseAddr("203.0.113.9")}
		m.b.env.Acceptable = func(_ *Config, p Path) bool { return p.Remote.Addr() != a2 }
		ma, mb := m.up()
		spi := ma.Children()[0].Inbound.SPI
		m.changed(m.a, a2, netip.MustParseAddr("203.0.113.9"))
		m.run(m.delay)
		if mb.Path().Remote.Addr() != a1 {
			t.Error("the responder has moved")
		}
		m.run(5 * time.Second)
		m.a.wantFailure(diag.CodePeerError)
		m.a.failures = nil
		m.wantPaths(spi, netip.MustParseAddr("203.0.113.9"), b1)
	})
	t.Run("the previous one is there", func(t *testing.T) {
		m := newMobileRig(t, nil)
		m.addrs[m.a] = []netip.Addr{a1, a2}
		m.b.env.Acceptable = func(_ *Config, p Path) bool { return p.Remote.Addr() == a1 }
		ma, _ := m.up()
		spi := ma.Children()[0].Inbound.SPI
		m.source[m.a] = a2 // the routes say so
		m.tell(m.a)
		m.run(5 * time.Second)
		m.a.wantFailure(diag.CodePeerError)
		m.a.failures = nil
		m.wantPaths(spi, a1, b1)
	})
	t.Run("none is left", func(t *testing.T) {
		m := newMobileRig(t, nil)
		m.b.env.Acceptable = func(_ *Config, p Path) bool { return p.Remote.Addr() == a1 }
		m.up()
		m.changed(m.a, a2)
		m.run(5 * time.Second)
		m.a.wantFailure(diag.CodePeerError)
		m.a.wantNothing()
		m.b.wantNothing()
	})
}

// Section 3.9: without NAT traversal, every message that can change addresses says which ones it has; the receiver compares,
// and an answer UNEXPECTED_NAT_DETECTED has no other effect. The initiator tries again several times.
func TestNoNATsAllowed(t *testing.T) {
	without := func(ms ...*Machine) {
		for _, x := range ms {
			x.nat = nat{} // as if the peer had sent no NAT_DETECTION in IKE_SA_INIT
		}
	}
	t.Run("no NAT", func(t *testing.T) {
		m := newMobileRig(t, nil)
		ma, mb := m.up()
		without(ma, mb)
		spi := ma.Children()[0].Inbound.SPI
		m.changed(m.a, a2, a6)
		m.run(5 * time.Second)
		m.wantPaths(spi, a2, b1)
		want := []string{"N(UPD_SA_ADDR) N(NO_NATS) N(COOKIE2)", "N(ADD_6_ADDR) N(NO_NATS)"}
		if got := m.a.made(); !slices.Equal(got, want) {
			t.Errorf("the initiator asked %q", got)
		}
	})
	t.Run("a NAT", func(t *testing.T) {
		m := newMobileRig(t, nil)
		outside := netip.MustParseAddr("198.51.100.7")
		ma, mb := m.up()
		without(ma, mb)
		m.translate = func(f *flight) {
			if f.to == m.b {
				f.path.Remote = netip.AddrPortFrom(outside, 20000)
			} else if f.path.Local.Addr() == outside {
				f.path.Local = netip.AddrPortFrom(a2, 4500)
			}
		}
		m.reach = nil
		m.changed(m.a, a2)
		m.run(20 * time.Second)
		if got := mb.Path().Remote.Addr(); got != a1 {
			t.Errorf("the responder has moved to %s", got)
		}
		m.b.wantFailure(diag.CodeNAT)
		if f := m.a.wantFailure(diag.CodeNAT); !f.ByPeer {
			t.Errorf("%v", f)
		}
		if n := len(m.a.made()); n <= ma.cfg.Retransmit.Tries {
			t.Errorf("the initiator has tried %d times", n)
		}
	})
	t.Run("forged", func(t *testing.T) {
		for _, n := range []*wire.Notify{
			wire.NewNoNATsAllowed(netip.AddrPortFrom(a1, 4501), netip.AddrPortFrom(b1, 4500)),
			wire.NewNoNATsAllowed(netip.AddrPortFrom(a2, 4500), netip.AddrPortFrom(b1, 4500)),
			wire.NewNoNATsAllowed(netip.AddrPortFrom(a1, 4500), netip.AddrPortFrom(b2, 4500)),
			wire.NewNoNATsAllowed(netip.AddrPortFrom(a1, 4500), netip.AddrPortFrom(b1, 500)),
			{NotifyType: wire.NotifyNoNATsAllowed},
		} {
			m := newMobileRig(t, nil)
			m.up()
			m.a.send(wire.ExchangeInformational, n, wire.NewCookie2([]byte("12345678")), wire.NewAdditionalAddress(a2))
			m.run(time.Second)
			if got := m.b.lastAnswer(); !strings.Contains(got, "N(UNEXPECT_NAT) N(COOKIE2)") {
				t.Errorf("answer %q", got)
			}
			if got := m.b.live()[0].Snapshot().PeerAddrs; len(got) > 0 {
				t.Errorf("the rest of the message was used: %v", got)
			}
		}
	})
	t.Run("IKE_AUTH", func(t *testing.T) {
		// The first IKE_AUTH request says it as well, and a NAT in its way has it refused.
		for _, translated := range []bool{false, true} {
			m := newMobileRig(t, nil)
			m.a.cfg.Retransmit.Tries = 1
			x := m.a.connect()
			m.run(m.delay * 5 / 2)
			m.wire = nil
			// The request that was sent is lost, and another one made as if the peer knew nothing of NATs.
			task := x.pending.task
			x.nat, x.pending, x.flow, x.window.nextSend = nat{}, nil, nil, 1
			x.requeue(&createChildTask{cfg: m.a.cfg.Children[0]})
			x.requeue(task)
			x.pump(m.now)
			m.a.drain(x)
			if translated {
				m.translate = func(f *flight) {
					if f.to == m.b {
						f.path.Remote = netip.MustParseAddrPort("198.51.100.7:20000")
					}
				}
				m.reach = nil
			}
			m.run(m.delay * 5 / 2)
			if !translated {
				if len(m.a.live()) != 1 || len(m.b.live()) != 1 {
					t.Fatal("the tunnel did not come up")
				}
				if got := m.a.made()[1]; !strings.Contains(got, "N(NO_NATS)") || !m.b.live()[0].mob.on {
					t.Errorf("the initiator asked %q", got)
				}
				continue
			}
			m.b.wantFailure(diag.CodeNAT)
			if f := m.a.wantFailure(diag.CodeNAT); f.Notify != "UNEXPECTED_NAT_DETECTED" || !f.ByPeer {
				t.Errorf("%v", f)
			}
			m.b.wantNothing()
		}
	})
}

// Section 3.8: the NAT in front of the initiator forgets its mapping. The next liveness check, which asks what the peer sees,
// finds out, and the initiator says where it is: the responder follows no address by itself.
func TestMappingChanges(t *testing.T) {
	m := newMobileRig(t, nil)
	outside, port := netip.MustParseAddr("198.51.100.7"), uint16(20000)
	m.translate = func(f *flight) {
		if f.to == m.b {
			f.path.Remote = netip.AddrPortFrom(outside, port)
		} else {
			f.path.Local = netip.AddrPortFrom(a1, 4500)
		}
	}
	m.reach = func(from *end, p Path) bool { return from == m.a || p.Remote == netip.AddrPortFrom(outside, port) }
	ma, mb := m.up()
	m.run(time.Minute) // the first check has nothing to compare with
	m.a.events, m.b.events = nil, nil
	spi := ma.Children()[0].Inbound.SPI
	port++
	m.run(31 * time.Second)
	if got := mb.Path().Remote; got.Port() != port {
		t.Errorf("the responder's IKE SA goes to %s", got)
	}
	if c := mb.Children()[0]; c.Path.Remote.Port() != port || ma.Children()[0].Inbound.SPI != spi {
		t.Errorf("the responder's ESP goes to %s", c.Path.Remote)
	}
	if got := m.a.made(); len(got) != 2 || !strings.HasPrefix(got[1], "N(UPD_SA_ADDR)") {
		t.Errorf("the initiator asked %q", got)
	}
	// As long as the mapping stays there is no update, and keepalives go out in addition to the checks.
	m.a.events = nil
	m.run(2 * time.Minute)
	if slices.ContainsFunc(m.a.made(), func(s string) bool { return strings.Contains(s, "UPD") }) || countEvents[Moved](m.b) != 1 {
		t.Errorf("the initiator asked %q", m.a.made())
	}
	if countEvents[SendKeepalive](m.a) == 0 {
		t.Error("no keepalives")
	}
}

// Section 3.8 as well: ESP packets may be followed to a new mapping by themselves. Here that takes an answer to a COOKIE2 from
// there, and leaves the IKE SA alone.
func TestESPComesFromElsewhere(t *testing.T) {
	for _, there := range []bool{true, false} {
		m := newMobileRig(t, nil)
		outside, port := netip.MustParseAddr("198.51.100.7"), uint16(20000)
		m.translate = func(f *flight) {
			if f.to == m.b {
				f.path.Remote = netip.AddrPortFrom(outside, port)
			} else {
				f.path.Local = netip.AddrPortFrom(a1, 4500)
			}
		}
		m.reach = func(from *end, p Path) bool {
			return from == m.a || p.Remote.Port() == port || !there && p.Remote.Port() == port-1
		}
		_, mb := m.up()
		id := mb.Children()[0].ID
		port++
		from := netip.AddrPortFrom(outside, port)
		if !there {
			from = netip.MustParseAddrPort("203.0.113.66:4500") // somebody has copied a packet
		}
		mb.PeerMoved(m.now, id, from)
		m.b.drain(mb)
		if mb.Children()[0].Path.Remote == from {
			t.Error("ESP goes there although nobody has answered from there")
		}
		m.run(20 * time.Second)
		if got := mb.Children()[0].Path.Remote; (got == from) != there {
			t.Errorf("ESP goes to %s", got)
		}
		if got := mb.Path().Remote.Port(); got != 20000 {
			t.Errorf("the IKE SA goes to port %d", got)
		}
		if mb.State() != StateEstablished {
			t.Error("the IKE SA is closed")
		}
	}
}

// I12: with MOBIKE nothing but an authentic UPDATE_SA_ADDRESSES that is no replay moves anything.
func TestNothingElseMoves(t *testing.T) {
	m := newMobileRig(t, nil)
	_, mb := m.up()
	evil := Path{Local: netip.AddrPortFrom(b1, 4500), Remote: netip.MustParseAddrPort("203.0.113.66:4500")}
	var captured [][]byte
	m.drop = func(e *end, b []byte) bool {
		if e == m.a {
			captured = append(captured, b)
		}
		return false
	}
	m.changed(m.a, a2)
	m.run(time.Second)
	m.changed(m.a, a1)
	m.run(time.Second)
	at := mb.Path()
	for _, b := range captured {
		mb.Receive(m.now, b, evil)
		forged := slices.Clone(b)
		forged[len(forged)-1] ^= 1
		mb.Receive(m.now, forged, evil)
		m.b.drain(mb)
	}
	// An authentic request that is none moves nothing either: it is answered where it came from.
	m.translate = func(f *flight) {
		if f.to == m.b {
			f.path.Remote = evil.Remote
		}
	}
	m.a.send(wire.ExchangeInformational)
	m.run(m.delay)
	if mb.Path() != at || mb.Children()[0].Path.Remote != at.Remote {
		t.Errorf("moved to %s, ESP to %s", mb.Path(), mb.Children()[0].Path.Remote)
	}
}

// Section 3.11: a responder goes on asking for five minutes, since it is the initiator that finds another path; an initiator
// gives up after the usual time, and so does a responder whose peer's address says that there is no such SA.
func TestResponderIsPatient(t *testing.T) {
	gone := func(m *mobileRig, e *end) time.Duration {
		m.reach = func(*end, Path) bool { return false }
		start := m.now
		x := e.live()[0]
		x.alive.checkAt = m.now
		x.Advance(m.now)
		e.drain(x)
		for len(e.live()) > 0 && m.now.Sub(start) < 20*time.Minute {
			m.run(time.Second)
			if m.denied != nil {
				m.denied()
			}
		}
		return m.now.Sub(start)
	}
	m := newMobileRig(t, nil)
	m.up()
	if d := gone(m, m.a); d > 2*time.Minute {
		t.Errorf("the initiator gave up after %s", d)
	}
	m = newMobileRig(t, nil)
	m.up()
	if d := gone(m, m.b); d < 5*time.Minute || d > 6*time.Minute {
		t.Errorf("the responder gave up after %s", d)
	}
	m = newMobileRig(t, nil)
	_, mb := m.up()
	m.run(time.Second)
	denying := func() {
		if p := mb.pending; p != nil {
			hint := wire.Message{
				Header: wire.Header{SPIi: mb.spii(), SPIr: mb.spir(), Major: 2, Exchange: p.task.exchange(), MessageID: p.id,
					Flags: wire.FlagResponse | wire.FlagInitiator},
				Payloads: failing(wire.NotifyInvalidIKESPI),
			}
			mb.Receive(m.now, hint.Append(nil), mb.Path())
			m.b.drain(mb)
		}
	}
	m.denied = denying
	if d := gone(m, m.b); d > 2*time.Minute {
		t.Errorf("the responder gave up after %s", d)
	}
}

// A peer that announces more addresses than anybody has is believed up to a bound, and what can be no gateway's is left out.
func TestAnnouncedAddressesAreBounded(t *testing.T) {
	m := newMobileRig(t, nil)
	_, mb := m.up()
	var list []wire.Payload
	for _, s := range []string{"0.0.0.0", "127.0.0.1", "224.0.0.1", "::", "::1", "fe80::1", "ff02::1"} {
		list = append(list, wire.NewAdditionalAddress(netip.MustParseAddr(s)))
	}
	list = append(list, &wire.Notify{NotifyType: wire.NotifyAdditionalIP4Address, Data: []byte{1, 2, 3}})
	a := netip.MustParseAddr("198.51.100.1")
	for range 12 {
		list = append(list, wire.NewAdditionalAddress(a), wire.NewAdditionalAddress(a.Next()))
		a = a.Next().Next()
	}
	m.a.send(wire.ExchangeInformational, list[:20]...)
	m.a.send(wire.ExchangeInformational, list[:8]...)
	m.a.send(wire.ExchangeInformational, list...)
	m.run(time.Second)
	if got := mb.Snapshot().PeerAddrs; len(got) > maxPeerAddrs || slices.ContainsFunc(got, func(a netip.Addr) bool { return !usable(a) }) {
		t.Errorf("%d addresses: %v", len(got), got)
	}
}
