package gateway

import (
	"crypto/sha1"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"esplanade/ike/peertest"
	"esplanade/ike/proposal"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// product is one of the known gateways or clients on the fabric: the test plays it, with keys of its own.
type product struct {
	known peertest.Product
	*peertest.Peer
	t *testing.T
	f *fabric
	n *node

	mu    sync.Mutex
	inbox []datagram

	h   wire.Header
	got []wire.Payload
	spi uint32
	// proof is what it proves itself with in place of its key, if anything.
	proof func() []wire.Payload
	// esp is what the latest exchange about a CHILD SA has chosen, ike what the IKE SA has.
	esp, ike string
	// renewed is the answer to the latest rekeying.
	renewed []wire.Payload
	// everything: its selectors are all addresses, as clients have them that get one.
	everything bool
}

// datagram is one that has arrived at the product.
type datagram struct {
	from, to netip.AddrPort
	data     []byte
}

// meet puts a product and a daemon on a fabric. more are keys of the connection, and extra tables behind it.
func meet(t *testing.T, name, action, more string) *product {
	t.Helper()
	k := peertest.KnownAs(name)
	text := "[connections.known]\nlocal_addrs = " + `"` + addrA + `"` + "\nremote_addrs = " + `"` + addrB + `"` + "\nlocal_ts = \"10.1.0.0/16\"\nremote_ts = \"10.2.0.0/16\"\n" +
		"secret = \"" + testKey + "\"\nstart_action = \"" + action + "\"\n" + more
	if k.Preset != "" {
		text += "\npreset = \"" + k.Preset + "\"\n"
	}
	return meetWith(t, k, text)
}

// meetWith puts a product and a daemon with a configuration on a fabric.
func meetWith(t *testing.T, k peertest.Product, text string) *product {
	t.Helper()
	p := &product{known: k, t: t, f: newFabric(t), spi: 0xc000}
	p.Peer = &peertest.Peer{
		Secret: []byte(testKey), Identity: &wire.ID{IDType: wire.IDIPv4Addr, Data: netip.MustParseAddr(addrB).AsSlice()},
		SPI: 0xb0b0, Nonce: []byte("a nonce of 32 bytes for a test.."),
	}
	if k.ID != nil {
		p.Identity = k.ID
	}
	b := netip.MustParseAddr(addrB)
	p.f.setDeliver(func(from, to netip.AddrPort, data []byte) bool {
		if to.Addr() != b {
			return true
		}
		p.mu.Lock()
		p.inbox = append(p.inbox, datagram{from, to, slices.Clone(data)})
		p.mu.Unlock()
		return false
	})
	p.n = p.f.start(addrA, text)
	return p
}

// prove are its identity and AUTH.
func (p *product) prove() []wire.Payload {
	if p.proof != nil {
		return p.proof()
	}
	return p.Auth()
}

// next waits for a datagram of the daemon.
func (p *product) next(why string) datagram {
	p.t.Helper()
	for range 100 {
		p.mu.Lock()
		if len(p.inbox) > 0 {
			d := p.inbox[0]
			p.inbox = p.inbox[1:]
			p.mu.Unlock()
			return d
		}
		p.mu.Unlock()
		settle(10 * time.Millisecond)
	}
	p.t.Fatalf("%s: the daemon sends nothing, want %s\n%s", p.known.Name, why, p.n.log)
	return datagram{}
}

// quiet checks that the daemon says nothing for a while that is shorter than any of its timers.
func (p *product) quiet() {
	p.t.Helper()
	settle(500 * time.Millisecond)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.inbox) > 0 {
		p.t.Fatalf("%s: the daemon has sent %d datagrams", p.known.Name, len(p.inbox))
	}
}

// send delivers a datagram to the daemon, on the port where the IKE SA is.
func (p *product) send(b []byte) {
	port := uint16(500)
	if h, err := wire.ParseHeader(b); err == nil && h.Exchange != wire.ExchangeIKESAInit {
		port = 4500 // the daemon forces UDP encapsulation, so that both move
	}
	p.n.d.HandleIKE(netip.AddrPortFrom(p.n.addr, port), netip.AddrPortFrom(netip.MustParseAddr(addrB), port), b)
	settle(latency)
}

// natd are the NAT_DETECTION notifications of an end that has no translator before it.
func (p *product) natd(spii, spir wire.SPI) (out []wire.Payload) {
	for _, x := range []struct {
		t wire.NotifyType
		a string
	}{{wire.NotifyNATDetectionSourceIP, addrB}, {wire.NotifyNATDetectionDestinationIP, addrA}} {
		b := binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(spii)), uint64(spir))
		b = binary.BigEndian.AppendUint16(append(b, netip.MustParseAddr(x.a).AsSlice()...), 500)
		h := sha1.Sum(b)
		out = append(out, &wire.Notify{NotifyType: x.t, Data: h[:]})
	}
	return out
}

// open takes the daemon's next message, which must be protected with the product's keys.
func (p *product) open(why string) {
	p.t.Helper()
	var err error
	if p.h, p.got, err = p.Open(p.next(why).data); err != nil {
		p.t.Fatalf("%s: %s: %v\n%s", p.known.Name, why, err, p.n.log)
	}
}

// ask sends the product's next request, and takes the answer.
func (p *product) ask(why string, x wire.ExchangeType, ps ...wire.Payload) {
	p.t.Helper()
	p.send(p.Request(x, ps...))
	p.open(why)
}

// ts are the selectors of both sides; initiator: the product asks.
func (p *product) ts(initiator bool) []wire.Payload {
	if p.everything {
		return allTraffic()
	}
	net := func(s string) []wire.TrafficSelector {
		x := netip.MustParsePrefix(s)
		end := x.Addr().As4()
		end[2], end[3] = 255, 255
		return []wire.TrafficSelector{{StartPort: 0, EndPort: 65535, Start: x.Addr(), End: netip.AddrFrom4(end)}}
	}
	own, other := net("10.2.0.0/16"), net("10.1.0.0/16")
	if !initiator {
		own, other = other, own
	}
	return []wire.Payload{&wire.TS{Selectors: own}, &wire.TS{Responder: true, Selectors: other}}
}

// child is its offer for a CHILD SA.
func (p *product) child(ke bool) *wire.SA {
	p.spi++
	list := p.known.ESP
	if ke && p.known.Again != nil {
		list = p.known.Again
	}
	return &wire.SA{Proposals: peertest.Offer(wire.ProtocolESP, binary.BigEndian.AppendUint32(nil, p.spi), ke, list...)}
}

// chosen is the notation of an answer.
func chosen(ps []wire.Payload) string {
	x := peertest.Find[*wire.SA](ps)
	if x == nil || len(x.Proposals) != 1 {
		return ""
	}
	return proposal.FormatWire(x.Proposals[0])
}

// calls has the product bring the tunnel up. It takes another group and returns a cookie if it is told so. It returns the notification
// that it was refused with, if it was.
func (p *product) calls() (refused wire.NotifyType) {
	p.t.Helper()
	if refused := p.begins(); refused != 0 {
		return refused
	}
	auth := append(p.prove(), p.known.Auth...)
	p.ask("IKE_AUTH", wire.ExchangeIKEAuth, slices.Concat(auth, p.asked(), []wire.Payload{p.child(false)}, p.ts(true))...)
	if !p.Verify(p.got) {
		p.t.Fatalf("%s: the daemon has not proven itself: %s\n%s", p.known.Name, wire.Summary(p.h, p.got), p.n.log)
	}
	p.esp = chosen(p.got)
	return 0
}

// asked is the identity that it asks the daemon for, if it does.
func (p *product) asked() []wire.Payload {
	if p.known.Asked == nil {
		return nil
	}
	asked := *p.known.Asked
	asked.Responder = true
	return []wire.Payload{&asked}
}

// begins is IKE_SA_INIT.
func (p *product) begins() (refused wire.NotifyType) {
	p.t.Helper()
	p.Initiator = true
	p.Offers = peertest.Offer(wire.ProtocolIKE, nil, true, p.known.IKE...)
	p.Group = peertest.GroupOf(p.Offers[0])
	for range 3 {
		p.send(p.Init(append(slices.Clone(p.known.Init), p.natd(p.SPI, 0)...)...))
		answer := p.next("an answer to IKE_SA_INIT").data
		ps, err := p.TakeInit(answer)
		if c := peertest.Notify(ps, wire.NotifyCookie); c != nil {
			p.Cookie = c.Data
			continue
		}
		if ke := peertest.Notify(ps, wire.NotifyInvalidKEPayload); ke != nil {
			p.Group = binary.BigEndian.Uint16(ke.Data)
			continue
		}
		if n := peertest.Find[*wire.Notify](ps); err != nil && n != nil {
			return n.NotifyType
		}
		if err != nil {
			p.t.Fatalf("%s: %v\n%s", p.known.Name, err, p.n.log)
		}
		p.ike = chosen(ps)
		break
	}
	return 0
}

// answers has the product answer the daemon, by its own list. It refuses what is not in it, and then returns false.
func (p *product) answers() bool {
	p.t.Helper()
	d := p.next("IKE_SA_INIT")
	msg, err := wire.Parse(d.data)
	if err != nil {
		p.t.Fatal(err)
	}
	x, ok := peertest.Choose(peertest.Offer(wire.ProtocolIKE, nil, true, p.known.IKE...), peertest.Find[*wire.SA](msg.Payloads).Proposals)
	if !ok {
		no := wire.Message{Header: wire.Header{SPIi: msg.Header.SPIi, Major: wire.MajorVersion, Exchange: wire.ExchangeIKESAInit, Flags: wire.FlagResponse},
			Payloads: []wire.Payload{&wire.Notify{NotifyType: wire.NotifyNoProposalChosen}}}
		p.send(no.Append(nil))
		return false
	}
	if got := peertest.Find[*wire.KE](msg.Payloads).Group; got != peertest.GroupOf(x) {
		p.t.Errorf("%s: the KE payload has group %d, and it takes %d: another round trip", p.known.Name, got, peertest.GroupOf(x))
	}
	p.Proposal, p.Group = x, peertest.GroupOf(x)
	answer, err := p.AnswerInit(d.data, append(slices.Clone(p.known.Init), p.natd(msg.Header.SPIi, p.SPI)...)...)
	if err != nil {
		p.t.Fatal(err)
	}
	p.ike = proposal.FormatWire(x)
	p.send(answer)
	p.open("IKE_AUTH")
	if !p.Verify(p.got) {
		p.t.Fatalf("%s: the daemon has not proven itself\n%s", p.known.Name, p.n.log)
	}
	c, ok := peertest.Choose(p.child(false).Proposals, peertest.Find[*wire.SA](p.got).Proposals)
	if !ok {
		p.t.Fatalf("%s: it takes none of the CHILD SA's proposals: %s", p.known.Name, wire.Summary(p.h, p.got))
	}
	p.esp = proposal.FormatWire(c)
	auth := slices.DeleteFunc(slices.Clone(p.known.Auth), func(x wire.Payload) bool { _, cp := x.(*wire.CP); return cp })
	p.send(p.Answer(p.h, slices.Concat(p.prove(), auth, []wire.Payload{&wire.SA{Proposals: []wire.Proposal{c}}}, p.ts(false))...))
	return true
}

// rekeys has the product renew the CHILD SA, with everything that it offers, and delete the old one in its way.
func (p *product) rekeys() {
	p.t.Helper()
	old := binary.BigEndian.AppendUint32(nil, p.spi)
	offer := p.child(true)
	ps := slices.Concat([]wire.Payload{&wire.Notify{Protocol: wire.ProtocolESP, SPI: old, NotifyType: wire.NotifyRekeySA}}, p.known.Rekey,
		[]wire.Payload{offer, &wire.Nonce{Data: []byte(fmt.Sprintf("a nonce for CHILD SA %08x, .......", p.spi))}})
	group := peertest.GroupOf(offer.Proposals[0])
	for range 2 {
		with := slices.Clone(ps)
		if group != 0 {
			with = append(with, &wire.KE{Group: group, Data: peertest.KE(group).Public()})
		}
		p.ask("an answer to the rekeying", wire.ExchangeCreateChildSA, append(with, p.ts(true)...)...)
		n := peertest.Notify(p.got, wire.NotifyInvalidKEPayload)
		if n == nil {
			break
		}
		group = binary.BigEndian.Uint16(n.Data)
	}
	p.esp, p.renewed = chosen(p.got), p.got
	if p.esp == "" {
		p.t.Fatalf("%s: the rekeying is refused: %s\n%s", p.known.Name, wire.Summary(p.h, p.got), p.n.log)
	}
	p.ask("an answer to the Delete", wire.ExchangeInformational,
		append(slices.Clone(p.known.Delete), &wire.Delete{Protocol: wire.ProtocolESP, SPIs: [][]byte{old}})...)
	if peertest.Find[*wire.Delete](p.got) == nil {
		p.t.Errorf("%s: the other direction is not deleted: %s", p.known.Name, wire.Summary(p.h, p.got))
	}
}

// up checks that the daemon has one IKE SA with one CHILD SA that is installed, to the product's newest SPI.
func (p *product) up() {
	p.t.Helper()
	settle(100 * time.Millisecond)
	var spis []string
	for _, c := range p.n.child("known/known").SAs {
		if c.State == sa.ChildInstalled {
			spis = append(spis, fmt.Sprintf("%08x", c.RemoteSPI))
		}
	}
	if got := strings.Join(spis, " "); p.n.ikeSAs() != 1 || got != fmt.Sprintf("%08x", p.spi) {
		p.t.Fatalf("%s: %d IKE SAs, CHILD SAs to %s, want %08x\n%s", p.known.Name, p.n.ikeSAs(), got, p.spi, p.n.log)
	}
}
