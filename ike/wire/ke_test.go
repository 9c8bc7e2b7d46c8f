package wire

import (
	"reflect"
	"testing"
)

func TestKE(t *testing.T) {
	checkPayload(t, &KE{Group: KE_CURVE25519, Data: []byte("public value")}, "001f 0000 7075626c69632076616c7565")
	// Whether the value fits the group isn't a question for this package: the
	// answer to an unknown group is INVALID_KE_PAYLOAD.
	checkPayload(t, &KE{Group: 1025, Data: []byte{}}, "0401 0000")
}

func TestKEReserved(t *testing.T) {
	ke, err := parseKE(unhex(t, "0013 ffff 04"), 0)
	if want := (&KE{Group: KE_ECP_256, Data: []byte{4}}); err != nil || !reflect.DeepEqual(ke, want) {
		t.Errorf("parsed %+v, %v, want %+v", ke, err, want)
	}
}

func TestKEMalformed(t *testing.T) {
	checkMalformed(t, PayloadKE, []malformedCase{
		{"empty", "", 0, "0 octets"},
		{"three octets", "001f 00", 0, "3 octets, at least 4"},
	})
}

func FuzzParseKE(f *testing.F) { fuzzPayload(f, PayloadKE, "", "001f0000", "0013 ffff 0405") }
