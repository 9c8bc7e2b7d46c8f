package wire

import (
	"bytes"
	"testing"
)

func TestHeader(t *testing.T) {
	b := unhex(t, `
		0102030405060708  # initiator's SPI
		1112131415161718  # responder's SPI
		2e 20 23 28       # SK, version 2.0, IKE_AUTH, flags I and R
		00000001 00000100 # message ID, length
	`)
	want := Header{
		SPIi: 0x0102030405060708, SPIr: 0x1112131415161718, NextPayload: PayloadSK,
		Major: 2, Exchange: ExchangeIKEAuth, Flags: FlagInitiator | FlagResponse, MessageID: 1, Length: 256,
	}
	h, err := ParseHeader(b)
	if err != nil || h != want {
		t.Errorf("parsed %+v, %v\nwant %+v", h, err, want)
	}
	if got := h.Append(nil); !bytes.Equal(got, b) {
		t.Errorf("Append %x\nwant   %x", got, b)
	}
	if !h.Flags.Initiator() || !h.Flags.Response() {
		t.Error("flags not recognized")
	}
	for n := range b {
		if _, err := ParseHeader(b[:n]); err == nil {
			t.Errorf("%d octets parsed", n)
		}
	}
	if _, err := ParseHeader(append(b, 1, 2, 3)); err != nil {
		t.Errorf("octets after the header: %v", err)
	}
}

// Any version has to be parsed, so that INVALID_MAJOR_VERSION can be answered.
func TestHeaderVersions(t *testing.T) {
	for _, v := range []uint8{0x00, 0x10, 0x1f, 0x20, 0x2f, 0x30, 0xf0} {
		b := make([]byte, HeaderLen)
		b[17] = v
		h, err := ParseHeader(b)
		if err != nil || h.Major != v>>4 || h.Minor != v&15 {
			t.Errorf("version %#x: %d.%d, %v", v, h.Major, h.Minor, err)
		}
	}
}

// Reserved flags are kept for the log but neither matter nor are sent (M11).
func TestHeaderReservedFlags(t *testing.T) {
	b := make([]byte, HeaderLen)
	b[19] = 0xd7 // all but I and R
	h, err := ParseHeader(b)
	if err != nil || h.Flags.Initiator() || h.Flags.Response() {
		t.Errorf("flags %#x, %v", h.Flags, err)
	}
	if got := h.Append(nil)[19]; got != 0 {
		t.Errorf("flags sent: %#x, want none", got)
	}
	h.Flags = 0xff
	if got := h.Append(nil)[19]; got != 0x28 {
		t.Errorf("flags sent: %#x, want 0x28", got)
	}
}

func TestSPI(t *testing.T) {
	s := SPI(0xabc)
	if s.String() != "0000000000000abc" {
		t.Errorf("String %q", s)
	}
	if got, ok := SPIFromBytes(s.Bytes()); !ok || got != s {
		t.Errorf("SPIFromBytes %s, %t", got, ok)
	}
	for _, n := range []int{0, 4, 7, 9} {
		if _, ok := SPIFromBytes(make([]byte, n)); ok {
			t.Errorf("SPI of %d octets accepted", n)
		}
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add(unhex(f, goldenInitRequest))
	f.Add(make([]byte, HeaderLen-1))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := ParseHeader(b)
		if (err != nil) != (len(b) < HeaderLen) {
			t.Fatalf("%d octets: %v", len(b), err)
		}
		if err != nil {
			return
		}
		want := bytes.Clone(b[:HeaderLen])
		want[19] &= uint8(sentFlags)
		if got := h.Append(nil); !bytes.Equal(got, want) {
			t.Fatalf("Append %x\nwant   %x", got, want)
		}
	})
}
