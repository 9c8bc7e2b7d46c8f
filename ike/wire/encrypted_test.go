package wire

import (
	"bytes"
	"testing"
)

const fragmentHeader = `
	0102030405060708 1112131415161718    # SPIs
	35 20 23 08 00000001 0000002a        # SKF, IKE_AUTH, from the initiator, length 42
`

func TestAppendProtected(t *testing.T) {
	h := Header{SPIi: 1, SPIr: 2, NextPayload: PayloadSA, Major: 2, Exchange: ExchangeIKEAuth, Flags: FlagInitiator, MessageID: 1, Length: 99}
	body := []byte("IV, ciphertext, ICV")
	b := AppendProtected([]byte("head"), h, PayloadIDi, len(body))
	want := unhex(t, `68656164 0000000000000001 0000000000000002 2e 20 23 08 00000001 00000033  23 00 0017`)
	if !bytes.Equal(b, want) {
		t.Fatalf("AppendProtected\n got %x\nwant %x", b, want)
	}
	m, err := Parse(append(b, body...)[4:])
	if err != nil {
		t.Fatal(err)
	}
	e := m.Encrypted
	if m.Payloads != nil || e.Fragment || e.Number != 0 || e.Total != 0 || e.First != PayloadIDi || e.AADLen != 32 || !bytes.Equal(e.Body, body) {
		t.Errorf("Encrypted %+v", e)
	}
	if m.Header.NextPayload != PayloadSK || m.Header.Length != 51 {
		t.Errorf("header %+v", m.Header)
	}
}

// Next Payload is in fragment 1 only (F3).
func TestAppendProtectedFragment(t *testing.T) {
	h := Header{SPIi: 0x0102030405060708, SPIr: 0x1112131415161718, Major: 2, Exchange: ExchangeIKEAuth, Flags: FlagInitiator, MessageID: 1}
	for _, c := range []struct {
		number uint16
		first  PayloadType
	}{{1, PayloadIDi}, {2, PayloadNone}, {3, PayloadNone}} {
		b := AppendProtectedFragment(nil, h, PayloadIDi, c.number, 3, 6)
		want := append(unhex(t, fragmentHeader), uint8(c.first), 0, 0, 14, 0, uint8(c.number), 0, 3)
		if !bytes.Equal(b, want) {
			t.Errorf("fragment %d\n got %x\nwant %x", c.number, b, want)
		}
		m, err := Parse(append(b, "sealed"...))
		if err != nil {
			t.Fatal(err)
		}
		if e := m.Encrypted; !e.Fragment || e.Number != c.number || e.Total != 3 || e.First != c.first || e.AADLen != 36 || string(e.Body) != "sealed" {
			t.Errorf("fragment %d parsed as %+v", c.number, e)
		}
	}
}

// A Next Payload field in another fragment than the first means nothing.
func TestFragmentFirstIgnored(t *testing.T) {
	m, err := Parse(append(unhex(t, fragmentHeader), unhex(t, "23 ff 000e 0002 0003 010203040506")...))
	if err != nil || m.Encrypted.First != PayloadNone || m.Encrypted.Number != 2 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestAppendProtectedLimits(t *testing.T) {
	if b := AppendProtected(nil, Header{}, PayloadIDi, MaxBodyLen); b[30] != 0xff || b[31] != 0xff {
		t.Errorf("longest body: %x", b[28:])
	}
	wantPanic(t, "body too long", func() { AppendProtected(nil, Header{}, PayloadIDi, MaxBodyLen+1) })
	wantPanic(t, "fragment too long", func() { AppendProtectedFragment(nil, Header{}, PayloadIDi, 1, 1, MaxBodyLen-3) })
	wantPanic(t, "negative length", func() { AppendProtected(nil, Header{}, PayloadIDi, -1) })
	wantPanic(t, "fragment 0", func() { AppendProtectedFragment(nil, Header{}, PayloadIDi, 0, 1, 30) })
	wantPanic(t, "fragment 2 of 1", func() { AppendProtectedFragment(nil, Header{}, PayloadIDi, 2, 1, 30) })
}

func TestEncryptedMalformed(t *testing.T) {
	const sk, skf = `0102030405060708 1112131415161718 2e 20 23 08 00000001`, `0102030405060708 1112131415161718 35 20 23 08 00000001`
	for _, c := range []struct {
		name, hex string
		payload   PayloadType
		offset    int
		reason    string
	}{
		{"SK, no content", sk + "00000020 23 00 0004", PayloadSK, 32, "no content"},
		{"SK, length three", sk + "00000020 23 00 0003", PayloadSK, 30, "length 3"},
		{"SK, length beyond the datagram", sk + "00000021 23 00 0006 aa", PayloadSK, 30, "length 6, only 5"},
		// Anything after SK makes the message malformed (M13).
		{"SK, octets behind it", sk + "00000022 23 00 0005 aa bb", PayloadSK, 33, "1 octets after the Encrypted payload"},
		{"SK, payload behind it", sk + "00000029 23 00 0005 aa 00 00 0008 00004000", PayloadSK, 33, "8 octets after the Encrypted payload"},
		// F11.
		{"SKF, no fragment header", skf + "00000020 23 00 0004", PayloadSKF, 32, "0 octets"},
		{"SKF, half a fragment header", skf + "00000023 23 00 0007 0001 00", PayloadSKF, 32, "3 octets"},
		{"SKF, zero-length fragment", skf + "00000024 23 00 0008 0001 0001", PayloadSKF, 36, "no content"},
		{"SKF, number zero", skf + "00000025 23 00 0009 0000 0001 aa", PayloadSKF, 32, "fragment number is zero"},
		{"SKF, total zero", skf + "00000025 23 00 0009 0001 0000 aa", PayloadSKF, 34, "total fragments is zero"},
		{"SKF, both zero", skf + "00000025 23 00 0009 0000 0000 aa", PayloadSKF, 34, "total fragments is zero"},
		{"SKF, number above total", skf + "00000025 23 00 0009 0003 0002 aa", PayloadSKF, 32, "fragment 3 of 2"},
		{"SKF, octets behind it", skf + "00000026 23 00 0009 0001 0001 aa bb", PayloadSKF, 37, "1 octets after"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := unhex(t, c.hex)
			if int(b[27]) != len(b) {
				b[27] = uint8(len(b)) // the case is about the payload, not the header
			}
			m, err := Parse(b)
			wantParseError(t, err, c.payload, c.offset, c.reason)
			if m != nil {
				t.Errorf("message in addition to the error: %v", m)
			}
		})
	}
	// One octet can't be authentic, but that is for the cipher to say.
	m, err := Parse(unhex(t, skf+"00000025 23 00 0009 ffff ffff aa"))
	if err != nil || m.Encrypted.Number != 65535 || len(m.Encrypted.Body) != 1 {
		t.Errorf("fragment of one octet: %+v, %v", m, err)
	}
}

// An Encrypted payload in an Encrypted payload is malformed.
func TestEncryptedNested(t *testing.T) {
	for _, pt := range []PayloadType{PayloadSK, PayloadSKF} {
		_, err := ParsePayloads(pt, framed(unhex(t, "0001 0001 aabbcc")), 40)
		wantParseError(t, err, pt, 40, "inside an Encrypted payload")
	}
}

// Payloads in front of SK are parsed, and covered by the associated data.
func TestPayloadsBeforeEncrypted(t *testing.T) {
	b := unhex(t, `0102030405060708 1112131415161718 29 20 23 08 00000001 00000029
		2e 00 0008 00 00 4000  23 00 0005 aa`)
	m, err := Parse(b)
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Payloads) != 1 || m.Encrypted.AADLen != 40 || !bytes.Equal(m.Encrypted.Body, []byte{0xaa}) {
		t.Errorf("%+v, Encrypted %+v", m.Payloads, m.Encrypted)
	}
	if got, want := m.String(), "IKE_AUTH request 1 [ N(INIT_CONTACT) SK ]"; got != want {
		t.Errorf("summary %q, want %q", got, want)
	}
}
