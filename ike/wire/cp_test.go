package wire

import (
	"reflect"
	"testing"
)

const cpRequest = `
	01 000000                            # CFG_REQUEST
	0001 0004 c0a80105                   # INTERNAL_IP4_ADDRESS, a wish
	0003 0000                            # INTERNAL_IP4_DNS, twice
	0003 0000
	0019 0003 787878                     # INTERNAL_DNS_DOMAIN
	7fff 0001 aa                         # a private one
`

func TestCP(t *testing.T) {
	checkPayload(t, &CP{CfgType: CfgRequest, Attributes: []CfgAttr{
		{Type: CfgInternalIP4Address, Value: []byte{192, 168, 1, 5}},
		{Type: CfgInternalIP4DNS},
		{Type: CfgInternalIP4DNS},
		{Type: CfgInternalDNSDomain, Value: []byte("xxx")},
		{Type: 0x7fff, Value: []byte{0xaa}},
	}}, cpRequest)
	checkPayload(t, &CP{CfgType: CfgAck}, "04 000000")
}

// Reserved octets and the R bit are ignored and not sent (M11).
func TestCPReserved(t *testing.T) {
	cp, err := parseCP(unhex(t, "02 ffffff 8008 0001 05"), 0)
	want := &CP{CfgType: CfgReply, Attributes: []CfgAttr{{Type: CfgInternalIP6Address, Value: []byte{5}}}}
	if err != nil || !reflect.DeepEqual(cp, want) {
		t.Errorf("parsed %+v, %v, want %+v", cp, err, want)
	}
	if b := (&CP{Attributes: []CfgAttr{{Type: 0x8008}}}).AppendBody(nil); b[4] != 0 || b[5] != 8 {
		t.Errorf("R bit sent: %x", b)
	}
}

func TestCPMalformed(t *testing.T) {
	checkMalformed(t, PayloadCP, []malformedCase{
		{"empty", "", 0, "0 octets"},
		{"three octets", "01 0000", 0, "3 octets, at least 4"},
		{"attribute of three octets", "01 000000 0001 00", 4, "3 octets left, an attribute"},
		{"value beyond the payload", "01 000000 0001 0004 c0a801", 6, "INTERNAL_IP4_ADDRESS of 4 octets, 3 octets left"},
		{"value of 65535", "01 000000 0001 ffff", 6, "of 65535 octets, 0 octets left"},
		{"second one", "01 000000 0003 0000 0008 0001", 10, "INTERNAL_IP6_ADDRESS of 1 octets"},
	})
	wantPanic(t, "value of 65536 octets", func() { (&CP{Attributes: []CfgAttr{{Value: make([]byte, 65536)}}}).AppendBody(nil) })
}

func FuzzParseCP(f *testing.F) {
	fuzzPayload(f, PayloadCP, "", "01000000", cpRequest, "02 ffffff 8008 0001 05", "01 000000 0001 ffff")
}
