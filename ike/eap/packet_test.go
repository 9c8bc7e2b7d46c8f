package eap

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestPackets(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want packet
	}{
		{"01 07 0005 01", packet{code: 1, id: 7, typ: TypeIdentity}},
		{"02 07 0008 01 626f62", packet{code: 2, id: 7, typ: TypeIdentity, data: []byte("bob")}},
		{"03 ff 0004", packet{code: 3, id: 255}},
		{"04 00 0004", packet{code: 4}},
		{"01 01 000d fe 000000 0000001a aa", packet{code: 1, id: 1, typ: TypeMSCHAPv2, expanded: true, vendorType: 26, data: []byte{0xaa}}},
		{"01 01 000c fe 000014 00000006", packet{code: 1, id: 1, typ: TypeExpanded, expanded: true, vendorID: 20, vendorType: 6}},
		{"01 01 000c fe 000000 0000011a", packet{code: 1, id: 1, typ: TypeExpanded, expanded: true, vendorType: 0x11a}},
	} {
		b := unhex(t, tt.in)
		p, err := parse(b)
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
			continue
		}
		if p.code != tt.want.code || p.id != tt.want.id || p.typ != tt.want.typ || p.expanded != tt.want.expanded || p.vendorID != tt.want.vendorID ||
			p.vendorType != tt.want.vendorType || !bytes.Equal(p.data, tt.want.data) {
			t.Errorf("%s: %+v, want %+v", tt.in, p, tt.want)
		}
		if again := p.bytes(); !bytes.Equal(again, b) {
			t.Errorf("%s: is sent as %x", tt.in, again)
		}
		for n := range b {
			if _, err := parse(b[:n]); err == nil {
				t.Errorf("%s: %d bytes of it are taken", tt.in, n)
			}
		}
	}
}

func TestMalformedPackets(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", "a packet of 0 bytes"},
		{"short", "01 07 00", "a packet of 3 bytes"},
		{"length too small", "01 07 0004 01", "of 5 bytes whose length says 4"},
		{"length too large", "01 07 0006 01", "of 5 bytes whose length says 6"},
		{"length zero", "01 07 0000 01", "whose length says 0"},
		{"no type", "01 07 0004", "a Request without a type"},
		{"no type in a response", "02 07 0004", "a Response without a type"},
		{"success with data", "03 07 0005 00", "a Success with 1 bytes"},
		{"failure with data", "04 07 0005 00", "a Failure with 1 bytes"},
		{"code 0", "00 07 0005 01", "code 0"},
		{"code 5", "05 07 0005 01", "code 5"},
		{"an expanded type that ends", "01 07 000b fe 000000 000000", "expanded type in 7 bytes"},
	} {
		if _, err := parse(unhex(t, tt.in)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	big := make([]byte, MaxPacket+1)
	copy(big, []byte{1, 1, (MaxPacket + 1) >> 8, (MaxPacket + 1) & 0xff, 1})
	if _, err := parse(big); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a huge packet: %v", err)
	}
	big = big[:MaxPacket]
	big[2], big[3] = MaxPacket>>8, MaxPacket&0xff
	if _, err := parse(big); err != nil {
		t.Errorf("the largest packet: %v", err)
	}
}

func TestNaks(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want []Type
		err  string
	}{
		{"02 01 0006 03 00", nil, ""},
		{"02 01 0008 03 1a 15 1a", []Type{26, 21}, ""},
		{"02 01 0009 03 01 02 03 04", []Type{4}, ""},
		{"02 01 0005 03", nil, "without a type"},
		{"02 01 001c fe 000000 00000003 fe 000000 00000005 fe 000014 00000006", []Type{5}, ""},
		{"02 01 0014 fe 000000 00000003 fe 000000 00000000", nil, ""},
		{"02 01 0014 fe 000000 00000003 fe 000000 0000011a", nil, ""},
		{"02 01 000c fe 000000 00000003", nil, "0 bytes of types"},
		{"02 01 0013 fe 000000 00000003 fe 000000 000000", nil, "7 bytes of types"},
		{"02 01 0014 fe 000000 00000003 1a 000000 00000000", nil, "a type that is none"},
	} {
		p, err := parse(unhex(t, tt.in))
		if err != nil || p.typ != TypeNak {
			t.Fatalf("%s: %v, type %s", tt.in, err, p.typ)
		}
		got, err := nakTypes(p)
		if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("%s: %v, want %q", tt.in, err, tt.err)
		}
		if err == nil && !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.in, got, tt.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"\x01\x07\x00\x05\x01", "\x03\x07\x00\x04", "\x02\x01\x00\x1c\xfe\x00\x00\x00\x00\x00\x00\x03\xfe\x00\x00\x00\x00\x00\x00\x05\xfe\x00\x00\x14\x00\x00\x00\x06"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := parse(b)
		if err != nil {
			return
		}
		if again := p.bytes(); !bytes.Equal(again, b) {
			t.Errorf("%x is sent as %x", b, again)
		}
		if p.typ == TypeNak {
			types, _ := nakTypes(p)
			if len(types) > 256 {
				t.Errorf("%d types", len(types))
			}
		}
	})
}
