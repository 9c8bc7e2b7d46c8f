package wire

import (
	"bytes"
	"testing"
)

// What WholeHead makes is the head of the same message in one piece, and nothing that is no head of a fragment makes it fail.
func TestWholeHead(t *testing.T) {
	h := Header{SPIi: 1, SPIr: 2, Major: 2, Exchange: ExchangeIKEIntermediate, MessageID: 1}
	fragment := AppendProtectedFragment(nil, h, PayloadKE, 1, 2, 100)
	whole := WholeHead(fragment)
	want := AppendProtected(nil, h, PayloadKE, 100)
	if len(whole) != len(want) || PayloadType(whole[16]) != PayloadSK || !bytes.Equal(whole[HeaderLen:HeaderLen+2], want[HeaderLen:HeaderLen+2]) {
		t.Errorf("%x", whole)
	}
	for n := range fragment {
		if got := WholeHead(fragment[:n]); got != nil {
			t.Errorf("%d octets: %x", n, got)
		}
	}
	if got := WholeHead(append(AppendProtected(nil, h, PayloadKE, 100), 0, 1, 0, 2)); got != nil {
		t.Errorf("an SK payload: %x", got)
	}
}
