package sa

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"esplanade/ike/peertest"
	"esplanade/ike/wire"
)

// figure plays an exchange of an RFC with one machine. The other end is a [peertest.Peer] with keys of its own, and the test
// says what it sends. Each expectation carries its reason, which a failed test prints.
type figure struct {
	t *testing.T
	r *rig
	e *end
	p *peertest.Peer
	// h and got are the machine's latest message.
	h   wire.Header
	got []wire.Payload
	// spi is the next SPI of the peer's CHILD SAs.
	spi uint32
}

// What the peer of a figure proposes: ENCR_AES_GCM_16 with 128 bits, PRF_HMAC_SHA2_256, Curve25519; the same for its CHILD SAs,
// without extended sequence numbers.
var (
	figureIKE = wire.Proposal{Number: 1, Protocol: wire.ProtocolIKE, Transforms: []wire.Transform{
		{Type: wire.TransformENCR, ID: 20, KeyLength: 128}, {Type: wire.TransformPRF, ID: 5}, {Type: wire.TransformKE, ID: 31}}}
	figureESP = wire.Proposal{Number: 1, Protocol: wire.ProtocolESP, Transforms: []wire.Transform{
		{Type: wire.TransformENCR, ID: 20, KeyLength: 128}, {Type: wire.TransformESN, ID: 0}}}
	figureGroup = wire.Transform{Type: wire.TransformKE, ID: 31}
)

// newFigure makes a machine's side and a peer. initiator: the peer is the original initiator.
func newFigure(t *testing.T, initiator bool) *figure {
	f := &figure{t: t, r: newRig(t, 5, nil), spi: 0xb000}
	f.e = f.r.a
	c := f.e.cfg
	// Only the test makes anything happen.
	c.DPDDelay, c.RekeyTime, c.HardTime, c.KeepAlive = 0, 0, 0, 0
	c.Children[0].RekeyTime, c.Children[0].HardTime = 0, 0
	f.p = &peertest.Peer{
		Initiator: initiator, Secret: []byte("secret"), Identity: &wire.ID{IDType: wire.IDFQDN, Data: []byte("b.example")},
		SPI: 0xb0b0, Nonce: nonceStarting(7), Group: 31, Proposal: figureIKE,
	}
	return f
}

// established brings up the IKE SA with a CHILD SA.
func (f *figure) established() *figure {
	f.t.Helper()
	if f.p.Initiator {
		f.raw(f.p.Init())
		f.takeInit()
		f.sends(wire.ExchangeIKEAuth, f.auth(true)...)
		f.wants("IKE_AUTH response { IDr AUTH SA TSi TSr }", "both ends prove themselves and the first CHILD SA is made, RFC 7296 1.2")
	} else {
		f.e.connect()
		f.answerInit()
		f.wants("IKE_AUTH request { IDi N(INIT_CONTACT) IDr AUTH SA TSi TSr }", "RFC 7296 1.2")
		f.answers(f.auth(false)...)
	}
	if len(f.e.live()) != 1 || f.e.live()[0].State() != StateEstablished || len(f.e.liveChildren()) != 1 {
		f.t.Fatalf("%d IKE SAs and %d CHILD SAs", len(f.e.live()), len(f.e.liveChildren()))
	}
	return f
}

func (f *figure) takeInit() {
	f.t.Helper()
	if _, err := f.p.TakeInit(f.next("an answer to IKE_SA_INIT")); err != nil {
		f.t.Fatal(err)
	}
}

func (f *figure) answerInit() {
	f.t.Helper()
	answer, err := f.p.AnswerInit(f.next("IKE_SA_INIT"))
	if err != nil {
		f.t.Fatal(err)
	}
	f.raw(answer)
}

// auth are the peer's IKE_AUTH payloads with a CHILD SA.
func (f *figure) auth(request bool) []wire.Payload {
	return append(f.p.Auth(), f.child(request, false)...)
}

// child are SA, TSi and TSr of the peer, in a CREATE_CHILD_SA exchange with nonce and key exchange.
func (f *figure) child(request, pfs bool) []wire.Payload {
	f.spi++
	x := figureESP
	x.SPI = binary.BigEndian.AppendUint32(nil, f.spi)
	local := &wire.TS{Responder: !request, Selectors: toWireTS(false, mustTS(f.t, "10.2.0.0/16")).Selectors}
	remote := &wire.TS{Responder: request, Selectors: toWireTS(false, mustTS(f.t, "10.1.0.0/16")).Selectors}
	tsi, tsr := local, remote
	if !request {
		tsi, tsr = remote, local
	}
	if !pfs {
		return []wire.Payload{&wire.SA{Proposals: []wire.Proposal{x}}, tsi, tsr}
	}
	x.Transforms = append([]wire.Transform{figureGroup}, x.Transforms...)
	return []wire.Payload{&wire.SA{Proposals: []wire.Proposal{x}}, &wire.Nonce{Data: nonceStarting(byte(f.spi))}, tsi, tsr}
}

// raw delivers a datagram of the peer.
func (f *figure) raw(b []byte) {
	f.t.Helper()
	f.r.now = f.r.now.Add(10 * time.Millisecond)
	fmt.Fprintf(&f.r.ladder, "%8s  peer --> %s id %d\n", f.r.now.Sub(epoch), headerOf(b).Exchange, headerOf(b).MessageID)
	f.e.receive(flight{to: f.e, path: f.e.path(), data: b, at: f.r.now})
}

// sends delivers the peer's next request; answers delivers its answer to the machine's latest request.
func (f *figure) sends(x wire.ExchangeType, ps ...wire.Payload) {
	f.t.Helper()
	f.raw(f.p.Request(x, ps...))
}

func (f *figure) answers(ps ...wire.Payload) {
	f.t.Helper()
	f.raw(f.p.Answer(f.h, ps...))
}

// next takes the oldest datagram of the machine.
func (f *figure) next(why string) []byte {
	f.t.Helper()
	if len(f.r.wire) == 0 {
		f.t.Fatalf("the machine sends nothing; want %s", why)
	}
	b := f.r.wire[0].data
	f.r.wire = f.r.wire[1:]
	return b
}

// wants opens the machine's oldest message with the peer's keys and compares it. The notifications in which an end says what
// it is able to do are left out.
func (f *figure) wants(message, why string) {
	f.t.Helper()
	var err error
	if f.h, f.got, err = f.p.Open(f.next(message + ": " + why)); err != nil {
		f.t.Fatalf("%v; want %s: %s", err, message, why)
	}
	if got := shape(f.h, f.got); got != message {
		f.t.Fatalf("the machine sends %s, want %s: %s", got, message, why)
	}
}

// quiet checks that the machine says nothing.
func (f *figure) quiet(why string) {
	f.t.Helper()
	if len(f.r.wire) != 0 {
		h, ps, _ := f.p.SA.Open(f.r.wire[0].data)
		f.t.Fatalf("the machine sends %s, want nothing: %s", shape(h, ps), why)
	}
}

// shape is a message in the notation of the RFC's figures.
func shape(h wire.Header, ps []wire.Payload) string {
	var kept []wire.Payload
	for _, p := range ps {
		if n, ok := p.(*wire.Notify); ok {
			switch n.NotifyType {
			case wire.NotifyIKEv2FragmentationSupported, wire.NotifyIKEv2MessageIDSyncSupported, wire.NotifyChildlessIKEv2Supported,
				wire.NotifyRedirectSupported, wire.NotifyNATDetectionSourceIP, wire.NotifyNATDetectionDestinationIP, wire.NotifyMOBIKESupported,
				wire.NotifyMultipleAuthSupported, wire.NotifyIKESAInitFullTranscriptAuth:
				continue
			}
		}
		kept = append(kept, p)
	}
	s := wire.Summary(h, kept)
	head, list, _ := strings.Cut(s, " [")
	words := strings.Fields(head)
	return strings.Join(words[:2], " ") + " {" + strings.TrimSuffix(list, "]") + "}"
}

// wantKeys checks that the newest CHILD SA of the machine has the keys that the formula of RFC 7296 section 2.17 gives: those
// of the exchange's initiator come first, and for each direction the encryption key.
func (f *figure) wantKeys(peerInitiated bool, shared, ni, nr []byte) {
	f.t.Helper()
	children := f.e.liveChildren()
	c := children[len(children)-1]
	const n = 16 + 4 // a key of 128 bits, and the salt of RFC 4106
	mat := f.p.SA.ChildKeys(shared, ni, nr, 2*n)
	in, out := mat[n:], mat[:n]
	if peerInitiated {
		in, out = out, in
	}
	if !bytes.Equal(c.Inbound.EncrKey, in) || !bytes.Equal(c.Outbound.EncrKey, out) {
		f.t.Errorf("the CHILD SA has the keys %x and %x, want %x and %x", c.Inbound.EncrKey, c.Outbound.EncrKey, in, out)
	}
	if got := binary.BigEndian.AppendUint32(nil, c.Outbound.SPI); binary.BigEndian.Uint32(got) != f.spi {
		f.t.Errorf("the machine sends with SPI %08x, want %08x", c.Outbound.SPI, f.spi)
	}
}
