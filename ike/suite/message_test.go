package suite

import (
	"bytes"
	"testing"

	"esplanade/ike/wire"
)

// TestProtectedMessages puts packages wire and suite together as an IKE SA does: SK and SKF, in every suite.
func TestProtectedMessages(t *testing.T) {
	payloads := []wire.Payload{
		&wire.Nonce{Data: seq(1, 32)},
		&wire.Notify{NotifyType: wire.NotifyInitialContact},
	}
	plain := wire.AppendPayloads(nil, payloads)
	first := wire.FirstType(payloads)
	h := wire.Header{
		SPIi: 0x0102030405060708, SPIr: 0x1112131415161718, Major: 2,
		Exchange: wire.ExchangeIKEAuth, Flags: wire.FlagInitiator, MessageID: 1,
	}
	for _, s := range allSuites() {
		seal, open := pair(t, s)
		sk := wire.AppendProtected(nil, h, first, seal.BodyLen(len(plain)))
		skf := wire.AppendProtectedFragment(nil, h, first, 1, 3, seal.BodyLen(len(plain)))
		for name, start := range map[string][]byte{"SK": sk, "SKF": skf} {
			datagram, err := seal.Seal(start, len(start), plain)
			if err != nil {
				t.Fatal(err)
			}
			m, err := wire.Parse(datagram)
			if err != nil {
				t.Fatalf("%s, %s: %v", s, name, err)
			}
			e := m.Encrypted
			if e == nil || e.AADLen != len(start) || e.First != first || e.Fragment != (name == "SKF") {
				t.Fatalf("%s, %s: %+v", s, name, e)
			}
			got, err := open.Open(datagram, e.AADLen)
			if err != nil || !bytes.Equal(got, plain) {
				t.Fatalf("%s, %s: %x, %v", s, name, got, err)
			}
			ps, err := wire.ParsePayloads(e.First, got, 0)
			if err != nil || len(ps) != 2 {
				t.Fatalf("%s, %s: %v, %v", s, name, ps, err)
			}
			// The number of the fragment is authentic as well.
			if name == "SKF" {
				datagram[len(start)-1]++
				if _, err := open.Open(datagram, e.AADLen); err == nil {
					t.Errorf("%s: the total of fragments can be changed", s)
				}
			}
		}
	}
}
