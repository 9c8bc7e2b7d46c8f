package radius

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The examples of RFC 2865 section 7.1: User Telnet to Specified Host.
const (
	rfc2865Request = `01 00 00 38 0f 40 3f 94 73 97 80 57 bd 83 d5 cb 98 f4 22 7a 01 06 6e 65 6d 6f 02 12 0d be 70 8d 93 d4 13 ce 31 96 e4 3f 78 2a 0a ee
		04 06 c0 a8 01 10 05 06 00 00 00 03`
	rfc2865Accept = `02 00 00 26 86 fe 22 0e 76 24 ba 2a 10 05 f6 bf 9b 55 e0 b2 06 06 00 00 00 01 0f 06 00 00 00 00 0e 06 c0 a8 01 03`
	rfc2865Secret = "xyzzy5461"
)

// TestRFC2865 reads the packets of RFC 2865 section 7.1, and believes the answer.
func TestRFC2865(t *testing.T) {
	request, err := Parse(unhex(t, rfc2865Request))
	if err != nil {
		t.Fatal(err)
	}
	if user, _ := request.First(UserName); request.Code != AccessRequest || request.ID != 0 || string(user) != "nemo" {
		t.Errorf("request: %+v", request)
	}
	if port, ok := request.Uint32(NASPort); port != 3 || !ok {
		t.Errorf("NAS-Port: %v, %v", port, ok)
	}
	raw := unhex(t, rfc2865Accept)
	accept, err := Parse(raw)
	if err != nil || accept.Code != AccessAccept || len(accept.Attributes) != 3 {
		t.Fatalf("answer: %+v, %v", accept, err)
	}
	s := NewSecret([]byte(rfc2865Secret))
	if err := checkAnswer(raw, s, request.Authenticator, false); err != nil {
		t.Errorf("the answer of the RFC: %v", err)
	}
	// It is of a time without Message-Authenticator.
	if err := checkAnswer(raw, s, request.Authenticator, true); !errors.Is(err, ErrNoMessageAuthenticator) {
		t.Errorf("the same where one is required: %v", err)
	}
	if err := checkAnswer(raw, NewSecret([]byte("xyzzy5462")), request.Authenticator, false); !errors.Is(err, ErrAuthenticator) {
		t.Errorf("with another secret: %v", err)
	}
	if b, err := accept.append(nil); err != nil || !bytes.Equal(b, raw) {
		t.Errorf("written again: %x, %v", b, err)
	}
}

// TestRFC5997 makes the packets of RFC 5997, for the shortest Status-Server with a Message-Authenticator.
func TestRFC5997(t *testing.T) {
	p := Packet{Code: StatusServer, ID: 0xda, Authenticator: [16]byte(unhex(t, "8a 54 f4 68 6f b3 94 c5 28 66 e3 02 18 5d 06 23"))}
	b, err := p.sealAccess(NewSecret([]byte("xyzzy5461")))
	want := unhex(t, "0c da 00 26 8a 54 f4 68 6f b3 94 c5 28 66 e3 02 18 5d 06 23 50 12 5a 66 5e 2e 1e 84 11 f3 e2 43 82 20 97 c8 4f a3")
	if err != nil || !bytes.Equal(b, want) {
		t.Errorf("%x, %v; want %x", b, err, want)
	}
	answer := unhex(t, "02 da 00 14 ef 0d 55 2a 4b f2 d6 93 ec 2b 6f e8 b5 41 1d 66")
	if err := checkAnswer(answer, NewSecret([]byte("xyzzy5461")), p.Authenticator, false); err != nil {
		t.Errorf("the answer of the RFC: %v", err)
	}
}

// TestMalformed: what can't be read is an error that says what and where, for every prefix as well.
func TestMalformed(t *testing.T) {
	head := "02 07 %s 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f"
	with := func(length, rest string) []byte { return unhex(t, strings.Replace(head, "%s", length, 1)+rest) }
	for _, tt := range []struct {
		why  string
		b    []byte
		want string
	}{
		{"nothing", nil, "malformed packet: 0 bytes are no header"},
		{"half a header", with("00 14", "")[:19], "malformed packet: 19 bytes are no header"},
		{"a length of the header's", with("00 13", ""), "malformed packet: its length is said to be 19"},
		{"a length of zero", with("00 00", ""), "malformed packet: its length is said to be 0"},
		{"a length above all", with("10 01", strings.Repeat("00", 4097-20)), "malformed packet: its length is said to be 4097"},
		{"more than is there", with("00 15", ""), "malformed packet: its length is said to be 21, and 20 bytes are there"},
		{"an attribute of a type alone", with("00 15", "01"), "malformed attribute User-Name: it has no length"},
		{"an attribute of length 0", with("00 16", "01 00"), "malformed attribute User-Name: its length is said to be 0, and 2 bytes are there"},
		{"an attribute of length 1", with("00 16", "4f 01"), "malformed attribute EAP-Message: its length is said to be 1, and 2 bytes are there"},
		{"an attribute that is cut off", with("00 18", "01 06 61 62"), "malformed attribute User-Name: its length is said to be 6, and 4 bytes are there"},
		{"the second one", with("00 19", "01 03 61 02 ff"), "malformed attribute 2: its length is said to be 255, and 2 bytes are there"},
	} {
		p, err := Parse(tt.b)
		var m *MalformedError
		if !errors.As(err, &m) || err.Error() != tt.want {
			t.Errorf("%s: %+v, %v", tt.why, p, err)
		}
		if err := checkAnswer(tt.b, NewSecret([]byte("x")), [16]byte{}, true); err == nil {
			t.Errorf("%s: believed", tt.why)
		}
	}
	raw := unhex(t, rfc2865Accept)
	for n := range raw {
		if _, err := Parse(raw[:n]); err == nil {
			t.Errorf("%d of %d bytes are a packet", n, len(raw))
		}
	}
	// What follows the packet is padding.
	if p, err := Parse(append(raw, 1, 2, 3)); err != nil || len(p.Attributes) != 3 {
		t.Errorf("with padding: %+v, %v", p, err)
	}
}

// TestTooLong: nothing is sent that nobody may read.
func TestTooLong(t *testing.T) {
	long := Packet{Code: AccessRequest, Attributes: []Attribute{{UserName, make([]byte, 254)}}}
	if _, err := long.append(nil); err == nil {
		t.Error("a value of 254 bytes")
	}
	many := Packet{Code: AccessRequest}
	many.addEAP(make([]byte, 4080))
	if _, err := many.sealAccess(NewSecret([]byte("x"))); err == nil {
		t.Error("a packet of more than 4096 bytes")
	}
}

// TestVendor reads attributes of a vendor as strictly as others: a length that leads out of its attribute is an error, whatever the one
// that asks wants, and so is one that leads nowhere.
func TestVendor(t *testing.T) {
	for _, tt := range []struct {
		why, value string
		want       int // values; -1: an error
	}{
		{"nothing", "", -1},
		{"half a vendor", "00 00 01", -1},
		{"a vendor alone", "00 00 01 37", 0},
		{"one attribute", "00 00 01 37 10 04 61 62", 1},
		{"an empty one", "00 00 01 37 10 02", 1},
		{"two of them", "00 00 01 37 10 03 61 10 03 62", 2},
		{"another one", "00 00 01 37 11 03 61", 0},
		{"a type alone", "00 00 01 37 10", -1},
		{"a length of 0", "00 00 01 37 10 00", -1},
		{"a length of 1", "00 00 01 37 10 01", -1},
		{"a length of 1 of another type", "00 00 01 37 11 01 00", -1},
		{"a length beyond its attribute", "00 00 01 37 10 05 61 62", -1},
		{"a good one before that", "00 00 01 37 10 03 61 10 ff", -1},
		{"another vendor, whose attributes have another form", "00 00 00 09 10", 0},
	} {
		p := Packet{Attributes: []Attribute{{VendorSpecific, unhex(t, tt.value)}, {UserName, []byte("after it")}}}
		list, err := p.vendorValues(vendorMicrosoft, msMPPESendKey)
		if got := len(list); err != nil && tt.want >= 0 || err == nil && got != tt.want {
			t.Errorf("%s: %q, %v", tt.why, list, err)
		}
	}
}

// TestEAPMessage: an EAP packet of any length goes through, in parts that follow each other.
func TestEAPMessage(t *testing.T) {
	for _, n := range []int{0, 1, 252, 253, 254, 506, 507, 1100} {
		want := bytes.Repeat([]byte{7}, n)
		p := Packet{}
		p.addText(UserName, "alice")
		p.addEAP(want)
		p.addUint32(FramedMTU, 1100)
		if got, err := p.EAP(); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: %d, %v", n, len(got), err)
		}
		for _, a := range p.Attributes {
			if len(a.Value) > 253 || len(a.Value) == 0 {
				t.Errorf("%d bytes: an attribute of %d", n, len(a.Value))
			}
		}
	}
	p := Packet{Attributes: []Attribute{{EAPMessage, []byte("a")}, {State, []byte("s")}, {EAPMessage, []byte("b")}}}
	if got, err := p.EAP(); err == nil {
		t.Errorf("parts with something in between: %q", got)
	}
}
