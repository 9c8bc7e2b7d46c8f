package identity

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
)

func TestDNText(t *testing.T) {
	for _, tt := range []struct{ text, back string }{
		{"C=CH, O=strongSwan, CN=gw.example.org", ""},
		{"C=CH,O=strongSwan,CN=gw.example.org", "C=CH, O=strongSwan, CN=gw.example.org"},
		{"/C=CH/O=strongSwan/CN=gw.example.org", "C=CH, O=strongSwan, CN=gw.example.org"},
		{"cn=gw, o=x, c=CH", "CN=gw, O=x, C=CH"},
		{"C=, O=x", ""},
		{"C=CH, email=a@b, CN=x", "C=CH, E=a@b, CN=x"},
		{"C=CH, emailAddress=a@b", "C=CH, E=a@b"},
		{"DC=org, DC=example, UID=7", ""},
		{"SN=7, S=Miller, G=Ann", "serialNumber=7, S=Miller, G=Ann"},
		{`O=a\,b`, ""},
		{`O="a,b"`, `O=a\,b`},
		{`O="a\"b"`, `O=a\"b`},
		{`O=\ a\ `, ""},
		{`O=" a "`, `O=\ a\ `},
		{`O=  a  `, "O=a"},
		{`O=a\2cb`, `O=a\,b`},
		{`O=J\c3\bcrgen`, "O=Jürgen"},
		{`O=\#1`, ""},
		{`O=a=b`, ""},
		{"E=bob+vpn@example.org, CN=x", `E=bob\+vpn@example.org, CN=x`},
		{"CN=a+SN=1", "CN=a + serialNumber=1"},
		{"CN=a + L=b + O=c", "CN=a + L=b + O=c"},
		{"2.5.4.21=123", ""},
		{"1.3.6.1.4.1.99999.1=x", ""},
		{"O=#13017a", "O=z"},
		{"O=#0c017a", "O=z"},
		{"O=#14017a", "O=z"},
		{"O=#1e02007a", ""},
		{"O=#0500", ""},
		{"CN=*", ""},
	} {
		der, err := parseDNText(tt.text)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		back := tt.back
		if back == "" {
			back = tt.text
		}
		got, ok := formatDN(der)
		if again, err := parseDNText(got); err != nil || !(Identity{Type: DERASN1DN, Data: der}).Equal(Identity{Type: DERASN1DN, Data: again}) {
			t.Errorf("%q printed as %q, which is not equal: %v", tt.text, got, err)
		}
		if !ok || got != back {
			t.Errorf("%q printed as %q, %v; want %q", tt.text, got, ok, back)
		}
	}
}

// TestDNAgainstStandardLibrary has Go's own encoder make the name.
func TestDNAgainstStandardLibrary(t *testing.T) {
	name := pkix.Name{Country: []string{"CH"}, Organization: []string{"Example, Inc."}, OrganizationalUnit: []string{"Zürich"},
		CommonName: "gw.example.org", SerialNumber: "42"}
	der, err := asn1.Marshal(name.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	id, err := FromWire(9, der)
	if err != nil {
		t.Fatal(err)
	}
	const want = `C=CH, O=Example\, Inc., OU=Zürich, CN=gw.example.org, serialNumber=42`
	if id.String() != want {
		t.Errorf("printed as %q", id)
	}
	if back := mustParse(t, want); !back.alike(id) {
		t.Errorf("read back as %x, want %x", back.Data, der)
	}
}

func TestObjectIdentifiers(t *testing.T) {
	for _, tt := range []struct {
		text string
		ok   bool
	}{
		{"2.5.4.3", true}, {"1.2.840.113549.1.9.1", true}, {"0.9.2342.19200300.100.1.1", true}, {"2.999.1", true}, {"1.39", true},
		{"3.1", false}, {"1.40", false}, {"1", false}, {"", false}, {"1.2.", false}, {"1.02", false}, {"1.-2", false}, {"a.b", false},
	} {
		b, err := encodeOID(tt.text)
		if (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		if err == nil {
			if got, ok := dotted(b); !ok || got != tt.text {
				t.Errorf("%q came back as %q, %v", tt.text, got, ok)
			}
		}
	}
	for _, b := range [][]byte{{}, {0x80, 1}, {0x81}, {0x55, 0x80, 0x01}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}} {
		if got, ok := dotted(b); ok {
			t.Errorf("%x was read as %s", b, got)
		}
	}
}

func TestAttributeNamesAreUnique(t *testing.T) {
	seen := map[string]bool{}
	for _, a := range attributeNames() {
		if _, err := encodeOID(a.oid); err != nil || seen[a.oid] {
			t.Errorf("%s: %v", a.oid, err)
		}
		seen[a.oid] = true
		for _, n := range a.names {
			if seen[string([]byte(n))] {
				t.Errorf("%s is there twice", n)
			}
			seen[n] = true
			if oid, ok := attributeOID(n); !ok || oid != a.oid {
				t.Errorf("%s stands for %s, not for %s", n, oid, a.oid)
			}
		}
	}
}
