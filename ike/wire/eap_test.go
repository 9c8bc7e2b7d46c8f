package wire

import (
	"bytes"
	"testing"
)

func TestEAP(t *testing.T) {
	checkPayload(t, &EAP{Code: EAPRequest, Identifier: 7, Data: []byte{EAPTypeIdentity}}, "01 07 0005 01")
	checkPayload(t, &EAP{Code: EAPResponse, Identifier: 7, Data: []byte("\x01bob")}, "02 07 0008 01 626f62")
	checkPayload(t, &EAP{Code: EAPSuccess, Identifier: 8}, "03 08 0004")
	checkPayload(t, &EAP{Code: EAPFailure, Identifier: 9}, "04 09 0004")
	// Codes that aren't known are for the EAP layer to discard.
	checkPayload(t, &EAP{Code: 77, Identifier: 9}, "4d 09 0004")
	checkPayload(t, &EAP{Code: EAPInitiate, Data: []byte{1, 2}}, "05 00 0006 0102")
}

func TestEAPMethod(t *testing.T) {
	method, data, ok := (&EAP{Code: EAPRequest, Data: []byte{EAPTypeMSCHAPv2, 1, 2}}).Method()
	if !ok || method != EAPTypeMSCHAPv2 || !bytes.Equal(data, []byte{1, 2}) {
		t.Errorf("Method %d %x %t", method, data, ok)
	}
	for _, p := range []*EAP{{Code: EAPSuccess}, {Code: EAPFailure}, {Code: EAPRequest}, {Code: EAPSuccess, Data: []byte{26}}} {
		if _, _, ok := p.Method(); ok {
			t.Errorf("%+v has a method", p)
		}
	}
}

func TestEAPMalformed(t *testing.T) {
	checkMalformed(t, PayloadEAP, []malformedCase{
		{"empty", "", 0, "0 octets"},
		{"three octets", "01 07 00", 0, "3 octets, at least 4"},
		{"length zero", "01 07 0000 01", 2, "EAP length 0 in 5 octets"},
		{"length less than there is", "01 07 0004 01", 2, "EAP length 4 in 5 octets"},
		{"length beyond the payload", "01 07 0006 01", 2, "EAP length 6 in 5 octets"},
		{"request without a type", "01 07 0004", 0, "REQ without a type"},
		{"response without a type", "02 07 0004", 0, "RES without a type"},
		{"success with data", "03 07 0005 01", 0, "SUCC with data"},
		{"failure with data", "04 07 0005 01", 0, "FAIL with data"},
	})
	wantPanic(t, "65532 octets of data", func() { (&EAP{Data: make([]byte, MaxBodyLen-eapHeaderLen+1)}).AppendBody(nil) })
}

func FuzzParseEAP(f *testing.F) {
	fuzzPayload(f, PayloadEAP, "", "01070004", "02 07 0008 01 626f62", "03080004", "01 07 ffff 01")
}
