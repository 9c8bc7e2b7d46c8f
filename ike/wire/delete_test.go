package wire

import (
	"reflect"
	"testing"
)

func TestDelete(t *testing.T) {
	checkPayload(t, &Delete{Protocol: ProtocolIKE}, "01 00 0000")
	checkPayload(t, &Delete{Protocol: ProtocolESP, SPIs: [][]byte{{1, 2, 3, 4}, {5, 6, 7, 8}}}, "03 04 0002 01020304 05060708")
	checkPayload(t, &Delete{Protocol: 9, SPIs: [][]byte{{1, 2}, {3, 4}, {5, 6}}}, "09 02 0003 0102 0304 0506")
}

// What some peers send is understood too.
func TestDeleteOddities(t *testing.T) {
	for _, c := range []struct {
		name, body string
		want       *Delete
	}{
		{"IKE SA counted", "01 00 0001", &Delete{Protocol: ProtocolIKE}},
		{"no SPIs, size given", "03 04 0000", &Delete{Protocol: ProtocolESP}},
		{"no SPIs, no size", "03 00 0000", &Delete{Protocol: ProtocolESP}},
		{"unknown protocol without SPIs", "09 00 ffff", &Delete{Protocol: 9}},
	} {
		d, err := parseDelete(unhex(t, c.body), 0)
		if err != nil || !reflect.DeepEqual(d, c.want) {
			t.Errorf("%s: %+v, %v, want %+v", c.name, d, err, c.want)
		}
	}
}

func TestDeleteMalformed(t *testing.T) {
	checkMalformed(t, PayloadDelete, []malformedCase{
		{"empty", "", 0, "0 octets"},
		{"three octets", "03 04 00", 0, "3 octets, at least 4"},
		{"SPI for IKE", "01 08 0001 0102030405060708", 1, "SPIs of 8 octets for IKE"},
		{"octets for IKE", "01 00 0000 01", 2, "but 1 octets"},
		{"SPIs of no octets", "03 00 ffff", 1, "SPIs of 0 octets for ESP"},
		{"SPIs of eight octets", "03 08 0001 0102030405060708", 1, "SPIs of 8 octets for ESP"},
		{"one SPI too few", "03 04 0002 01020304", 2, "2 SPIs of 4 octets, but 4 octets"},
		{"one SPI too many", "03 04 0001 0102030405060708", 2, "1 SPIs of 4 octets, but 8 octets"},
		{"half an SPI", "03 04 0001 010203", 2, "1 SPIs of 4 octets, but 3 octets"},
		{"65535 SPIs", "02 04 ffff 01020304", 2, "65535 SPIs of 4 octets"},
		// 16 bits of 255*257 would be 65535: the product must not be cut.
		{"product", "09 ff 0101 00", 2, "257 SPIs of 255 octets"},
	})
	wantPanic(t, "SPIs of different lengths", func() {
		(&Delete{Protocol: ProtocolESP, SPIs: [][]byte{{1, 2, 3, 4}, {1}}}).AppendBody(nil)
	})
	wantPanic(t, "65536 SPIs", func() { (&Delete{SPIs: make([][]byte, 65536)}).AppendBody(nil) })
}

func FuzzParseDelete(f *testing.F) {
	fuzzPayload(f, PayloadDelete, "", "01000000", "03 04 0002 01020304 05060708", "03 00 ffff", "09 00 ffff")
}
