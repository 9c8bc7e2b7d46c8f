package wire

import (
	"bytes"
	"fmt"
	"testing"
)

// Nonces have 16 to 256 octets (M21).
func TestNonceLengths(t *testing.T) {
	for _, n := range []int{0, 1, 15, 16, 32, 255, 256, 257, 1000} {
		data := bytes.Repeat([]byte{7}, n)
		p, err := ParsePayloads(PayloadNonce, framed(data), 10)
		if ok := n >= 16 && n <= 256; ok {
			if err != nil || !bytes.Equal(p[0].(*Nonce).Data, data) {
				t.Errorf("%d octets: %v", n, err)
			}
			checkPayload(t, &Nonce{Data: data}, fmt.Sprintf("%x", data))
			continue
		}
		wantParseError(t, err, PayloadNonce, 14, fmt.Sprintf("nonce of %d octets", n))
	}
}

func FuzzParseNonce(f *testing.F) {
	fuzzPayload(f, PayloadNonce, "", "000102030405060708090a0b0c0d0e", "000102030405060708090a0b0c0d0e0f")
}
