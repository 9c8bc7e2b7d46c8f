package sa

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/peertest"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// Exchanges of two real strongSwans are played with one of them replaced by a machine of this package, once for each side.
// The machine gets the nonces, SPIs and private values that this strongSwan had, so that what the other one has sent,
// AUTH included, has to fit what the machine says.
func TestRecordedStrongSwan(t *testing.T) {
	for _, c := range []struct {
		name, ike, esp string
		edit           func(*Config)
		// children is how many CHILD SAs there are before the IKE SA is deleted.
		children int
	}{
		{name: "aead", ike: "aes256gcm16-prfsha384-ecp384", esp: "aes256gcm16-ecp384", children: 1},
		{name: "cbc", ike: "aes128-sha256-modp2048", esp: "aes256-sha256-modp2048", children: 1},
		{name: "ppk", ike: "aes256gcm16-prfsha384-ecp384", esp: "aes256gcm16-ecp384", children: 1,
			edit: func(c *Config) { c.PPKID, c.PPKRequired = "ppk-1", true }},
		{name: "ts-unacceptable", ike: "aes256gcm16-prfsha384-ecp384", esp: "aes256gcm16-ecp384",
			edit: func(c *Config) {
				if c.Name == "b" {
					c.Children[0].LocalTS = mustTS(t, "10.77.0.0/16")
				}
			}},
		{name: "invalid-ke", ike: "aes256gcm16-prfsha384-ecp384-x25519", esp: "aes256gcm16-ecp384-x25519", children: 1,
			edit: func(c *Config) {
				if c.Name == "b" {
					c.Proposals = mustProposals(t, wire.ProtocolIKE, "aes256gcm16-prfsha384-x25519")
					c.Children[0].Proposals = mustProposals(t, wire.ProtocolESP, "aes256gcm16-x25519")
				}
			}},
	} {
		for _, side := range []string{"a", "b"} {
			t.Run(c.name+"/"+side, func(t *testing.T) {
				p := newRecorded(t, c.name, side)
				p.configure(c.ike, c.esp, c.edit)
				p.play(c.children)
			})
		}
	}
}

// recorded plays one side of a recording.
type recorded struct {
	t     *testing.T
	r     *rig
	e     *end // the machine's side
	side  string
	rec   *peertest.Recording
	steps []*peertest.Step
	// next is the step that is played.
	next int
	// children is how many there were at most.
	children int
}

func newRecorded(t *testing.T, name, side string) *recorded {
	f, err := os.Open("../peertest/testdata/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rec, err := peertest.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	steps, err := rec.Open()
	if err != nil {
		t.Fatal(err)
	}
	p := &recorded{t: t, side: side, rec: rec, steps: steps}
	p.r = newRig(t, 1, nil)
	p.e = p.r.a
	p.e.psk = map[string]string{"": string(rec.PSK)}
	p.e.env.PPK = func(id string) ([]byte, bool) { return rec.PPK, id == "ppk-1" }
	p.e.env.HasPPK = func() bool { return rec.PPK != nil }
	// What would be random is what it was: in the order of the messages that this side has sent.
	var spis []wire.SPI
	var esp []uint32
	for _, s := range steps {
		if s.From != side || p.wrongGroup(s) {
			continue
		}
		h := s.Header
		if sa := peertest.Find[*wire.SA](s.Payloads); sa != nil {
			switch spi := sa.Proposals[0].SPI; {
			case len(spi) == 4:
				esp = appendNew(esp, binary.BigEndian.Uint32(spi))
			case len(spi) == 8:
				spis = appendNew(spis, wire.SPI(binary.BigEndian.Uint64(spi)))
			case h.Flags.Initiator():
				spis = appendNew(spis, h.SPIi)
			default:
				spis = appendNew(spis, h.SPIr)
			}
		}
		if n := peertest.Find[*wire.Nonce](s.Payloads); n != nil {
			p.e.nonces = append(p.e.nonces, n.Data)
		}
	}
	p.e.env.NewSPI = func() wire.SPI { return take(p, &spis, "SPI of an IKE SA") }
	p.e.env.AllocateSPI = func() (uint32, error) {
		spi := take(p, &esp, "SPI of a CHILD SA")
		p.e.spis[spi] = true
		return spi, nil
	}
	p.e.desk.carryOut = func(k KeyExchange) Result {
		if k.Own != nil {
			return k.CarryOut()
		}
		s := p.ownKE(k.Group)
		if k.Peer != nil {
			return Exchanged{Public: s.public, Shared: s.shared}
		}
		return Exchanged{Own: recordedKE{p: p, group: k.Group, public: s.public, shared: s.shared}}
	}
	return p
}

// wrongGroup reports whether a request was answered with INVALID_KE_PAYLOAD. Whether the one that is made then has another
// nonce is up to its sender: strongSwan's has, the machine's has not.
func (p *recorded) wrongGroup(s *peertest.Step) bool {
	return s.Answer >= 0 && peertest.Notify(p.steps[s.Answer].Payloads, wire.NotifyInvalidKEPayload) != nil
}

func appendNew[T comparable](list []T, x T) []T {
	if slices.Contains(list, x) {
		return list
	}
	return append(list, x)
}

func take[T any](p *recorded, list *[]T, what string) (x T) {
	if len(*list) == 0 {
		p.t.Fatalf("step %d: the machine wants an %s more than strongSwan did", p.next, what)
	}
	x, *list = (*list)[0], (*list)[1:]
	return x
}

// ownKE finds the public value that this side sends next with a group, and the secret of that exchange.
func (p *recorded) ownKE(group uint16) (found struct{ public, shared []byte }) {
	for _, s := range p.steps[p.next:] {
		if ke := peertest.Find[*wire.KE](s.Payloads); ke != nil && s.From == p.side && ke.Group == group {
			found.public, found.shared = ke.Data, s.Shared
			return found
		}
	}
	p.t.Fatalf("step %d: this side has made no key exchange with %s any more", p.next, wire.TransformName(wire.TransformKE, group))
	return found
}

// recordedKE is a key exchange whose private value nobody knows any more.
type recordedKE struct {
	p              *recorded
	group          uint16
	public, shared []byte
}

func (k recordedKE) Group() uint16  { return k.group }
func (k recordedKE) Public() []byte { return k.public }
func (k recordedKE) Shared(peer []byte) ([]byte, error) {
	if k.shared == nil {
		k.p.t.Errorf("step %d: a secret of a key exchange that strongSwan has not finished", k.p.next)
	}
	return k.shared, nil
}

// configure gives the machine the configuration that the strongSwan in its place had.
func (p *recorded) configure(ike, esp string, edit func(*Config)) {
	c := p.e.cfg
	c.Name = p.side
	c.DPDDelay, c.RekeyTime, c.HardTime, c.KeepAlive = 0, 0, 0, 0
	c.Children[0].RekeyTime, c.Children[0].HardTime = 0, 0
	c.Proposals = mustProposals(p.t, wire.ProtocolIKE, ike)
	c.Children[0].Proposals = mustProposals(p.t, wire.ProtocolESP, esp)
	auth := p.steps[slices.IndexFunc(p.steps, func(s *peertest.Step) bool { return s.Header.Exchange == wire.ExchangeIKEAuth })]
	local, remote := peertest.ID(auth.Payloads, false), peertest.ID(auth.Payloads, true)
	tsi, tsr := ranges(p.t, peertest.TS(auth.Payloads, false)), ranges(p.t, peertest.TS(auth.Payloads, true))
	if p.side == "b" {
		local, remote, tsi, tsr = remote, local, tsr, tsi
	}
	c.LocalID, c.RemoteID = mustID(p.t, string(local.Data)), mustID(p.t, string(remote.Data))
	c.Children[0].LocalTS, c.Children[0].RemoteTS = tsi, tsr
	if edit != nil {
		edit(c)
	}
}

func ranges(t *testing.T, ts *wire.TS) (out []selector.Selector) {
	for _, s := range ts.Selectors {
		out = append(out, mustTS(t, prefixOf(t, s.Start, s.End).String())...)
	}
	return out
}

// prefixOf is the network that a range is.
func prefixOf(t *testing.T, start, end netip.Addr) netip.Prefix {
	for bits := range start.BitLen() + 1 {
		if p, _ := start.Prefix(bits); p.Addr() == start && p.Contains(end) && !p.Contains(end.Next()) {
			return p
		}
	}
	t.Fatalf("%s-%s is no network", start, end)
	return netip.Prefix{}
}

// play goes through the steps.
func (p *recorded) play(children int) {
	for i, s := range p.steps {
		p.next = i
		p.r.now = p.r.now.Add(10 * time.Millisecond)
		if s.From == p.side {
			p.own(s)
		} else {
			p.e.receive(flight{to: p.e, path: p.e.path(), data: s.Datagram, at: p.r.now})
		}
		p.children = max(p.children, len(p.e.liveChildren()))
		if p.t.Failed() {
			p.t.Fatalf("at step %d:\n%s", i, peertest.Ladder(p.steps[:i+1]))
		}
	}
	if len(p.r.wire) != 0 {
		p.t.Errorf("the machine has more to say: %v", headerOf(p.r.wire[0].data))
	}
	if p.children != children {
		p.t.Errorf("%d CHILD SAs at once, want %d", p.children, children)
	}
	if len(p.e.live()) != 0 || len(p.e.inbound)+len(p.e.outbound)+len(p.e.spis) != 0 {
		p.t.Errorf("%d IKE SAs, %d and %d directions and %d SPIs are left", len(p.e.live()), len(p.e.inbound), len(p.e.outbound), len(p.e.spis))
	}
	for _, f := range p.e.failures {
		if children != 0 && f.Code != diag.CodeDeleted { // the peer's DELETE of the IKE SA ends each
			p.t.Errorf("%v", f)
		}
	}
}

// own takes the message that the machine has to send in the place of this step, after having it begun where the operator of
// that strongSwan has.
func (p *recorded) own(s *peertest.Step) {
	if len(p.r.wire) == 0 {
		p.command(s)
	}
	if len(p.r.wire) == 0 {
		p.t.Fatalf("the machine does not send what strongSwan has:\n%s", peertest.Ladder(p.steps[:p.next+1]))
	}
	f := p.r.wire[0]
	p.r.wire = p.r.wire[1:]
	h := headerOf(f.data)
	want := s.Header
	h.NextPayload, h.Length, want.NextPayload, want.Length = 0, 0, 0, 0
	if h != want {
		p.t.Errorf("the machine sends %+v, strongSwan %+v", h, want)
		return
	}
	var got []wire.Payload
	if s.SA == nil {
		msg, err := wire.Parse(f.data)
		if err != nil {
			p.t.Fatal(err)
		}
		got = msg.Payloads
	} else {
		var err error
		if _, got, err = s.SA.Open(f.data); err != nil {
			p.t.Fatalf("with the keys of strongSwan: %v", err)
		}
	}
	p.compare(got, s.Payloads, p.wrongGroup(s))
}

// compare holds what is negotiated to what it was. The two may differ in what they announce, in the order of proposals and
// in AUTH values, which cover messages that differ.
func (p *recorded) compare(got, want []wire.Payload, wrongGroup bool) {
	for _, w := range want {
		switch w := w.(type) {
		case *wire.KE, *wire.Nonce, *wire.ID, *wire.Delete, *wire.TS, *wire.Auth:
			i := slices.IndexFunc(got, func(g wire.Payload) bool { return g.Type() == w.Type() })
			if i < 0 {
				p.t.Errorf("the machine's message has no %s", w.Type())
			} else if w.Type() != wire.PayloadAUTH && !(wrongGroup && w.Type() == wire.PayloadNonce) && !bytes.Equal(got[i].AppendBody(nil), w.AppendBody(nil)) {
				p.t.Errorf("%s: the machine sends %x, strongSwan %x", w.Type(), got[i].AppendBody(nil), w.AppendBody(nil))
			}
		case *wire.Notify:
			if n := peertest.Notify(got, w.NotifyType); w.NotifyType.IsError() && (n == nil || !bytes.Equal(n.Data, w.Data)) {
				p.t.Errorf("the machine does not answer %s", w.NotifyType)
			}
		}
	}
	if n := errorNotify(got); n != nil && peertest.Notify(want, n.NotifyType) == nil {
		p.t.Errorf("the machine answers %s, strongSwan does not", n.NotifyType)
	}
	sa, theirs := peertest.Find[*wire.SA](got), peertest.Find[*wire.SA](want)
	if (sa == nil) != (theirs == nil) {
		p.t.Errorf("SA payload: %t, strongSwan: %t", sa != nil, theirs != nil)
	}
}

// command does what the operator did when the step was recorded.
func (p *recorded) command(s *peertest.Step) {
	switch x := s.Header.Exchange; {
	case x == wire.ExchangeIKESAInit:
		p.e.connect()
		return
	case x == wire.ExchangeCreateChildSA && peertest.Notify(s.Payloads, wire.NotifyRekeySA) != nil:
		m := p.e.machine()
		m.RekeyChild(p.r.now, p.e.liveChildren()[0].ID)
		p.e.drain(m)
	case x == wire.ExchangeCreateChildSA:
		m := p.e.machine()
		m.RekeyIKE(p.r.now)
		p.e.drain(m)
	case x == wire.ExchangeInformational:
		m := p.e.machine()
		m.Delete(p.r.now, "operator")
		p.e.drain(m)
	}
}
