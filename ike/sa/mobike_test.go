package sa

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// mobileRig is a rig whose sides know their addresses. The first one of each is that of the rig.
type mobileRig struct {
	*rig
	addrs map[*end][]netip.Addr
	// source is what the routes of a side give, the first address of the family unless it is set.
	source map[*end]netip.Addr
	// denied, if set, is called every second of a peer's silence.
	denied func()
}

var (
	a1 = netip.MustParseAddr("192.0.2.1")
	a2 = netip.MustParseAddr("203.0.113.1")
	a6 = netip.MustParseAddr("2001:db8::1")
	b1 = netip.MustParseAddr("192.0.2.2")
	b2 = netip.MustParseAddr("203.0.113.2")
	b6 = netip.MustParseAddr("2001:db8::2")
)

// newMobileRig makes both sides with MOBIKE and no NAT. Datagrams arrive where an address is that the receiver has.
func newMobileRig(t *testing.T, edit func(a, b *Config)) *mobileRig {
	m := &mobileRig{addrs: map[*end][]netip.Addr{}, source: map[*end]netip.Addr{}}
	m.rig = newRig(t, 4555, func(a, b *Config) {
		for _, c := range []*Config{a, b} {
			c.MOBIKE, c.ForceEncap = true, false
		}
		if edit != nil {
			edit(a, b)
		}
	})
	m.addrs[m.a], m.addrs[m.b] = []netip.Addr{a1}, []netip.Addr{b1}
	for _, e := range []*end{m.a, m.b} {
		e.env.HasAddr = func(x netip.Addr) bool { return slices.Contains(m.addrs[e], x) }
		e.env.LocalAddrs = func(*Config) []netip.Addr { return m.addrs[e] }
		e.env.SourceFor = func(_ *Config, remote netip.Addr) (netip.Addr, bool) {
			if s := m.source[e]; s.IsValid() && sameFamily(s, remote) {
				return s, true
			}
			for _, x := range m.addrs[e] {
				if sameFamily(x, remote) {
					return x, true
				}
			}
			return netip.Addr{}, false
		}
	}
	m.reach = func(from *end, p Path) bool {
		return slices.Contains(m.addrs[from], p.Local.Addr()) && slices.Contains(m.addrs[m.other(from)], p.Remote.Addr())
	}
	return m
}

// up brings the tunnel up and forgets what happened.
func (m *mobileRig) up() (*Machine, *Machine) {
	m.t.Helper()
	m.a.connect()
	m.run(time.Second)
	ma, mb := m.wantUp(1)
	if !ma.Snapshot().MOBIKE || !mb.Snapshot().MOBIKE {
		m.t.Fatal("MOBIKE is not on")
	}
	m.a.events, m.b.events = nil, nil
	return ma, mb
}

// changed tells a side that its addresses are others.
func (m *mobileRig) changed(e *end, addrs ...netip.Addr) {
	m.addrs[e] = addrs
	m.tell(e)
}

func (m *mobileRig) tell(e *end) {
	for _, x := range e.all() {
		x.AddressesChanged(m.now)
		e.drain(x)
	}
}

// wantPaths checks that both ends and their CHILD SAs use a pair of addresses, and still have the keys that they had.
func (m *mobileRig) wantPaths(spi uint32, local, remote netip.Addr) {
	m.t.Helper()
	ma, mb := m.wantUp(1)
	if p := ma.Path(); p.Local.Addr() != local || p.Remote.Addr() != remote {
		m.t.Errorf("a's IKE SA uses %s", p)
	}
	if p := mb.Path(); p.Local.Addr() != remote || p.Remote.Addr() != local {
		m.t.Errorf("b's IKE SA uses %s", p)
	}
	for e, x := range map[*end]*Machine{m.a: ma, m.b: mb} {
		if c := e.liveChildren()[0]; c.Path != x.espPath() || c.Path.Remote != x.Path().Remote {
			m.t.Errorf("%s: ESP uses %v, IKE %s", e.name, c.Path, x.Path())
		}
	}
	if got := m.a.liveChildren()[0].Inbound.SPI; got != spi {
		m.t.Errorf("a's child was rekeyed: %08x, not %08x", got, spi)
	}
	if len(m.a.failures)+len(m.b.failures) > 0 {
		m.t.Errorf("failures: %v %v", m.a.failures, m.b.failures)
	}
}

// made lists the requests of a side that were answered, in short.
func (e *end) made() (out []string) {
	for _, o := range e.events {
		if x, ok := o.(ExchangeDone); ok && x.Initiated {
			out = append(out, x.Request[strings.Index(x.Request, "[")+2:len(x.Request)-2])
		}
	}
	return out
}

// reasons lists why the addresses of a side's SAs have changed.
func (e *end) reasons() (out []string) {
	for _, o := range e.events {
		if x, ok := o.(Moved); ok {
			out = append(out, x.Reason)
		}
	}
	return out
}

// RFC 4555 sections 3.2 to 3.4: MOBIKE is on when both say so; the initiator goes to port 4500 although there is no NAT, if it
// wants MOBIKE; each side knows the other's further addresses.
func TestMOBIKENegotiation(t *testing.T) {
	for _, c := range []struct {
		name         string
		a, b, on     bool
		initiator    uint16
		aKnows, told []netip.Addr
	}{
		{"both", true, true, true, 4500, []netip.Addr{b2, b6}, []netip.Addr{a6}},
		{"initiator only", true, false, false, 4500, nil, nil},
		{"responder only", false, true, false, 500, nil, nil},
		{"neither", false, false, false, 500, nil, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := newMobileRig(t, func(a, b *Config) { a.MOBIKE, b.MOBIKE = c.a, c.b })
			m.addrs[m.a], m.addrs[m.b] = []netip.Addr{a1, a6}, []netip.Addr{b1, b2, b6}
			m.a.connect()
			m.run(time.Second)
			ma, mb := m.wantUp(1)
			sa, sb := ma.Snapshot(), mb.Snapshot()
			if sa.MOBIKE != c.on || sb.MOBIKE != c.on {
				t.Errorf("on: %v %v", sa.MOBIKE, sb.MOBIKE)
			}
			if !slices.Equal(sa.PeerAddrs, c.aKnows) || !slices.Equal(sb.PeerAddrs, c.told) {
				t.Errorf("a knows %v, b %v", sa.PeerAddrs, sb.PeerAddrs)
			}
			if sa.Path.Local.Port() != c.initiator || sb.Path.Remote.Port() != c.initiator {
				t.Errorf("paths %s, %s", sa.Path, sb.Path)
			}
			if ma.Children()[0].Path.UDP {
				t.Error("ESP travels in UDP, and there is no NAT")
			}
			// "IDr, AUTH, CP(CFG_REPLY), SAr2, TSi, TSr, N(MOBIKE_SUPPORTED)": https://www.rfc-editor.org/rfc/rfc4555#section-1.2
			if x := m.b.rounds()[0]; c.on != (strings.Contains(x.Request, " SA TSi TSr N(MOBIKE_SUP) ") &&
				strings.Contains(x.Response, " SA TSi TSr N(MOBIKE_SUP) ")) {
				t.Errorf("the order of %s, %s", x.Request, x.Response)
			}
		})
	}
}

// RFC 4555 section 3.5: the initiator's address changes; one exchange later both sides use the new one, IKE and ESP together, in
// the same SAs. Section 3.7: the responder's ESP waits until the initiator has answered at its new address.
func TestInitiatorMoves(t *testing.T) {
	for _, check := range []policy.RouteCheck{policy.RouteCheckBefore, policy.RouteCheckAfter, policy.RouteCheckNever} {
		t.Run([]string{"check before", "check after", "no check"}[check], func(t *testing.T) {
			m := newMobileRig(t, func(a, b *Config) { b.RouteCheck = check })
			ma, mb := m.up()
			spi := ma.Children()[0].Inbound.SPI
			m.changed(m.a, a2)
			if ma.Children()[0].Path.Local.Addr() != a2 {
				t.Error("the initiator's ESP does not leave from the new address at once")
			}
			m.run(m.delay) // UPDATE_SA_ADDRESSES arrives
			if got := mb.Path().Remote.Addr(); got != a2 {
				t.Errorf("the responder's IKE SA is at %s", got)
			}
			if got := mb.Children()[0].Path.Remote.Addr(); (got == a1) != (check == policy.RouteCheckBefore) {
				t.Errorf("the responder's ESP goes to %s", got)
			}
			m.run(time.Second)
			m.wantPaths(spi, a2, b1)
			if got, want := m.a.made(), []string{"N(UPD_SA_ADDR) N(NATD_S_IP) N(NATD_D_IP) N(COOKIE2)"}; !slices.Equal(got, want) {
				t.Errorf("the initiator asked %q", got)
			}
			want := []string{"N(COOKIE2)"}
			if check == policy.RouteCheckNever {
				want = nil
			}
			if got := m.b.made(); !slices.Equal(got, want) {
				t.Errorf("the responder asked %q", got)
			}
			if ma.Children()[0].Path.UDP || mb.Children()[0].Path.UDP {
				t.Error("a NAT was found where there is none")
			}
			// Back again: that address is known to be the peer's, and is used at once.
			m.b.events = nil
			m.changed(m.a, a1)
			m.run(m.delay)
			if got := mb.Children()[0].Path.Remote.Addr(); got != a1 {
				t.Errorf("the responder's ESP goes to %s", got)
			}
			m.run(time.Second)
			m.wantPaths(spi, a1, b1)
		})
	}
}

// Sections 3.5 and 3.8: a NAT on the new path has ESP travel in UDP, and its absence on the next one without.
func TestMoveBehindNAT(t *testing.T) {
	m := newMobileRig(t, nil)
	outside := netip.MustParseAddr("198.51.100.7")
	m.translate = func(f *flight) {
		if f.to == m.b && f.path.Remote.Addr() == a2 {
			f.path.Remote = netip.AddrPortFrom(outside, 20000+f.path.Remote.Port()%100)
		} else if f.to == m.a && f.path.Local.Addr() == outside {
			f.path.Local = netip.AddrPortFrom(a2, 4500)
		}
	}
	reach := m.reach
	m.reach = func(from *end, p Path) bool {
		if from == m.b && p.Remote.Addr() == outside {
			return slices.Contains(m.addrs[m.a], a2)
		}
		return reach(from, p)
	}
	ma, mb := m.up()
	spi := ma.Children()[0].Inbound.SPI
	m.changed(m.a, a2)
	m.run(time.Second)
	if !ma.nat.local || ma.nat.remote || !mb.nat.remote || mb.nat.local {
		t.Errorf("a: %+v, b: %+v", ma.nat, mb.nat)
	}
	for _, x := range []*Machine{ma, mb} {
		if !x.Children()[0].Path.UDP {
			t.Error("ESP does not travel in UDP")
		}
	}
	if got := mb.Children()[0].Path.Remote; got != netip.AddrPortFrom(outside, 20000) {
		t.Errorf("b's ESP goes to %s", got)
	}
	m.changed(m.a, a1)
	m.run(time.Second)
	m.wantPaths(spi, a1, b1)
	if ma.Children()[0].Path.UDP || mb.Children()[0].Path.UDP || ma.nat.local {
		t.Errorf("ESP still travels in UDP: %+v", ma.nat)
	}
}

// Section 3.5: outstanding requests go on "using the addresses in the IKE_SA (the new addresses)", octet by octet the same; the
// update follows when the window allows. C18: the rekeying that was under way is not lost.
func TestMoveWhileRekeying(t *testing.T) {
	for _, ike := range []bool{false, true} {
		t.Run(map[bool]string{false: "child", true: "IKE SA"}[ike], func(t *testing.T) {
			m := newMobileRig(t, nil)
			ma, _ := m.up()
			var first, second []byte
			var from netip.Addr
			m.drop = func(e *end, b []byte) bool {
				if e == m.a && headerOf(b).Exchange == wire.ExchangeCreateChildSA {
					if first == nil {
						first = b
						return true // lost, with the address
					}
					if second == nil {
						second, from = b, m.a.live()[0].Path().Local.Addr()
					}
				}
				return false
			}
			if ike {
				ma.RekeyIKE(m.now)
			} else {
				ma.RekeyChild(m.now, ma.Children()[0].ID)
			}
			m.a.drain(ma)
			m.changed(m.a, a2)
			m.run(5 * time.Second)
			if string(first) != string(second) || from != a2 {
				t.Errorf("the request went on from %s, the same: %v", from, string(first) == string(second))
			}
			if ike == (countEvents[ChildReplaced](m.a) == 1) || ike != (countEvents[Replaced](m.a) == 1) {
				t.Error("the rekeying did not come about")
			}
			na, nb := m.wantUp(1)
			m.wantPaths(m.a.liveChildren()[0].Inbound.SPI, a2, b1)
			if ike && (na == ma || !na.mob.on || !nb.mob.on || !na.mob.initiator) {
				t.Errorf("the new IKE SA: %+v", na.mob)
			}
			if got := m.a.made(); !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "N(UPD_SA_ADDR)") }) {
				t.Errorf("no update: %q", got)
			}
		})
	}
}

// Rekeyings of both sides cross, the answer of one gets lost, and it moves: the peer knows neither of the new IKE SA nor of
// the new address, and hears of the latter on the old one.
func TestMoveWhileRekeyingsCross(t *testing.T) {
	m := newMobileRig(t, nil)
	ma, mb := m.up()
	spi := m.a.liveChildren()[0].Inbound.SPI
	m.a.nonces, m.b.nonces = [][]byte{nonceStarting(1), nonceStarting(7)}, [][]byte{nonceStarting(6), nonceStarting(5)} // b's stays
	m.drop = func(e *end, d []byte) bool { return headerOf(d).Flags.Response() }
	m.both(ma, mb, func(x *Machine) { x.RekeyIKE(m.now) })
	m.run(100 * time.Millisecond)
	m.drop = func(e *end, d []byte) bool {
		return e == m.a && headerOf(d).Flags.Response() && slices.Contains(m.addrs[m.a], a1)
	}
	m.changed(m.a, a2)
	m.run(15 * time.Second)
	m.wantPaths(spi, a2, b1)
	if x := m.a.live()[0]; x == ma || x.Initiator() {
		t.Errorf("a has IKE SA %d, initiated by a: %v", x.ID(), x.Initiator())
	}
}

// "If a new address change occurs while waiting for the response, starts again from the first step (and ignores responses to
// this UPDATE_SA_ADDRESSES request)." Section 3.5.
func TestMoveTwice(t *testing.T) {
	m := newMobileRig(t, nil)
	ma, _ := m.up()
	spi := ma.Children()[0].Inbound.SPI
	m.changed(m.a, a2)
	m.run(m.delay)
	m.changed(m.a, a1, a6) // while the answer is on its way to the address that is gone
	m.run(5 * time.Second)
	m.wantPaths(spi, a1, b1)
	if n := len(m.a.made()); n < 2 {
		t.Errorf("the initiator made %d exchanges: %q", n, m.a.made())
	}
}

// The one that decides about addresses is "the party who originally initiated the first IKE_SA (in a series of possibly
// several rekeyed IKE_SAs)", section 1.3: after a rekeying by the responder, it still is.
func TestMoveAfterRekeyingByResponder(t *testing.T) {
	m := newMobileRig(t, nil)
	_, mb := m.up()
	mb.RekeyIKE(m.now)
	m.b.drain(mb)
	m.run(time.Second)
	ma, mb := m.wantUp(1)
	if ma.Initiator() {
		t.Fatal("a is the initiator of the new IKE SA")
	}
	spi := ma.Children()[0].Inbound.SPI
	m.changed(m.a, a2)
	m.run(time.Second)
	m.wantPaths(spi, a2, b1)
	// And the other side, which is the initiator by RFC 7296, may not.
	m.a.events = nil
	m.b.send(wire.ExchangeInformational, &wire.Notify{NotifyType: wire.NotifyUpdateSAAddresses})
	m.run(time.Second)
	if countEvents[Moved](m.a) != 0 || countEvents[Ignored](m.a) != 1 {
		t.Error("UPDATE_SA_ADDRESSES of the responder was followed")
	}
	_ = mb
}

// Section 3.5: a request that stays without an answer "suggests the current path is no longer working": other pairs of addresses
// are tried with the same octets, and what brings an answer is used. The responder's new address is checked before ESP
// goes there (section 3.7).
func TestPathFails(t *testing.T) {
	m := newMobileRig(t, nil)
	m.addrs[m.b] = []netip.Addr{b1, b2}
	ma, _ := m.up()
	spi := ma.Children()[0].Inbound.SPI
	reach := m.reach
	m.reach = func(from *end, p Path) bool {
		return p.Local.Addr() != b1 && p.Remote.Addr() != b1 && reach(from, p)
	}
	seen := map[uint32]string{}
	m.drop = func(e *end, b []byte) bool {
		if h := headerOf(b); e == m.a && h.Flags&wire.FlagResponse == 0 {
			if old, ok := seen[h.MessageID]; ok && old != string(b) {
				t.Errorf("request %d was repeated with other octets", h.MessageID)
			}
			seen[h.MessageID] = string(b)
		}
		return false
	}
	m.run(35 * time.Second) // until the liveness check
	m.run(15 * time.Second)
	m.wantPaths(spi, a1, b2)
	if r := m.a.reasons(); len(r) != 1 || !strings.Contains(r[0], "the peer answers there") {
		t.Errorf("reasons %q", r)
	}
}

// Section 3.6: the responder's address changes; it says so from the new one, and the initiator moves both.
func TestResponderMoves(t *testing.T) {
	m := newMobileRig(t, nil)
	ma, _ := m.up()
	spi := ma.Children()[0].Inbound.SPI
	m.changed(m.b, b2)
	m.run(time.Second)
	m.wantPaths(spi, a1, b2)
	if got := m.b.made(); len(got) == 0 || got[0] != "N(NO_ADD_ADDR)" {
		t.Errorf("the responder said %q", got)
	}
	if got := m.a.made(); len(got) != 1 || !strings.HasPrefix(got[0], "N(UPD_SA_ADDR)") {
		t.Errorf("the initiator said %q", got)
	}
}

// Section 3.6: further addresses that come or go are announced by either side, as a whole list.
func TestAdditionalAddresses(t *testing.T) {
	m := newMobileRig(t, nil)
	ma, mb := m.up()
	for _, x := range []struct {
		e    *end
		peer *Machine
		own  netip.Addr
		more []netip.Addr
	}{{m.a, mb, a1, []netip.Addr{a2, a6}}, {m.b, ma, b1, []netip.Addr{b6}}} {
		m.changed(x.e, append([]netip.Addr{x.own}, x.more...)...)
		m.run(time.Second)
		if got := x.peer.Snapshot().PeerAddrs; !slices.Equal(got, x.more) {
			t.Errorf("the peer of %s knows %v", x.e.name, got)
		}
		m.changed(x.e, x.own)
		m.run(time.Second)
		if got := x.peer.Snapshot().PeerAddrs; len(got) != 0 {
			t.Errorf("the peer of %s still knows %v", x.e.name, got)
		}
		if n := countEvents[Moved](x.e); n != 0 {
			t.Errorf("%s has moved", x.e.name)
		}
	}
}

// Without MOBIKE an IKE SA cannot follow its own address; it ends with a reason, and its owner makes another.
func TestAddressGoneWithoutMOBIKE(t *testing.T) {
	m := newMobileRig(t, func(a, b *Config) { b.MOBIKE = false })
	m.a.connect()
	m.run(time.Second)
	m.wantUp(1)
	m.changed(m.a, a1, a2)
	if len(m.a.live()) != 1 {
		t.Fatal("one more address ends the IKE SA")
	}
	m.changed(m.a, a2)
	m.a.wantNothing()
	f := m.a.wantFailure(diag.CodeAddress)
	if !strings.Contains(f.Error(), "192.0.2.1") || !strings.Contains(f.Error(), "mobike") {
		t.Errorf("the failure says %v", f)
	}
	// An attempt whose address goes ends as well.
	m.a.failures = nil
	m.addrs[m.a] = []netip.Addr{a1}
	m.a.connect()
	m.changed(m.a, a2)
	m.a.wantNothing()
	m.a.wantFailure(diag.CodeAddress)
}
