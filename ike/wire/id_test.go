package wire

import "testing"

func TestID(t *testing.T) {
	checkPayload(t, &ID{IDType: IDFQDN, Data: []byte("a.example")}, "02 000000 612e6578616d706c65")
	checkPayload(t, &ID{Responder: true, IDType: IDIPv4Addr, Data: []byte{203, 0, 113, 1}}, "01 000000 cb007101")
	checkPayload(t, &ID{IDType: IDNull, Data: []byte{}}, "0d 000000")
	// AUTH covers the reserved octets as they were sent (A1).
	checkPayload(t, &ID{IDType: IDKeyID, Reserved: [3]byte{1, 2, 3}, Data: []byte{9}}, "0b 010203 09")
}

func TestIDMalformed(t *testing.T) {
	for _, pt := range []PayloadType{PayloadIDi, PayloadIDr} {
		checkMalformed(t, pt, []malformedCase{
			{"empty", "", 0, "0 octets"},
			{"three octets", "02 0000", 0, "3 octets, at least 4"},
		})
	}
}

func FuzzParseID(f *testing.F) {
	fuzzPayload(f, PayloadIDr, "", "02000000", "02 010203 612e6578616d706c65")
}
