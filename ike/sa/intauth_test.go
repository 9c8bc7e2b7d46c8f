package sa

import (
	"bytes"
	"testing"
	"time"

	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// "While reconstructing, the RESERVED field in the reconstructed Encrypted payload header MUST be set to the value of the RESERVED field in
// the Encrypted Fragment payload header from the first fragment", and payloads in the clear before it are a part of IntAuth's A.
// https://www.rfc-editor.org/rfc/rfc9242#section-3.3.2
func TestIntAuthOfFragments(t *testing.T) {
	clear := &wire.Notify{NotifyType: 40000, Data: []byte("in the clear")}
	for _, order := range [][2]int{{0, 1}, {1, 0}} {
		for _, reserved := range []byte{0, 0x15} {
			for _, more := range [][]wire.Payload{nil, {clear}, {clear, clear}} {
				r := newRig(t, 94, ikeProposals(t, hybrid, hybrid))
				r.drop = func(e *end, d []byte) bool { return headerOf(d).Exchange == wire.ExchangeIKEIntermediate }
				ma := r.a.connect()
				r.run(time.Second)
				mb := r.b.live()[0]
				w := ma.pending.whole
				// What comes before the SK or SKF payload.
				head := func(t wire.PayloadType) []byte {
					b := (&wire.Message{Header: w.header, Payloads: more}).Append(nil)
					at := 16
					for off := wire.HeaderLen; off < len(b); {
						at, off = off, off+int(b[off+2])<<8+int(b[off+3])
					}
					b[at] = byte(t)
					return b
				}
				half := len(w.plain) / 2
				var frags [][]byte
				for n, part := range [][]byte{w.plain[:half], w.plain[half:]} {
					b, first := head(wire.PayloadSKF), w.first
					if n > 0 {
						b = w.header.Append(nil)
						b[16], first = byte(wire.PayloadSKF), wire.PayloadNone
					}
					size := 8 + w.sealer.BodyLen(len(part))
					flags := byte(0)
					if n == 0 {
						flags = reserved
					}
					b = append(b, byte(first), flags, byte(size>>8), byte(size), 0, byte(n+1), 0, 2)
					total := len(b) + w.sealer.BodyLen(len(part))
					b[26], b[27] = byte(total>>8), byte(total)
					frags = append(frags, sealTo(w.sealer, b, part))
				}
				a, err := suite.IntAuthA(append(head(wire.PayloadSK), byte(w.first), reserved, 0, 0), len(w.plain))
				if err != nil {
					t.Fatal(err)
				}
				want := suite.IntAuthChunk(mb.prf, mb.peerP(), nil, a, w.plain)
				for _, i := range order {
					mb.Receive(r.now, frags[i], r.b.path())
					r.b.drain(mb)
				}
				if mb.inter.done != 1 {
					t.Fatalf("reserved %#x, %d payloads in the clear: the message was not taken", reserved, len(more))
				}
				if !bytes.Equal(mb.inter.peer, want) {
					t.Errorf("reserved %#x, %d payloads in the clear, order %v: another IntAuth", reserved, len(more), order)
				}
			}
		}
	}
}
