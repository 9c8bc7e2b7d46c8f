package wire

import (
	"errors"
	"testing"
)

func TestUnknown(t *testing.T) {
	for _, pt := range []PayloadType{1, 13, 32, PayloadGSPM, PayloadIDg, PayloadGSA, PayloadKD, PayloadPS, 55, 127, 128, 255} {
		checkPayload(t, &Unknown{PayloadType: pt, Body: []byte{1, 2, 3}}, "010203")
	}
}

// The critical bit decides for payloads that aren't understood, and only for
// them (M12).
func TestCritical(t *testing.T) {
	nonce := make([]byte, 16)
	for pt := 1; pt < 256; pt++ {
		pt := PayloadType(pt)
		if pt == PayloadSK || pt == PayloadSKF {
			continue
		}
		b := AppendPayloads(nil, []Payload{&Nonce{Data: nonce}, &Unknown{PayloadType: pt, Critical: true, Body: nil}})
		_, err := ParsePayloads(PayloadNonce, b, 50)
		var ce *CriticalError
		if critical := errors.As(err, &ce); critical == understood(pt) {
			t.Errorf("%s with the critical bit: %v", pt, err)
		} else if critical && *ce != (CriticalError{Payload: pt, Offset: 70}) {
			t.Errorf("%+v, want %s at octet 70", ce, pt)
		}
	}
}

// What we send never has the bit unless it is asked for.
func TestCriticalNotSent(t *testing.T) {
	b := AppendPayloads(nil, []Payload{&Notify{}, &Unknown{PayloadType: 200}, &Unknown{PayloadType: 201, Critical: true}})
	for i, want := range map[int]byte{1: 0, 9: 0, 13: 0x80} {
		if b[i] != want {
			t.Errorf("octet %d is %#x, want %#x", i, b[i], want)
		}
	}
}

func FuzzParseUnknown(f *testing.F) { fuzzPayload(f, 200, "", "010203") }
