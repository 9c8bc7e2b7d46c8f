package wire

import "testing"

func TestVendorID(t *testing.T) {
	checkPayload(t, &VendorID{Data: []byte("strongSwan")}, "7374726f6e675377616e")
	checkPayload(t, &VendorID{Data: []byte{}}, "")
}

func FuzzParseVendorID(f *testing.F) { fuzzPayload(f, PayloadVendorID, "", "7374726f6e675377616e") }
