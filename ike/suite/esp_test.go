package suite

import (
	"bytes"
	"fmt"
	"testing"

	"esplanade/esp"
	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// TestEveryESPKeyword carries a packet under each combination of encryption, integrity and sequence numbers that an ESP
// proposal can name, with keys from ChildKeyMat: whatever can be negotiated, package esp can do.
func TestEveryESPKeyword(t *testing.T) {
	var encrs, integs []string
	for _, k := range proposal.Keywords(wire.ProtocolESP) {
		switch {
		case !k.Canonical:
		case k.Transform.Type == wire.TransformENCR:
			encrs = append(encrs, k.Name)
		case k.Transform.Type == wire.TransformINTEG:
			integs = append(integs, "-"+k.Name)
		}
	}
	combinations := 0
	for _, e := range encrs {
		for _, i := range append(integs, "") {
			for _, n := range []string{"", "-esn"} {
				p, err := proposal.Parse(wire.ProtocolESP, e+i+n)
				if err != nil {
					continue // an AEAD with integrity, or a cipher without
				}
				combinations++
				t.Run(p.String(), func(t *testing.T) { carryPacket(t, p) })
			}
		}
	}
	if want := 2 * (9 + 2 + 7*6); combinations != want {
		t.Errorf("%d combinations, want %d", combinations, want)
	}
}

func carryPacket(t *testing.T, p proposal.Proposal) {
	c, err := proposal.Choose([]proposal.Proposal{p}, []wire.Proposal{p.Wire(1, []byte{0, 0, 1, 0})}, proposal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := esp.Suite{Encr: c.Encr.ID, KeyBits: int(c.Encr.KeyLength), Integ: c.Integ, ESN: c.ESN == wire.ESN_ESN}
	encr, integ, err := s.KeyLen()
	if err != nil {
		t.Fatal(err)
	}
	km, err := ChildKeyMat(mustPRF(t, wire.PRF_HMAC_SHA2_256), seq(1, 32), nil, seq(2, 16), seq(3, 16), encr+integ)
	if err != nil {
		t.Fatal(err)
	}
	out, err := esp.NewOutbound(esp.OutboundConfig{SPI: 0x1000, Suite: s, EncrKey: km[:encr], IntegKey: km[encr:]})
	if err != nil {
		t.Fatal(err)
	}
	in, err := esp.NewInbound(esp.InboundConfig{SPI: 0x1000, Suite: s, EncrKey: km[:encr], IntegKey: km[encr:]})
	if err != nil {
		t.Fatal(err)
	}
	number, err := out.Reserve(1)
	if err != nil {
		t.Fatal(err)
	}
	packet := append(make([]byte, 0, 100+esp.TrailerRoom), seq(0x45, 100)...)
	dst := make([]byte, 100+s.Overhead(100))
	n, err := out.Seal(new(esp.Scratch), dst, packet, 4, number)
	if err != nil {
		t.Fatal(err)
	}
	got, _, next, gotNumber, err := in.Open(new(esp.Scratch), dst[:n])
	if err != nil || next != 4 || gotNumber != number || !bytes.Equal(got, packet) {
		t.Errorf("%s: %x, next header %d, number %d, %v", fmt.Sprint(s), got, next, gotNumber, err)
	}
}
