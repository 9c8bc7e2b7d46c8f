package wire

import "testing"

func TestNotify(t *testing.T) {
	checkPayload(t, &Notify{NotifyType: NotifyInitialContact}, "00 00 4000")
	checkPayload(t, &Notify{NotifyType: NotifyCookie, Data: []byte{1, 2}}, "00 00 4006 0102")
	checkPayload(t, &Notify{Protocol: ProtocolESP, SPI: []byte{1, 2, 3, 4}, NotifyType: NotifyRekeySA}, "03 04 4009 01020304")
	checkPayload(t, &Notify{Protocol: ProtocolAH, SPI: []byte{1, 2, 3, 4}, NotifyType: NotifyInvalidSelectors, Data: []byte{5}}, "02 04 0027 01020304 05")
	// Types, protocols and SPI sizes that make no sense together are not malformed.
	checkPayload(t, &Notify{Protocol: 77, SPI: []byte{1}, NotifyType: 40960, Data: []byte{2}}, "4d 01 a000 01 02")
}

func TestNotifyMalformed(t *testing.T) {
	checkMalformed(t, PayloadNotify, []malformedCase{
		{"empty", "", 0, "0 octets"},
		{"three octets", "00 00 40", 0, "3 octets, at least 4"},
		{"SPI beyond the payload", "03 04 4009 010203", 1, "SPI of 4 octets, 3 octets left"},
		{"SPI of 255", "03 ff 4009", 1, "SPI of 255 octets, 0 octets left"},
	})
	wantPanic(t, "SPI of 256 octets", func() { (&Notify{SPI: make([]byte, 256)}).AppendBody(nil) })
}

func FuzzParseNotify(f *testing.F) {
	fuzzPayload(f, PayloadNotify, "", "00004000", "03 04 4009 01020304", "00 00 4017 01 04 7f000001 aabb",
		"00 00 402f 0002 0003", "00 00 4010 00000000", "00 00 0011 0013")
}
