package gateway

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"

	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// insider is a peer whose key is valid and who means no good: it keeps to no rule but those that let it in. It has no machine:
// what it sends is made here, payload by payload, from its seed.
type insider struct {
	l        *siege
	rng      *rand.Rand
	id       string
	number   uint32
	from     netip.AddrPort
	sessions []*session
	spi      uint32
	meek     uint32 // not 0: it asks for what it may have, so many addresses
}

// session is an IKE SA of an insider as it sees it.
type session struct {
	*caller
	next     uint32   // the message ID of its next request
	lost     int      // requests without an answer in a row
	children []uint32 // its SPIs of CHILD SAs that it has asked for
	mute     bool     // it answers no request
}

// maxSessions is of how many IKE SAs at a time an insider keeps the keys.
const maxSessions = 24

// open makes an IKE SA, or tries to.
func (x *insider) open() {
	if len(x.sessions) >= maxSessions {
		x.sessions = x.sessions[1:] // it forgets one, and never answers for it again
	}
	c := x.l.crowd.caller(x.l.t, x.from, x.l.b.addr, "aes128gcm16-prfsha256-x25519")
	natd := &wire.Notify{NotifyType: wire.NotifyNATDetectionSourceIP, Data: make([]byte, 20)}
	x.l.count(1)
	if !c.begin(natd, &wire.Notify{NotifyType: wire.NotifyNATDetectionDestinationIP, Data: make([]byte, 20)}) {
		return
	}
	if x.rng.IntN(8) == 0 {
		return // half an exchange
	}
	s := &session{caller: c, next: 1, mute: x.rng.IntN(4) == 0}
	s.to = netip.AddrPortFrom(s.to.Addr(), 4500)
	id := x.id
	if x.rng.IntN(10) == 0 {
		id = [...]string{"good.branch.example", "a.example", "b.example"}[x.rng.IntN(3)] // the key of another: it has not got it
	}
	ps := s.auth(id, insiderKey)
	if x.rng.IntN(3) == 0 {
		ps = append(ps, &wire.Notify{NotifyType: wire.NotifyInitialContact})
	}
	if x.rng.IntN(2) == 0 {
		ps = append(ps, &wire.Notify{NotifyType: wire.NotifyMOBIKESupported})
	}
	if x.request(s, wire.ExchangeIKEAuth, append(ps, x.childPayloads(s, false)...)...) {
		x.sessions = append(x.sessions, s)
	}
}

// request makes a request and reports whether it was answered.
func (x *insider) request(s *session, exchange wire.ExchangeType, ps ...wire.Payload) bool {
	x.l.inject(s, s.seal(exchange, s.next, ps...))
	settle(3 * latency)
	if x.poll(s) {
		s.next++
		s.lost = 0
		return true
	}
	s.lost++
	return false
}

// poll takes what has come for a session, answers requests as it likes, and reports whether the answer to its own has come.
func (x *insider) poll(s *session) (answered bool) {
	for _, b := range x.l.crowd.take(s.from) {
		m, err := wire.Parse(b)
		if err != nil || m.Header.SPIi != s.spii {
			continue
		}
		h := m.Header
		if h.Flags&wire.FlagResponse != 0 {
			answered = answered || h.MessageID == s.next
			continue
		}
		if s.mute || x.rng.IntN(5) == 0 {
			continue
		}
		var ps []wire.Payload
		switch x.rng.IntN(4) {
		case 0:
			ps = append(ps, &wire.Notify{NotifyType: wire.NotifyType(1 + x.rng.IntN(60))})
		case 1:
			ps = append(ps, &wire.Delete{Protocol: wire.ProtocolESP, SPIs: [][]byte{binary.BigEndian.AppendUint32(nil, x.rng.Uint32())}})
		}
		plain := wire.AppendPayloads(nil, ps)
		r := wire.Header{SPIi: s.spii, SPIr: s.spir, Major: 2, Exchange: h.Exchange, Flags: wire.FlagInitiator | wire.FlagResponse, MessageID: h.MessageID}
		out := wire.AppendProtected(nil, r, wire.FirstType(ps), s.out.BodyLen(len(plain)))
		if out, err = s.out.Seal(out, len(out), plain); err == nil {
			x.l.inject(s, out)
		}
	}
	return answered
}

// childPayloads ask for a CHILD SA with whatever selectors.
func (x *insider) childPayloads(s *session, own bool) []wire.Payload {
	x.spi++
	spi := 0x10000 + x.spi
	s.children = append(s.children, spi)
	p, err := proposal.ParseList(wire.ProtocolESP, []string{"aes128gcm16"})
	if err != nil {
		x.l.t.Fatal(err)
	}
	ps := []wire.Payload{&wire.SA{Proposals: []wire.Proposal{p[0].Wire(1, binary.BigEndian.AppendUint32(nil, spi))}}}
	if own {
		ps = append(ps, &wire.Nonce{Data: random(32)})
	}
	return append(ps, x.selectors(false), x.selectors(true))
}

// selectors are claims, or ranges that are no prefixes, or, often, what it may well have: many CHILD SAs come of that.
func (x *insider) selectors(responder bool) *wire.TS {
	ts := &wire.TS{Responder: responder}
	modest, n := x.rng.IntN(3) > 0, [...]uint32{1, 1, 1, 2, 8, 64, 65, 255}[x.rng.IntN(8)]
	hosts := x.rng.IntN(2) == 0
	if x.meek > 0 {
		modest, hosts, n = true, true, x.meek
	}
	for i := range n {
		sel := wire.TrafficSelector{EndPort: 65535}
		switch {
		case responder && modest:
			sel.Start, sel.End = netip.MustParseAddr("10.2.0.0"), netip.MustParseAddr("10.2.255.255")
		case modest:
			// Of a /18 for each insider, where nobody else is; nothing that could be taken together, and up to 10 prefixes each.
			first := 10<<24 | 200<<16 | x.number<<14 | i<<6
			sel.Start, sel.End = ipv4(first+1+x.rng.Uint32N(20)), ipv4(first+40+x.rng.Uint32N(20))
			if hosts {
				sel.Start, sel.End = ipv4(first), ipv4(first)
			}
		case x.rng.IntN(2) == 0:
			p := netip.MustParsePrefix(claims[x.rng.IntN(len(claims))])
			sel.Start, sel.End = p.Addr(), lastOf(p)
		default:
			sel.Start, sel.End = ipv4(10<<24|x.rng.Uint32N(1<<24)), ipv4(10<<24|x.rng.Uint32N(1<<24))
		}
		if x.meek == 0 && x.rng.IntN(4) == 0 {
			sel.IPProtocol, sel.StartPort, sel.EndPort = 6, uint16(x.rng.Uint32()), uint16(x.rng.Uint32())
		}
		ts.Selectors = append(ts.Selectors, sel)
	}
	return ts
}

func ipv4(n uint32) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], n)
	return netip.AddrFrom4(b)
}

// claims are what an insider likes to have: networks of the others, of the gateway, of everybody.
var claims = []string{
	"10.1.0.0/16", "10.1.3.0/24", "10.77.0.0/24", "10.77.0.128/25", "10.0.0.0/8", "0.0.0.0/0", "10.2.0.0/16", "192.0.2.0/24", addrA + "/32",
	"127.0.0.0/8", "224.0.0.0/4", "10.9.0.0/16", "10.99.1.0/24", "::/0",
}

func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().AsSlice()
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// session picks one that still answers; nil for none.
func (x *insider) session() *session {
	for i := 0; i < len(x.sessions); i++ {
		if x.sessions[i].lost > 1 {
			x.sessions = append(x.sessions[:i], x.sessions[i+1:]...)
			i--
		}
	}
	if len(x.sessions) == 0 {
		return nil
	}
	return x.sessions[x.rng.IntN(len(x.sessions))]
}

// act does one thing, and says what.
func (x *insider) act() string {
	s := x.session()
	n := 1
	if x.rng.IntN(3) == 0 {
		n += x.rng.IntN(x.l.burst)
	}
	what := x.rng.IntN(10)
	if s == nil || what == 0 {
		for range n {
			x.open()
		}
		return fmt.Sprintf("%s opens %d IKE SAs", x.id, n)
	}
	name := ""
	for range n {
		switch what {
		case 1, 2:
			name = "asks for a CHILD SA"
			x.request(s, wire.ExchangeCreateChildSA, x.childPayloads(s, true)...)
		case 3:
			name = "rekeys a CHILD SA"
			spi := x.rng.Uint32()
			if len(s.children) > 0 {
				spi = s.children[x.rng.IntN(len(s.children))]
			}
			ps := x.childPayloads(s, true)
			x.request(s, wire.ExchangeCreateChildSA, append([]wire.Payload{wire.NewRekeySA(wire.ProtocolESP, spi)}, ps...)...)
		case 4:
			name = "rekeys the IKE SA by half"
			p := s.ours[0].Wire(1, binary.BigEndian.AppendUint64(nil, x.rng.Uint64()))
			x.request(s, wire.ExchangeCreateChildSA, &wire.SA{Proposals: []wire.Proposal{p}}, &wire.Nonce{Data: random(32)},
				&wire.KE{Group: s.ke.Group(), Data: s.ke.Public()})
		case 5:
			name = "deletes CHILD SAs"
			d := &wire.Delete{Protocol: wire.ProtocolESP}
			for range 1 + x.rng.IntN(200) {
				d.SPIs = append(d.SPIs, binary.BigEndian.AppendUint32(nil, 0x10000+x.rng.Uint32N(x.spi+2)))
			}
			x.request(s, wire.ExchangeInformational, d)
		case 6:
			name = "says that it has moved"
			x.move(s)
		case 7:
			name = "has other addresses"
			var ps []wire.Payload
			for range 1 + x.rng.IntN(200) {
				ps = append(ps, &wire.Notify{NotifyType: wire.NotifyAdditionalIP4Address, Data: x.anAddress().AsSlice()})
			}
			x.request(s, wire.ExchangeInformational, ps...)
		case 8:
			name = "says what makes no sense"
			var ps []wire.Payload
			for range 1 + x.rng.IntN(20) {
				ps = append(ps, &wire.Notify{NotifyType: wire.NotifyType(16380 + x.rng.IntN(80)), Data: random(x.rng.IntN(64))})
			}
			x.request(s, wire.ExchangeInformational, ps...)
		default:
			name = "deletes an IKE SA"
			x.request(s, wire.ExchangeInformational, &wire.Delete{Protocol: wire.ProtocolIKE})
			s.lost = 2
		}
		if s.lost > 1 {
			break
		}
	}
	return fmt.Sprintf("%s %s, up to %d times", x.id, name, n)
}

// deluge asks for more CHILD SAs than there may be on one IKE SA, on two of them, with as many addresses each as it may have,
// and ends one IKE SA. None of its CHILD SAs has all the addresses of one of the other, which takes long to find out.
func (x *insider) deluge() string {
	x.sessions = nil
	var both []*session
	for _, x.meek = range []uint32{60, 59} {
		n := len(x.sessions)
		for len(x.sessions) == n {
			x.open()
		}
		s := x.sessions[n]
		for range maxChildrenOfOne + 20 {
			x.request(s, wire.ExchangeCreateChildSA, x.childPayloads(s, true)...)
		}
		both = append(both, s)
	}
	x.meek = 0
	x.l.check()
	x.request(both[0], wire.ExchangeInformational, &wire.Delete{Protocol: wire.ProtocolIKE})
	return x.id + " asks for CHILD SAs without end"
}

// anAddress is one that may be its own, another peer's, the gateway's, or nobody's.
func (x *insider) anAddress() netip.Addr {
	list := []string{addrA, addrB, addrC, "127.0.0.1", "224.0.0.5", "255.255.255.255", "10.1.0.9", "10.77.0.9", "100.64.9.9", "0.0.0.0"}
	return netip.MustParseAddr(list[x.rng.IntN(len(list))])
}

// move sends an update of the addresses from one that may not be its own.
func (x *insider) move(s *session) {
	was := s.from
	if x.rng.IntN(2) == 0 {
		s.from = netip.AddrPortFrom(x.anAddress(), 4500)
	}
	x.l.inject(s, s.seal(wire.ExchangeInformational, s.next, &wire.Notify{NotifyType: wire.NotifyUpdateSAAddresses},
		&wire.Notify{NotifyType: wire.NotifyCookie2, Data: random(16)}))
	settle(3 * latency)
	s.next++ // whether it was answered, only the one at that address knows
	s.from = was
	x.poll(s)
}
