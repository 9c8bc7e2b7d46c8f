package sa

import (
	"net/netip"
	"testing"
	"time"

	"esplanade/ike/wire"
)

// Addresses of a path with a NAT at each end: a is behind one that may forget its mapping, b behind a static one.
var (
	natOfA    = netip.MustParseAddr("198.51.100.7")
	insideOfB = netip.MustParseAddr("172.16.0.2")
)

// doubleNAT puts a NAT before each side, and one more time another mapping at a's when rebind is called.
type doubleNAT struct {
	*rig
	base uint16 // of the ports of a's NAT
}

func newDoubleNAT(t *testing.T, mobikeA, mobikeB bool, edit func(a, b *Config)) *doubleNAT {
	n := &doubleNAT{base: 20000}
	n.rig = newRig(t, 909, func(a, b *Config) {
		for _, c := range []*Config{a, b} {
			c.ForceEncap, c.DPDDelay = false, 0
		}
		a.MOBIKE, b.MOBIKE, a.DPDDelay = mobikeA, mobikeB, 5*time.Second
		if edit != nil {
			edit(a, b)
		}
	})
	outside := func(port uint16) netip.AddrPort { return netip.AddrPortFrom(natOfA, n.base+port%100) }
	n.translate = func(f *flight) {
		if f.to == n.b {
			f.path = Path{Local: netip.AddrPortFrom(insideOfB, f.path.Local.Port()), Remote: outside(f.path.Remote.Port())}
			return
		}
		port := uint16(500)
		if f.path.Local == outside(4500) {
			port = 4500
		}
		f.path = Path{Local: netip.AddrPortFrom(n.a.addr, port), Remote: netip.AddrPortFrom(n.b.addr, f.path.Remote.Port())}
	}
	// What is sent to a mapping that is forgotten is lost.
	n.reach = func(from *end, p Path) bool {
		return from == n.a || p.Remote == outside(500) || p.Remote == outside(4500)
	}
	return n
}

func (n *doubleNAT) up(t *testing.T) (*Machine, *Machine) {
	t.Helper()
	n.a.connect()
	n.run(time.Second)
	ma, mb := n.wantUp(1)
	if !ma.nat.local || !ma.nat.remote || !mb.nat.local || !mb.nat.remote {
		t.Fatalf("a: %+v, b: %+v", ma.nat, mb.nat)
	}
	return ma, mb
}

// The side behind a static NAT follows when the NAT of the other forgets its mapping, with the next liveness check at the
// latest, or with the first ESP packet: with MOBIKE, without, and with a peer that has none; also after the IKE SA was rekeyed
// by either side.
func TestRebindingBehindStaticNAT(t *testing.T) {
	for name, mobike := range map[string][2]bool{
		"no MOBIKE": {false, false}, "MOBIKE": {true, true}, "MOBIKE at the initiator": {true, false}, "MOBIKE at the responder": {false, true},
	} {
		for _, first := range []string{"liveness", "ESP"} {
			for _, rekeyedBy := range []string{"", "a", "b"} {
				t.Run(name+", "+first+" first, rekeyed by "+rekeyedBy, func(t *testing.T) {
					n := newDoubleNAT(t, mobike[0], mobike[1], nil)
					ma, mb := n.up(t)
					switch rekeyedBy {
					case "a":
						ma.RekeyIKE(n.now)
						n.a.drain(ma)
					case "b":
						mb.RekeyIKE(n.now)
						n.b.drain(mb)
					}
					n.run(20 * time.Second)
					_, mb = n.wantUp(1)
					n.base = 30000
					where := netip.AddrPortFrom(natOfA, 30000)
					if first == "ESP" {
						mb.PeerMoved(n.now, mb.Children()[0].ID, where)
						n.b.drain(mb)
						n.run(time.Second)
						if got := mb.Children()[0].Path.Remote; got != where {
							t.Errorf("after ESP from there b's ESP goes to %s", got)
						}
					}
					n.run(6 * time.Second)
					_, mb = n.wantUp(1)
					if got := mb.Children()[0].Path.Remote; got != where {
						t.Errorf("b's ESP goes to %s", got)
					}
					if got := mb.Path().Remote; got != where {
						t.Errorf("b's IKE goes to %s", got)
					}
				})
			}
		}
	}
}

// The side that initiated and is behind a NAT stays where it is, whatever its NAT makes of the peer's packets: "A host behind a
// NAT SHOULD NOT do this type of dynamic address update". https://www.rfc-editor.org/rfc/rfc7296#section-2.23
func TestInitiatorBehindNATDoesNotFollow(t *testing.T) {
	for _, rekeyed := range []bool{false, true} {
		n := newDoubleNAT(t, false, false, func(a, b *Config) { b.DPDDelay = 7 * time.Second })
		ma, mb := n.up(t)
		if rekeyed { // which makes b the initiator of the IKE SA
			mb.RekeyIKE(n.now)
			n.b.drain(mb)
			n.run(20 * time.Second)
			ma, _ = n.wantUp(1)
		}
		path := ma.Path()
		next := n.translate
		n.translate = func(f *flight) {
			if next(f); f.to == n.a {
				f.path.Remote = netip.MustParseAddrPort("203.0.113.66:4500")
			}
		}
		ma.PeerMoved(n.now, ma.Children()[0].ID, netip.MustParseAddrPort("203.0.113.66:4500"))
		n.a.drain(ma)
		n.run(time.Minute)
		if ma.Path() != path || ma.Children()[0].Path.Remote != path.Remote {
			t.Errorf("a is at %s, its ESP goes to %s", ma.Path(), ma.Children()[0].Path.Remote)
		}
	}
}

// Neither a message that was answered before, nor one that does not authenticate, leads the side behind the static NAT away.
func TestReplayBehindStaticNATMovesNothing(t *testing.T) {
	n := newDoubleNAT(t, false, false, nil)
	_, mb := n.up(t)
	var last []byte
	n.drop = func(e *end, b []byte) bool {
		if e == n.a && headerOf(b).Exchange == wire.ExchangeInformational {
			last = append([]byte(nil), b...)
		}
		return false
	}
	n.run(6 * time.Second)
	if last == nil {
		t.Fatal("no liveness check")
	}
	elsewhere := Path{Local: mb.Path().Local, Remote: netip.MustParseAddrPort("203.0.113.66:4500")}
	before := mb.Path()
	forged := append([]byte(nil), last...)
	forged[23]++ // the next message id, and so no ICV that fits
	for _, b := range [][]byte{last, forged} {
		n.b.receive(flight{to: n.b, path: elsewhere, data: b})
		if mb.Path() != before || mb.Children()[0].Path.Remote != before.Remote {
			t.Errorf("b is at %s", mb.Path())
		}
	}
}

// A request in flight is sent behind a peer whose NAT has another mapping: at once, and once more only for each usual repetition,
// however often the peer, which may give any address for its own, moves.
func TestRequestFollowsThePeer(t *testing.T) {
	n := newDoubleNAT(t, false, false, nil)
	_, mb := n.up(t)
	n.reach = func(*end, Path) bool { return false } // the peer says nothing
	mb.RekeyIKE(n.now)
	n.b.drain(mb)
	for round := range 3 {
		sent := 0
		for port := range uint16(100) {
			n.b.events = nil
			where := netip.AddrPortFrom(natOfA, 30000+port)
			mb.PeerMoved(n.now, mb.Children()[0].ID, where)
			n.b.drain(mb)
			for _, o := range n.b.events {
				if s, ok := o.(Send); ok {
					sent++
					if s.Path.Remote != where {
						t.Errorf("sent to %s, the peer is at %s", s.Path.Remote, where)
					}
				}
			}
			n.now = n.now.Add(time.Millisecond)
		}
		if sent != 1 {
			t.Errorf("sent %d times behind the peer after %d repetitions", sent, round)
		}
		tries := mb.pending.tries
		n.now = mb.pending.next
		mb.Advance(n.now)
		n.b.drain(mb)
		if mb.pending.tries != tries+1 {
			t.Fatal("not repeated")
		}
	}
}
