package wire

import (
	"reflect"
	"testing"
)

func TestAuth(t *testing.T) {
	checkPayload(t, &Auth{Method: AuthSharedKey, Data: []byte{1, 2, 3}}, "02 000000 010203")
	checkPayload(t, &Auth{Method: AuthDigitalSignature, Data: []byte{}}, "0e 000000")
}

func TestAuthReserved(t *testing.T) {
	a, err := parseAuth(unhex(t, "01 ffffff 05"), 0)
	if want := (&Auth{Method: AuthRSA, Data: []byte{5}}); err != nil || !reflect.DeepEqual(a, want) {
		t.Errorf("parsed %+v, %v, want %+v", a, err, want)
	}
}

func TestAuthMalformed(t *testing.T) {
	checkMalformed(t, PayloadAUTH, []malformedCase{
		{"empty", "", 0, "0 octets"},
		{"three octets", "02 0000", 0, "3 octets, at least 4"},
	})
}

func FuzzParseAuth(f *testing.F) { fuzzPayload(f, PayloadAUTH, "", "02000000", "02 ffffff 010203") }
