package pki

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"net"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/crypto/cryptobyte"
	basn1 "golang.org/x/crypto/cryptobyte/asn1"

	"esplanade/ike/identity"
)

// orderly holds Judge to its promises, whatever is presented: a peer or a *Refusal, whose text is short and harmless.
func orderly(t *testing.T, trust *Trust, id identity.Identity, p Presented) (accepted bool) {
	t.Helper()
	peer, err := trust.Judge(noon(), id, p)
	if err == nil {
		if peer.Key == nil {
			t.Fatal("accepted without a key")
		}
		return true
	}
	var r *Refusal
	if !errors.As(err, &r) || peer.Key != nil || peer.Chain != nil {
		t.Fatalf("%T with the key %v: %v", err, peer.Key, err)
	}
	if r.Reason < NoCertificate || r.Reason > WrongCA {
		t.Fatalf("the reason is %v", r.Reason)
	}
	for _, text := range []string{r.Error(), r.Subject(), r.CA, r.Detail, r.Serial()} {
		harmless(t, text)
	}
	return false
}

// maxLine is more than any text about a certificate may have, in bytes.
const maxLine = 16 * maxText

func harmless(t *testing.T, text string) {
	t.Helper()
	if len(text) > maxLine {
		t.Fatalf("a text of %d bytes", len(text))
	}
	for _, r := range text {
		if !unicode.IsPrint(r) {
			t.Fatalf("%q has %q", text, r)
		}
	}
}

// TestDamagedCertificates has each byte of a chain changed, and each end cut off.
func TestDamagedCertificates(t *testing.T) {
	ca := root(t, "CA")
	between := issue(t, ca, caTemplate("Between"), nil)
	end := issue(t, between, endTemplate(), nil)
	trust, who := trustIn(ca), id(t, "site-b.example")
	for which := range 2 {
		certs := [][]byte{end.Raw, between.Raw}
		whole := certs[which]
		for i := range whole {
			damaged := bytes.Clone(whole)
			damaged[i] ^= 1 << (i % 8)
			certs[which] = damaged
			if orderly(t, trust, who, Presented{Certs: certs}) {
				t.Fatalf("accepted with byte %d of certificate %d as %x", i, which, damaged[i])
			}
			certs[which] = whole[:i]
			orderly(t, trust, who, Presented{Certs: certs})
			if c, err := Parse(whole[:i]); err == nil || c != nil {
				t.Fatalf("parsed %d of %d bytes", i, len(whole))
			}
		}
		if _, err := Parse(append(bytes.Clone(whole), 0)); err == nil {
			t.Fatal("parsed with a byte behind")
		}
	}
}

// TestMalformed has what is no certificate in ways that are known.
func TestMalformed(t *testing.T) {
	ca := root(t, "CA")
	key := ca.key
	der := func(edit func(*x509.Certificate)) []byte {
		template := endTemplate()
		edit(template)
		return issueDER(t, ca, template, key.Public(), key)
	}
	indefinite := bytes.Clone(ca.Raw)
	indefinite[1] = 0x80
	var many []pkix.Extension
	for i := range maxExtensions + 1 {
		many = append(many, pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3, i}, Value: []byte{5, 0}})
	}
	long := make([]byte, maxSerial)
	long[0] = 0x80
	fine := issueDER(t, ca, endTemplate(), key.Public(), key)
	for name, bad := range map[string][]byte{
		"empty":               {},
		"nothing":             nil,
		"a null":              {5, 0},
		"an empty sequence":   {0x30, 0},
		"a length beyond":     {0x30, 0x84, 0xff, 0xff, 0xff, 0xff},
		"a length of 2^63":    {0x30, 0x88, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"indefinite length":   indefinite,
		"PEM":                 []byte("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"),
		"nested":              bytes.Repeat([]byte{0x30, 0x80}, 4000),
		"too large":           der(func(c *x509.Certificate) { c.DNSNames = append(c.DNSNames, strings.Repeat("a.", MaxCertificate/2)+"a") }),
		"too many extensions": der(func(c *x509.Certificate) { c.ExtraExtensions = many }),
		"an extension twice": der(func(c *x509.Certificate) {
			c.ExtraExtensions = many[:1:1]
			c.ExtraExtensions = append(c.ExtraExtensions, many[0])
		}),
		"a serial number of 21": resigned(t, ca, fine, 1, marshal(t, new(big.Int).SetBytes(long))),
		"a negative serial":     resigned(t, ca, fine, 1, marshal(t, big.NewInt(-7))),
		"dates the other way":   der(func(c *x509.Certificate) { c.NotBefore, c.NotAfter = noon(), noon().Add(-1e9) }),
		"an unknown version":    resigned(t, ca, fine, 0, []byte{0xa0, 3, 2, 1, 3}),
		"another algorithm":     resigned(t, ca, fine, 2, marshal(t, pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 3}})),
	} {
		t.Run(name, func(t *testing.T) {
			if c, err := Parse(bad); err == nil || c != nil {
				t.Fatalf("parsed, %v", err)
			}
			refused(t, trustIn(ca), Presented{Certs: [][]byte{bad}}, Unreadable)
			orderly(t, trustIn(ca), id(t, "site-b.example"), Presented{Certs: [][]byte{fine, bad}})
		})
	}
	// The limits themselves are within.
	there, err := Parse(fine)
	if err != nil {
		t.Fatal(err)
	}
	for _, more := range []int{0, 1} {
		_, err := Parse(der(func(c *x509.Certificate) { c.ExtraExtensions = many[:maxExtensions-len(there.Extensions)+more] }))
		if (err != nil) != (more > 0) {
			t.Errorf("%d extensions: %v", maxExtensions+more, err)
		}
		if _, err := Parse(sized(t, ca, MaxCertificate+more)); (err != nil) != (more > 0) {
			t.Errorf("%d bytes: %v", MaxCertificate+more, err)
		}
	}
}

// sized is a certificate of so many bytes.
func sized(t *testing.T, ca *holder, size int) []byte {
	t.Helper()
	padding := size - 1000
	for range 100 { // the length of a signature of ECDSA varies
		template := endTemplate()
		template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: make([]byte, padding)}}
		der := issueDER(t, ca, template, ca.PublicKey, ca.key)
		if len(der) == size {
			return der
		}
		padding += size - len(der)
	}
	t.Fatalf("no certificate of %d bytes", size)
	return nil
}

// TestChoiceLoops is the class of CVE-2017-9023: alternatives of a CHOICE that don't exist, have no content, or are
// nested, where a parser could turn round for ever.
func TestChoiceLoops(t *testing.T) {
	ca := root(t, "CA")
	wrap := func(content []byte) []byte { return append([]byte{0x30, byte(len(content))}, content...) }
	var contents [][]byte
	for tag := 0x80; tag < 0xc0; tag++ { // context-specific, which CHOICEs have
		one := []byte{byte(tag), 0}
		contents = append(contents, one, wrap(one), append(bytes.Clone(one), one...), []byte{byte(tag), 1}, []byte{byte(tag), 0x80, 0, 0},
			bytes.Repeat([]byte{byte(tag), 0}, 50))
	}
	who := id(t, "C=DE, O=Example, CN=site-b")
	// subjectAltName, name constraints, CRL distribution points, policies, the key identifier of the CA, policy constraints.
	for _, arc := range []int{17, 30, 31, 32, 35, 36} {
		for i, content := range contents {
			value := wrap(content)
			template := endTemplate()
			template.DNSNames, template.EmailAddresses, template.IPAddresses = nil, nil, nil
			if i%7 == 3 {
				value = content
			}
			template.ExtraExtensions = []pkix.Extension{ce(arc, i%2 == 0, value)}
			der, err := x509.CreateCertificate(nil, withDates(template), ca.Certificate, ca.PublicKey, ca.key)
			if err != nil {
				continue // crypto/x509 won't write it; TestDamagedCertificates has what it doesn't write
			}
			orderly(t, trustIn(ca), who, Presented{Certs: [][]byte{der}})
		}
	}
}

// TestTruncatedNames is the class of CVE-2013-6075: a distinguished name that ends early.
func TestTruncatedNames(t *testing.T) {
	ca := root(t, "CA")
	end := issue(t, ca, endTemplate(), nil)
	for n := range end.RawSubject {
		for _, data := range [][]byte{end.RawSubject[:n], append(bytes.Clone(end.RawSubject[:n]), make([]byte, len(end.RawSubject)-n)...)} {
			who := identity.Identity{Type: identity.DERASN1DN, Data: data}
			if Binds(end.Certificate, who) {
				t.Errorf("bound to %d of %d bytes", n, len(end.RawSubject))
			}
			orderly(t, trustIn(ca), who, present(end))
		}
	}
}

// TestHostileTexts has names that would do harm in a log or on a terminal.
func TestHostileTexts(t *testing.T) {
	evil := "\x1b[2J\x07\r\nNov 29 root: let in\u202e\u0000\xff\xfe" + strings.Repeat("A", 3000)
	ca := root(t, "CA")
	template := endTemplate()
	template.Subject = pkix.Name{CommonName: "\x1b[2J\r\n\u202eevil" + strings.Repeat("B", 3000), Organization: []string{"\u2028\u0085"}}
	template.DNSNames = []string{"site-b.example"}
	for range 100 {
		template.DNSNames = append(template.DNSNames, "\x1b[31m\r\n\x00"+strings.Repeat("c", 20))
	}
	template.EmailAddresses = []string{"\x07@\x1b"}
	template.IPAddresses = []net.IP{net.IPv4(192, 0, 2, 1)}
	end := issue(t, ca, template, nil)
	for _, text := range []string{Describe(end.Certificate), Subject(end.Certificate), Names(end.Certificate), Issuer(end.Certificate), clip(evil)} {
		harmless(t, text)
	}
	if text := Names(end.Certificate); !strings.Contains(text, "more") || !strings.HasPrefix(text, `"site-b.example", `) {
		t.Errorf("the names are %s", text)
	}
	orderly(t, trustIn(ca), identity.Identity{Type: identity.FQDN, Data: []byte(evil)}, present(end))
	orderly(t, trustIn(root(t, "CA")), id(t, "site-b.example"), present(end))
	orderly(t, &Trust{}, identity.Identity{Type: identity.KeyID, Data: []byte(evil)}, Presented{})
	stranger := issue(t, nil, &x509.Certificate{Subject: template.Subject, DNSNames: []string{"site-b.example"}}, nil)
	orderly(t, trustIn(ca), id(t, "site-b.example"), present(stranger))
	nameless := issue(t, ca, &x509.Certificate{}, nil)
	if Subject(nameless.Certificate) != "(no subject)" || Names(nameless.Certificate) != "nobody" {
		t.Errorf("%s, %s", Subject(nameless.Certificate), Names(nameless.Certificate))
	}
}

// TestDescribe is what an operator reads.
func TestDescribe(t *testing.T) {
	ca := root(t, "CA")
	template := endTemplate()
	template.SerialNumber = big.NewInt(0x4f2a)
	const want = `"C=DE, O=Example, CN=site-b" for "site-b.example", "ops@site-b.example", "203.0.113.7", "2001:db8::7", ` +
		`"C=DE, O=Example, CN=site-b", serial number 4f2a, issued by "O=Example, CN=CA", valid from 2026-11-28 12:00:00 UTC to 2026-11-30 12:00:00 UTC`
	if got := Describe(issue(t, ca, template, nil).Certificate); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	// What openssl writes, which is UTF8String, reads as what crypto/x509 writes.
	var b cryptobyte.Builder
	b.AddASN1(basn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(basn1.SET, func(b *cryptobyte.Builder) {
			b.AddASN1(basn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{2, 5, 4, 3})
				b.AddASN1(basn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte("site-a")) })
			})
		})
	})
	utf8 := endTemplate()
	utf8.RawSubject = b.BytesOrPanic()
	end := issue(t, ca, utf8, nil)
	if got := Subject(end.Certificate); got != "CN=site-a" {
		t.Errorf("the subject is %s", got)
	}
	if !Binds(end.Certificate, id(t, "CN=site-a")) {
		t.Error("not bound to its subject")
	}
	if got := IdentityIn(end.Certificate, id(t, "cn=SITE-A")); !bytes.Equal(got.Data, end.RawSubject) {
		t.Errorf("to be sent as %x", got.Data)
	}
	for _, text := range []string{"CN=site-b", "site-b.example", "SITE-B.example"} {
		if got := IdentityIn(end.Certificate, id(t, text)); got.String() != text {
			t.Errorf("%s is to be sent as %v", text, got)
		}
	}
}

func TestReasons(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Reasons() {
		if text := r.String(); text == "" || seen[text] || strings.HasPrefix(text, "reason ") {
			t.Errorf("%d is %q", r, text)
		}
		seen[r.String()] = true
		text := (&Refusal{Reason: r, Cert: nil}).Error()
		if text == "" || strings.Contains(text, "%!") {
			t.Errorf("%v: %q", r, text)
		}
	}
	if len(seen) != int(WrongCA) || Reason(0).String() != "reason 0" {
		t.Errorf("%d reasons", len(seen))
	}
}
