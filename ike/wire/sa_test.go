package wire

import (
	"reflect"
	"strings"
	"testing"
)

const saRekey = `
	02 00002c 01 01 08 03                # more; length 44; IKE, SPI of 8, 3 transforms
	0102030405060708
	03 00000c 01 00 0014 800e 0100       # ENCR AES_GCM_16, 256 bits
	03 000008 02 00 0006                 # PRF
	00 000008 04 00 0014                 # KE
	00 00001c 03 03 04 02                # last; ESP, SPI of 4, 2 transforms
	c0ffee01
	03 000008 01 00 001c                 # ENCR CHACHA20_POLY1305
	00 000008 05 00 0001                 # ESN
`

func TestSA(t *testing.T) {
	checkPayload(t, &SA{Proposals: []Proposal{
		{Number: 1, Protocol: ProtocolIKE, SPI: []byte{1, 2, 3, 4, 5, 6, 7, 8}, Transforms: []Transform{
			{Type: TransformENCR, ID: ENCR_AES_GCM_16, KeyLength: 256},
			{Type: TransformPRF, ID: PRF_HMAC_SHA2_384},
			{Type: TransformKE, ID: KE_ECP_384},
		}},
		{Number: 3, Protocol: ProtocolESP, SPI: []byte{0xc0, 0xff, 0xee, 1}, Transforms: []Transform{
			{Type: TransformENCR, ID: ENCR_CHACHA20_POLY1305},
			{Type: TransformESN, ID: ESN_ESN},
		}},
	}}, saRekey)
}

// A proposal without transforms is odd but well-formed; nobody can choose it.
func TestSAWithoutTransforms(t *testing.T) {
	checkPayload(t, &SA{Proposals: []Proposal{{Number: 1, Protocol: ProtocolIKE}}}, "00 000008 01 01 00 00")
}

// Reserved fields are ignored (M11).
func TestSAReserved(t *testing.T) {
	sa, err := parseSA(unhex(t, "00 ff0010 01 01 00 01  00 ee0008 04 dd 001f"), 0)
	want := &SA{Proposals: []Proposal{{Number: 1, Protocol: ProtocolIKE, Transforms: []Transform{{Type: TransformKE, ID: KE_CURVE25519}}}}}
	if err != nil || !reflect.DeepEqual(sa, want) {
		t.Errorf("parsed %+v, %v\nwant %+v", sa, err, want)
	}
}

// Of an SPI only the size is known to be right, and of protocols that aren't
// understood not even that.
func TestSASPISizes(t *testing.T) {
	for _, c := range []struct {
		protocol ProtocolID
		size     int
		ok       bool
	}{
		{ProtocolIKE, 0, true}, {ProtocolIKE, 8, true}, {ProtocolIKE, 4, false}, {ProtocolIKE, 16, false},
		{ProtocolESP, 4, true}, {ProtocolESP, 0, false}, {ProtocolESP, 3, false}, {ProtocolESP, 8, false},
		{ProtocolAH, 4, true}, {ProtocolAH, 255, false},
		{ProtocolFCESPHeader, 0, true}, {99, 17, true}, {ProtocolNone, 0, true},
	} {
		b := (&SA{Proposals: []Proposal{{Number: 1, Protocol: c.protocol, SPI: make([]byte, c.size)}}}).AppendBody(nil)
		_, err := parseSA(b, 0)
		if (err == nil) != c.ok {
			t.Errorf("%s, SPI of %d octets: %v, want ok %t", c.protocol, c.size, err, c.ok)
		}
	}
}

// A transform with an attribute that isn't understood is marked, whatever else it
// has; the rest of the proposal isn't affected (I6).
func TestSAAttributes(t *testing.T) {
	for _, c := range []struct {
		name, attributes string
		want             Transform
	}{
		{"none", "", Transform{}},
		{"key length", "800e 0080", Transform{KeyLength: 128}},
		{"key length zero", "800e 0000", Transform{Unknown: true}},
		{"key length twice", "800e 0080 800e 0100", Transform{KeyLength: 128, Unknown: true}},
		{"key length in the long format", "000e 0002 0080", Transform{Unknown: true}},
		{"short, not understood", "8012 1234", Transform{Unknown: true}},
		{"long, not understood", "0012 0003 aabbcc", Transform{Unknown: true}},
		{"long, empty", "0012 0000", Transform{Unknown: true}},
		{"not understood and key length", "0012 0001 aa 800e 00c0", Transform{KeyLength: 192, Unknown: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			attrs := unhex(t, c.attributes)
			n := len(attrs)
			b := append([]byte{0, 0, 0, uint8(8 + 8 + n + 8), 1, 1, 0, 2, 3, 0, 0, uint8(8 + n), 1, 0, 0, 12}, attrs...)
			b = append(b, 0, 0, 0, 8, 2, 0, 0, 5)
			sa, err := parseSA(b, 0)
			if err != nil {
				t.Fatal(err)
			}
			c.want.Type, c.want.ID = TransformENCR, ENCR_AES_CBC
			want := []Transform{c.want, {Type: TransformPRF, ID: PRF_HMAC_SHA2_256}}
			if got := sa.Proposals[0].Transforms; !reflect.DeepEqual(got, want) {
				t.Errorf("transforms %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestSAMalformed(t *testing.T) {
	checkMalformed(t, PayloadSA, []malformedCase{
		{"empty", "", 0, "0 octets left"},
		{"seven octets", "00 000008 01 01 00", 0, "7 octets left"},
		{"proposal length less than its header", "00 000007 01 01 00 00", 2, "proposal length 7"},
		{"proposal length zero", "00 000000 01 01 00 00", 2, "proposal length 0"},
		{"proposal length without the SPI", "00 00000f 01 01 08 00 0102030405060708", 2, "proposal length 15"},
		{"proposal length beyond the payload", "00 000009 01 01 00 00", 2, "proposal length 9"},
		{"proposal length 65535", "00 00ffff 01 01 00 00", 2, "proposal length 65535"},
		{"last substruc of a proposal", "03 000008 01 01 00 00", 0, "Last Substruc is 3"},
		{"no proposal after more", "02 000008 01 01 00 00", 8, "0 octets left"},
		{"proposal after the last", "00 000008 01 01 00 00  00 000008 02 01 00 00", 8, "8 octets after the last proposal"},
		{"proposal number zero", "00 000008 00 01 00 00", 4, "proposal number 0"},
		{"proposal numbers repeated", "02 000008 01 01 00 00  00 000008 01 01 00 00", 12, "proposal number 1 after 1"},
		{"proposal numbers descending", "02 000008 02 01 00 00  00 000008 01 01 00 00", 12, "proposal number 1 after 2"},
		{"SPI of 4 for IKE", "00 00000c 01 01 04 00 01020304", 6, "SPI of 4 octets for IKE"},
		{"SPI of 8 for ESP", "00 000010 01 03 08 00 0102030405060708", 6, "SPI of 8 octets for ESP"},
		{"no SPI for ESP", "00 000008 01 03 00 00", 6, "SPI of 0 octets for ESP"},
		{"more transforms than octets", "00 000010 01 01 00 ff  00 000008 02 00 0005", 7, "255 transforms in 8 octets"},
		{"one transform too few", "00 000018 01 01 00 01  03 000008 02 00 0005 00 000008 04 00 001f", 8, "wrong Last Substruc"},
		{"last transform says more", "00 000010 01 01 00 01  03 000008 02 00 0005", 8, "wrong Last Substruc"},
		{"first transform says last", "00 000018 01 01 00 02  00 000008 02 00 0005 00 000008 04 00 001f", 8, "wrong Last Substruc"},
		{"last substruc of a transform", "00 000010 01 01 00 01  02 000008 02 00 0005", 8, "Last Substruc is 2"},
		{"octets after the last transform", "00 000012 01 01 00 01  00 000008 02 00 0005 0000", 16, "2 octets after the last transform"},
		{"transform length less than its header", "00 000010 01 01 00 01  00 000007 02 00 0005", 10, "transform length 7"},
		{"transform length beyond the proposal", "02 000010 01 01 00 01  00 000009 02 00 0005  00 000008 02 01 00 00", 10, "transform length 9"},
		{"second transform has no octets left", "00 000018 01 01 00 02  03 00000c 01 00 000c 800e 0080 00 000008", 20, "4 octets left, a transform"},
		{"attribute of three octets", "00 000013 01 01 00 01  00 00000b 01 00 000c 800e 00", 16, "3 octets left, an attribute"},
		{"attribute beyond the transform", "00 000014 01 01 00 01  00 00000c 01 00 000c 0012 0001", 18, "attribute of 5 octets"},
		{"attribute of 65535 octets", "00 000014 01 01 00 01  00 00000c 01 00 000c 0012 ffff", 18, "attribute of 65539 octets"},
	})
}

// A list longer than the one-octet count is cut, an SPI can't be.
func TestSALimits(t *testing.T) {
	p := Proposal{Number: 1, Protocol: ProtocolIKE, Transforms: make([]Transform, 300)}
	for i := range p.Transforms {
		p.Transforms[i] = Transform{Type: TransformENCR, ID: uint16(i), KeyLength: 128}
	}
	sa, err := parseSA((&SA{Proposals: []Proposal{p}}).AppendBody(nil), 0)
	if err != nil {
		t.Fatal(err)
	}
	if got := sa.Proposals[0].Transforms; !reflect.DeepEqual(got, p.Transforms[:255]) {
		t.Errorf("%d transforms, want the first 255", len(got))
	}
	wantPanic(t, "SPI of 256 octets", func() { (&SA{Proposals: []Proposal{{SPI: make([]byte, 256)}}}).AppendBody(nil) })
}

func TestSA255Proposals(t *testing.T) {
	sa := &SA{}
	for n := 1; n <= 255; n++ {
		sa.Proposals = append(sa.Proposals, Proposal{Number: uint8(n), Protocol: ProtocolIKE})
	}
	b := sa.AppendBody(nil)
	got, err := parseSA(b, 0)
	if err != nil || !reflect.DeepEqual(got, sa) {
		t.Errorf("255 proposals: %v", err)
	}
	b[len(b)-8] = moreProposals
	if _, err = parseSA(append(b, 0, 0, 0, 8, 0, 1, 0, 0), 0); err == nil || !strings.Contains(err.Error(), "proposal number 0 after 255") {
		t.Errorf("256 proposals: %v", err)
	}
}

func FuzzParseSA(f *testing.F) {
	fuzzPayload(f, PayloadSA, saRekey, goldenInitRequest[64:64+160],
		"00 000014 01 01 00 01  00 00000c 01 00 000c 0012 0000", "00 000010 01 01 00 ff  00 000008 02 00 0005")
}
