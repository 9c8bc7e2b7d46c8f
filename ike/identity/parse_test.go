package identity

import (
	"encoding/hex"
	"errors"
	"net/netip"
	"strings"
	"testing"
)

func mustParse(t testing.TB, text string) Identity {
	t.Helper()
	id, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func unhexT(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestParse(t *testing.T) {
	tests := []struct {
		text string
		typ  Type
		data string // hexadecimal; or behind a ', text; empty: none
		back string // as String gives it; empty: the text itself
	}{
		{"%any", Any, "", ""},
		{"%any6", Any, "", "%any"},
		{"*", Any, "", "%any"},
		{"0.0.0.0", Any, "", "%any"},
		{"::", Any, "", "%any"},
		{"0::0", Any, "", "%any"},
		{"%null", Null, "", ""},
		{"192.0.2.1", IPv4Addr, "c0000201", ""},
		{"::ffff:192.0.2.1", IPv4Addr, "c0000201", "192.0.2.1"},
		{"2001:db8::1", IPv6Addr, "20010db8000000000000000000000001", ""},
		{"2001:DB8:0::1", IPv6Addr, "20010db8000000000000000000000001", "2001:db8::1"},
		{"ipv4:#c0000201", IPv4Addr, "c0000201", "192.0.2.1"},
		{"IPv4:#c0000201", IPv4Addr, "c0000201", "192.0.2.1"},
		{"ipv4:#00000000", IPv4Addr, "00000000", ""},
		{"{1}:#c0000201", IPv4Addr, "c0000201", "192.0.2.1"},
		{"192.0.2.0/24", IPv4Subnet, "c0000200ffffff00", ""},
		{"192.0.2.9/24", IPv4Subnet, "c0000200ffffff00", "192.0.2.0/24"},
		{"0.0.0.0/0", IPv4Subnet, "0000000000000000", ""},
		{"192.0.2.1/32", IPv4Subnet, "c0000201ffffffff", ""},
		{"2001:db8::/33", IPv6Subnet, "20010db8000000000000000000000000 ffffffff800000000000000000000000", ""},
		{"192.0.2.1-192.0.2.9", IPv4Range, "c0000201c0000209", ""},
		{"2001:db8::1-2001:db8::9", IPv6Range, "20010db8000000000000000000000001 20010db8000000000000000000000009", ""},
		{"gw.example.org", FQDN, "'gw.example.org", ""},
		{" gw.example.org ", FQDN, "'gw.example.org", "gw.example.org"},
		{"GW.Example.ORG", FQDN, "'GW.Example.ORG", ""},
		{"alice", FQDN, "'alice", ""},
		{"any", FQDN, "'any", ""},
		{"0", FQDN, "'0", ""},
		{"site_a", FQDN, "'site_a", ""},
		{"*.example.org", FQDN, "'*.example.org", ""},
		{"@gw.example.org", FQDN, "'gw.example.org", "gw.example.org"},
		{"@192.0.2.1", FQDN, "'192.0.2.1", "fqdn:192.0.2.1"},
		{"fqdn:192.0.2.1", FQDN, "'192.0.2.1", ""},
		{"dns:a", FQDN, "'a", "a"},
		{"fqdn:*", FQDN, "'*", ""},
		{"{0x02}:tester", FQDN, "'tester", "tester"},
		{"fqdn:#ff00", FQDN, "ff00", ""},
		{"alice@example.org", RFC822Addr, "'alice@example.org", ""},
		{"alice@example", RFC822Addr, "'alice@example", ""},
		{"*@example.org", RFC822Addr, "'*@example.org", ""},
		{"@@alice@example.org", RFC822Addr, "'alice@example.org", "alice@example.org"},
		{"@@alice", RFC822Addr, "'alice", "email:alice"},
		{"email:tester", RFC822Addr, "'tester", ""},
		{"rfc822:a@b", RFC822Addr, "'a@b", "a@b"},
		{"userfqdn:a@b", RFC822Addr, "'a@b", "a@b"},
		{"jürgen@example.org", RFC822Addr, "'jürgen@example.org", ""},
		{"@#deadbeef", KeyID, "deadbeef", "keyid:#deadbeef"},
		{"@#de:ad:be:ef", KeyID, "deadbeef", "keyid:#deadbeef"},
		{"keyid:#deadbeef", KeyID, "deadbeef", ""},
		{"keyid:foo=bar", KeyID, "'foo=bar", ""},
		{"keyid:two words", KeyID, "'two words", ""},
		{"keyid:##", KeyID, "error", ""},
		{"asn1gn:#8107612e62", DERASN1GN, "8107612e62", ""},
		{"{99}:somedata", 99, "'somedata", ""},
		{"{99}:#00", 99, "00", ""},
		{"C=CH", DERASN1DN, "300d310b3009060355040613024348", ""},
		{"C=", DERASN1DN, "300b31093007060355040613 00", ""},
		{"C=CH,", DERASN1DN, "300d310b3009060355040613024348", "C=CH"},
		{"C=CH, ", DERASN1DN, "300d310b3009060355040613024348", "C=CH"},
		{"/C=CH", DERASN1DN, "300d310b3009060355040613024348", "C=CH"},
		{"asn1dn:C=CH", DERASN1DN, "300d310b3009060355040613024348", "C=CH"},
		{"asn1dn:#300d310b3009060355040613024348", DERASN1DN, "300d310b3009060355040613024348", "C=CH"},
		{"asn1dn:#3000", DERASN1DN, "3000", ""},
		// The value's type is UTF8String, which Parse would not choose.
		{"asn1dn:#300d310b300906035504060c024348", DERASN1DN, "300d310b300906035504060c024348", "C=CH"},
		{"2.5.4.6=CH", DERASN1DN, "300d310b3009060355040613024348", "C=CH"},
		{"OID.2.5.4.6=CH", DERASN1DN, "300d310b3009060355040613024348", "C=CH"},
	}
	for _, tt := range tests {
		id, err := Parse(tt.text)
		if tt.data == "error" {
			if err == nil {
				t.Errorf("Parse(%q) = %v", tt.text, id)
			}
			continue
		}
		if err != nil {
			t.Errorf("Parse(%q): %v", tt.text, err)
			continue
		}
		data := unhexOrText(t, tt.data)
		if id.Type != tt.typ || string(id.Data) != string(data) {
			t.Errorf("Parse(%q) = %s %x, want %s %x", tt.text, id.Type, id.Data, tt.typ, data)
		}
		back := tt.back
		if back == "" {
			back = tt.text
		}
		if id.String() != back {
			t.Errorf("Parse(%q).String() = %q, want %q", tt.text, id, back)
		}
	}
}

func unhexOrText(t testing.TB, s string) []byte {
	if rest, ok := strings.CutPrefix(s, "'"); ok {
		return []byte(rest)
	}
	return unhexT(t, s)
}

// TestParseErrors has the texts that swanctl takes for something else than meant, and says how to write them.
func TestParseErrors(t *testing.T) {
	for _, tt := range []struct{ text, reason, want string }{
		{"", "empty", "%any"},
		{"192.0.2.1/33", "not a prefix", "203.0.113.0/24"},
		{"192.0.2.9-192.0.2.1", "not a range", "203.0.113.1-203.0.113.9"},
		{"192.0.2.1-2001:db8::1", "not a range", "203.0.113.1"},
		{"fe80::1%eth0", "zone", "leave out"},
		{"2001:db8:", "neither an IPv6 address", "keyid:"},
		{"foo:bar", "neither an IPv6 address nor a known type", "keyid:"},
		{"foo=bar", "\"foo\" is not an attribute", "keyid:"},
		{"C=CH, XY=1", "\"XY\" is not an attribute", "keyid:"},
		{"C=CH, O", "has no value", "keyid:"},
		{"CN=\"a", "closing quote", "keyid:"},
		{"CN=a\\", "nothing after the last", "keyid:"},
		{"CN=#zz", "not hexadecimal", "keyid:"},
		{"CN=#0c05", "not the DER", "keyid:"},
		{"ipv4:192.0.2.1", "in hexadecimal", "write 192.0.2.1 without"},
		{"ipv4:#c00002", "3 octets", "check"},
		{"ipv6:#00", "1 octets", "check"},
		{"@#", "not hexadecimal", "two digits"},
		{"@#abc", "not hexadecimal", "two digits"},
		{"@#xy", "not hexadecimal", "two digits"},
		{"@", "nothing after", "name"},
		{"@@", "nothing after", "name"},
		{"keyid:", "empty", "check"},
		{"{0}:x", "not an identity type", "1 to 255"},
		{"{256}:x", "not an identity type", "1 to 255"},
		{"{x:y", "not an identity type", "1 to 255"},
		{"{4}:#c0000200ffffff00", "not an identity that a peer can have", "check"},
		{"gw example", "space", "keyid:"},
		{"gw.exämple", "ASCII", "xn--"},
		{"vpn*.example.org", "wildcard", "*.example.org"},
		{"**", "wildcard", "*.example.org"},
		{"fqdn:^vpn[0-9]+\\.example\\.org$", "regular expressions", "*.example.org"},
		{"asn1dn:#30", "malformed", "check"},
		{"a@b\x00c", "control character", "keyid:"},
		{strings.Repeat("a", MaxLen+1), "too long", "4096"},
		{"@#" + strings.Repeat("00", MaxLen+1), "too long", "4096"},
		{strings.Repeat("a", 4*MaxLen), "too long", "4096"},
	} {
		id, err := Parse(tt.text)
		var pe *ParseError
		if !errors.As(err, &pe) {
			t.Errorf("Parse(%.40q) = %v, %v: want a *ParseError", tt.text, id, err)
			continue
		}
		if !strings.Contains(pe.Reason, tt.reason) || !strings.Contains(pe.Want, tt.want) {
			t.Errorf("Parse(%.40q): %q; %q — want %q and %q in them", tt.text, pe.Reason, pe.Want, tt.reason, tt.want)
		}
	}
}

func TestFromWire(t *testing.T) {
	for _, tt := range []struct {
		typ  uint8
		data string
		want string // as String gives it; empty: an error
	}{
		{1, "c0000201", "192.0.2.1"},
		{1, "c00002", ""},
		{1, "c000020100", ""},
		{1, "", ""},
		{5, "20010db8000000000000000000000001", "2001:db8::1"},
		{5, "c0000201", ""},
		// An IPv4-mapped address in an IPv6 identity stays what it is.
		{5, "00000000000000000000ffffc0000201", "ipv6:#00000000000000000000ffffc0000201"},
		{2, "'gw.example.org", "gw.example.org"},
		{2, "", ""},
		// What a peer sends can't look like another kind of identity, or end a line.
		{2, "'192.0.2.1", "fqdn:192.0.2.1"},
		{2, "'%any", "fqdn:%any"},
		{2, "'a@b", "fqdn:a@b"},
		{2, "'C=CH", "fqdn:C=CH"},
		{2, "'keyid:x", "fqdn:keyid:x"},
		{2, "'#x", "#x"},
		{2, "'a b", "fqdn:#612062"},
		{2, "'a\nb", "fqdn:#610a62"},
		{2, "'a.example\x00", "fqdn:#612e6578616d706c6500"},
		{3, "'a@b", "a@b"},
		{3, "'a", "email:a"},
		{9, "300d310b3009060355040613024348", "C=CH"},
		{9, "300d310b3009060355040613024349ff", ""},
		{9, "30", ""},
		{9, "", ""},
		{9, "3000", "asn1dn:#3000"},
		{9, "30023100", ""},
		{10, "8107612e62", "asn1gn:#8107612e62"},
		{11, "'peer 7", "keyid:peer 7"},
		{11, "00ff", "keyid:#00ff"},
		{11, "", ""},
		{13, "", "%null"},
		{13, "00", ""},
		{99, "00", "{99}:#00"},
		{0, "", ""},
		{0, "00", ""},
		{4, "c0000200ffffff00", ""},
		{7, "c0000200c0000201", ""},
	} {
		id, err := FromWire(tt.typ, unhexOrText(t, tt.data))
		if (err == nil) != (tt.want != "") {
			t.Errorf("FromWire(%d, %q) = %v, %v", tt.typ, tt.data, id, err)
			continue
		}
		if err == nil && id.String() != tt.want {
			t.Errorf("FromWire(%d, %q) = %q, want %q", tt.typ, tt.data, id, tt.want)
		}
	}
	if _, err := FromWire(11, make([]byte, MaxLen+1)); err == nil {
		t.Error("an identity longer than MaxLen was accepted")
	}
	data := []byte("abc")
	id, _ := FromWire(2, data)
	if data[0] = 'x'; id.String() != "abc" {
		t.Error("FromWire aliases its input")
	}
}

// TestEveryPrefixOfDNFails: a distinguished name that is cut anywhere is none.
func TestEveryPrefixOfDNFails(t *testing.T) {
	der := mustParse(t, "C=CH, O=Example, OU=a + SN=5, CN=gw.example.org").Data
	for n := range der {
		if id, err := FromWire(9, der[:n]); err == nil {
			t.Errorf("%d of %d octets gave %v", n, len(der), id)
		}
	}
	if _, err := FromWire(9, append(append([]byte(nil), der...), 0)); err == nil {
		t.Error("an octet too many was accepted")
	}
}

// TestDNBytesMatter: to change any octet of a distinguished name makes another one, or none, unless it is a letter's
// case or the kind of string.
func TestDNBytesMatter(t *testing.T) {
	want := mustParse(t, "C=CH, E=moon@example.org, CN=moon")
	for i := range want.Data {
		for _, d := range []byte{1, 0xff} {
			der := append([]byte(nil), want.Data...)
			der[i] += d
			id, err := FromWire(9, der)
			if err != nil || !id.Equal(want) {
				continue
			}
			switch want.Data[i] {
			case 0x13, 0x16: // PrintableString, IA5String
			default:
				t.Errorf("octet %d: %#x for %#x makes no difference", i, der[i], want.Data[i])
			}
		}
	}
}

func TestFromAddr(t *testing.T) {
	for in, want := range map[string]string{"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8::1": "2001:db8::1"} {
		id := FromAddr(netip.MustParseAddr(in))
		if id.String() != want || !id.Concrete() {
			t.Errorf("FromAddr(%s) = %v", in, id)
		}
		if a, ok := id.Addr(); !ok || a != netip.MustParseAddr(in).Unmap() {
			t.Errorf("Addr() = %v, %v", a, ok)
		}
	}
	if id := FromAddr(netip.Addr{}); !id.Any() {
		t.Errorf("no address is %v", id)
	}
	if _, ok := mustParse(t, "gw.example").Addr(); ok {
		t.Error("a name has an address")
	}
}

func TestText(t *testing.T) {
	var id Identity
	if err := id.UnmarshalText([]byte("gw.example")); err != nil || id.Type != FQDN {
		t.Errorf("%v, %v", id, err)
	}
	if b, err := id.MarshalText(); err != nil || string(b) != "gw.example" {
		t.Errorf("%q, %v", b, err)
	}
	if err := id.UnmarshalText([]byte("a b")); err == nil || id.Type != FQDN {
		t.Errorf("%v, %v", id, err)
	}
	for typ := range 16 {
		if s := Type(typ).String(); s == "" {
			t.Errorf("type %d has no name", typ)
		}
	}
}

// FuzzParse: no panic, and what is accepted survives printing.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"%any", "192.0.2.1", "192.0.2.0/24", "192.0.2.1-192.0.2.9", "gw.example.org", "*.example.org",
		"a@b", "@#00ff", "keyid:#00", "C=CH, O=a\\,b, CN=\"x y\"", "/C=CH/CN=x", "CN=a+SN=1", "{13}:x", "fqdn:#61", "2.5.4.3=#0c0161"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := Parse(s)
		if err != nil {
			return
		}
		back, err := Parse(id.String())
		if err != nil || !back.alike(id) {
			t.Fatalf("Parse(%q) = %#v printed as %q, which gives %#v, %v", s, id, id, back, err)
		}
		if !id.Equal(back) {
			t.Fatalf("%v is not equal to itself", id)
		}
	})
}

// FuzzFromWire: whatever a peer sends is printed on one line, unambiguously.
func FuzzFromWire(f *testing.F) {
	for _, s := range []string{"gw", "a@b", "\xc0\x00\x02\x01", "0\x00", "*", "%any"} {
		for _, typ := range []uint8{1, 2, 3, 5, 9, 10, 11, 13, 200} {
			f.Add(typ, []byte(s))
		}
	}
	dn, _ := Parse("C=CH, O=Example, OU=a + SN=5, CN=gw.example.org")
	f.Add(uint8(9), dn.Data)
	f.Fuzz(func(t *testing.T, typ uint8, data []byte) {
		id, err := FromWire(typ, data)
		if err != nil {
			return
		}
		s := id.String()
		if strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Fatalf("%q has control characters", s)
		}
		back, err := Parse(s)
		if err != nil || !back.alike(id) {
			t.Fatalf("%d %x printed as %q, which gives %v, %v", typ, data, s, back, err)
		}
		if n, ok := id.Matches(id); typ != 13 && (!ok || n != ScorePerfect) {
			t.Fatalf("%v does not match itself", id)
		}
	})
}
