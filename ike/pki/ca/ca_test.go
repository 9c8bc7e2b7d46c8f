package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

// now is when these tests are.
func now() time.Time { return time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC) }

// newTestKey makes a key of a kind that is made fast.
func newTestKey(t *testing.T, kind Kind) crypto.Signer {
	t.Helper()
	key, err := GenerateKey(kind)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newTestCA(t *testing.T, r Root) *Authority {
	t.Helper()
	if r.Validity == 0 {
		r.Validity = 3650 * Day
	}
	a, err := NewRoot(now(), r, newTestKey(t, KindP256))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func named(t *testing.T, texts ...string) (n Names) {
	t.Helper()
	for _, s := range texts {
		if err := n.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// TestKinds: a CA of each kind of key issues for each, and keys come back from their files.
func TestKinds(t *testing.T) {
	for _, kind := range Kinds() {
		key := newTestKey(t, kind)
		if KindOf(key.Public()) != kind {
			t.Errorf("%s: %s", kind, KindOf(key.Public()))
		}
		text, err := EncodeKey(key)
		if err != nil {
			t.Fatal(err)
		}
		again, err := DecodeKey(text)
		if err != nil {
			t.Fatal(err)
		}
		a, err := NewRoot(now(), Root{Validity: 10 * Day, PathLen: -1}, again)
		if err != nil {
			t.Fatal(err)
		}
		c, err := a.Issue(now(), Request{CommonName: "a.example", Names: named(t, "a.example"), Key: key.Public()})
		if err != nil || !Fits(c, key) || !Fits(a.Certificate, key) || Fits(c, newTestKey(t, KindP256)) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	if k, err := ParseKind("P384"); err != nil || k != KindP384 {
		t.Error(k, err)
	}
	if _, err := ParseKind("rsa1024"); err == nil || err.Error() != `"rsa1024" is no kind of key; write p256, p384, rsa3072, ed25519` {
		t.Error(err)
	}
}

// TestRoot: what a CA has, and what it is called.
func TestRoot(t *testing.T) {
	a := newTestCA(t, Root{PathLen: 0})
	c := a.Certificate
	if !c.IsCA || c.MaxPathLen != 0 || !c.MaxPathLenZero || c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign || !strings.HasPrefix(c.Subject.CommonName, "Esplanade CA ") ||
		len(c.SubjectKeyId) != 20 || !slices.Equal(c.SubjectKeyId, c.AuthorityKeyId) || c.PermittedDNSDomainsCritical {
		t.Errorf("%+v", c)
	}
	if b := newTestCA(t, Root{PathLen: 0}); b.Certificate.Subject.CommonName == c.Subject.CommonName {
		t.Error("two CAs have one name")
	}
	if c := newTestCA(t, Root{Name: "Our CA", PathLen: -1}).Certificate; c.MaxPathLen != -1 || c.MaxPathLenZero || c.Subject.String() != "CN=Our CA" {
		t.Errorf("%+v", c)
	}
	for _, tt := range []struct {
		root Root
		want string
	}{
		{Root{}, "no time in which it is valid"},
		{Root{Validity: Day, Name: "a\x1b[2J"}, "cannot be printed"},
		{Root{Validity: Day, Name: strings.Repeat("x", 65)}, "has 65 characters"},
		{Root{Validity: Day, Permitted: []string{"10.1.0.0/8"}}, "write 10.0.0.0/8"},
		{Root{Validity: Day, Permitted: []string{"a b"}}, `"a b" is no DNS domain`},
	} {
		if _, err := NewRoot(now(), tt.root, newTestKey(t, KindP256)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v", tt.root, err)
		}
	}
}

// TestServer: the certificate of a server has what every native client looks for.
func TestServer(t *testing.T) {
	a := newTestCA(t, Root{})
	c, err := a.Issue(now(), Request{CommonName: "vpn.example.org", Names: named(t, "vpn.example.org", "192.0.2.1", "2001:db8::1"), Key: newTestKey(t, KindP256).Public(), CRLs: []string{"http://example.org/ca.crl"}})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.DNSNames, []string{"vpn.example.org", "192.0.2.1", "2001:db8::1"}) || len(c.IPAddresses) != 2 || c.IsCA || !c.BasicConstraintsValid ||
		c.KeyUsage != x509.KeyUsageDigitalSignature || !slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}) ||
		len(c.UnknownExtKeyUsage) != 2 || !c.UnknownExtKeyUsage[0].Equal(keyIPsecIKE()) || !c.UnknownExtKeyUsage[1].Equal(keyIKEIntermediate()) ||
		!slices.Equal(c.AuthorityKeyId, a.Certificate.SubjectKeyId) || len(c.CRLDistributionPoints) != 1 {
		t.Errorf("%+v", c)
	}
	if got := c.NotAfter.Sub(c.NotBefore); got != DefaultValidity+time.Hour || !c.NotBefore.Equal(now().Add(-time.Hour)) {
		t.Errorf("it is valid for %s", got)
	}
	if n := c.SerialNumber; n.Sign() <= 0 || n.BitLen() > 128 || n.BitLen() < 64 {
		t.Errorf("the serial number is %x", n)
	}
	if RoleOf(c) != Server {
		t.Error("it is not that of a server")
	}
}

// TestClient: the certificate of a client is none of a server.
func TestClient(t *testing.T) {
	a := newTestCA(t, Root{})
	c, err := a.Issue(now(), Request{Role: Client, CommonName: "Zoë Ünal", Names: named(t, "zoe@example.org"), Key: newTestKey(t, KindEd25519).Public(), Validity: 30 * Day})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.ExtKeyUsage, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}) || RoleOf(c) != Client || !slices.Equal(c.EmailAddresses, []string{"zoe@example.org"}) ||
		c.Subject.CommonName != "Zoë Ünal" || !c.NotAfter.Equal(now().Add(30*Day)) {
		t.Errorf("%+v", c)
	}
}

// TestIssueRefuses: what would be refused elsewhere is refused here, with what to do.
func TestIssueRefuses(t *testing.T) {
	inside := newTestCA(t, Root{Validity: 100 * Day, Name: "In", Permitted: []string{"example.org", "@example.org", "10.0.0.0/8"}})
	for _, tt := range []struct {
		name  string
		names []string
		days  time.Duration
		role  Role
		at    time.Time
		want  string // nothing: it is issued
	}{
		{"a.example.org", []string{"a.example.org", "10.1.2.3"}, 0, Server, now(), ""},
		{"x", []string{"x@example.org"}, 100, Client, now(), ""},
		{"example.com", []string{"example.com"}, 0, Server, now(), "the CA CN=In may not issue that"},
		{"x", []string{"192.0.2.1"}, 0, Server, now(), "name constraints were set when it was made"},
		{"x", []string{"x@example.com"}, 0, Client, now(), "may not issue that"},
		{"x", nil, 0, Server, now(), "needs a DNS name or an IP address"},
		{"x\n", []string{"a.example.org"}, 0, Server, now(), "cannot be printed"},
		{" ", []string{"a.example.org"}, 0, Server, now(), "a name is needed"},
		{"x", []string{"a.example.org"}, 826, Server, now(), "write at most 824"},
		{"x", []string{"a.example.org"}, 101, Server, now(), "ends 2027-03-09 12:00:00, before this certificate would; write at most 100 days"},
		{"x", []string{"a.example.org"}, -1, Server, now(), "greater than 0"},
		{"x", []string{"a.example.org"}, 0, Server, now().Add(101 * Day), "has ended 2027-03-09 12:00:00; make a new one"},
		{"x", []string{"a.example.org"}, 0, Server, now().Add(-3 * time.Hour), "set the clock"},
	} {
		_, err := inside.Issue(tt.at, Request{Role: tt.role, CommonName: tt.name, Names: named(t, tt.names...), Validity: tt.days * Day, Key: newTestKey(t, KindP256).Public()})
		if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s %v %d: %v, want %q", tt.name, tt.names, tt.days, err, tt.want)
		}
	}
	// The default ends with the CA.
	c, err := inside.Issue(now(), Request{CommonName: "a.example.org", Names: named(t, "a.example.org"), Key: newTestKey(t, KindP256).Public()})
	if err != nil || !c.NotAfter.Equal(inside.Certificate.NotAfter) {
		t.Error(c.NotAfter, err)
	}
}

// TestNames: the kind of a name comes from how it is written, and what is none of them is refused.
func TestNames(t *testing.T) {
	n := named(t, "a.example", "*.example", "::ffff:192.0.2.1", "me+x@example.org", "alice")
	if !slices.Equal(n.DNS, []string{"a.example", "*.example", "alice"}) || len(n.IPs) != 1 || !n.IPs[0].Is4() || !slices.Equal(n.Emails, []string{"me+x@example.org"}) {
		t.Errorf("%+v", n)
	}
	for _, bad := range []string{"", "a b", "a..b", "-a", "a-", "a.*.b", "fe80::1%eth0", "@x", "x@", "x@-", "x y@example.org", "a\x00b", "ä.example", strings.Repeat("a", 64), strings.Repeat("a.", 127) + "a"} {
		if err := new(Names).Add(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// TestSerials: no two are the same, and text comes back.
func TestSerials(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		n := newSerial()
		s := FormatSerial(n)
		back, ok := ParseSerial(s)
		if seen[s] || len(s) != 32 || !ok || back.Cmp(n) != 0 || n.Sign() <= 0 {
			t.Fatal(s)
		}
		seen[s] = true
	}
	if n, ok := ParseSerial("0A:ff"); !ok || n.Int64() != 0xaff {
		t.Error(n, ok)
	}
	for _, bad := range []string{"", ":", "0x1", "-1", "alice", "+1"} {
		if n, ok := ParseSerial(bad); ok {
			t.Errorf("%q is %v", bad, n)
		}
	}
}

// TestCRL: it is the CA's, has what was revoked with its reasons, and its number.
func TestCRL(t *testing.T) {
	a := newTestCA(t, Root{})
	revoked := Revoked{{big.NewInt(7), now(), KeyCompromise}, {big.NewInt(8), now(), Unspecified}}
	der, err := a.CRL(now(), revoked, big.NewInt(41), DefaultCRLValidity)
	if err != nil {
		t.Fatal(err)
	}
	l, err := x509.ParseRevocationList(der)
	if err != nil || l.CheckSignatureFrom(a.Certificate) != nil || l.Number.Int64() != 41 || !l.NextUpdate.Equal(now().Add(30*Day)) || len(l.RevokedCertificateEntries) != 2 ||
		l.RevokedCertificateEntries[0].ReasonCode != 1 {
		t.Fatalf("%+v, %v", l, err)
	}
	// RFC 5280 section 5.3.1: "the reason code CRL entry extension SHOULD be absent instead of using the unspecified (0) value".
	if len(l.RevokedCertificateEntries[1].Extensions) != 0 {
		t.Errorf("%+v", l.RevokedCertificateEntries[1])
	}
	if _, err := a.CRL(now(), nil, big.NewInt(1), 0); err == nil {
		t.Error("a CRL that has ended is made")
	}
}

// TestRevokedFile: the file comes back as it was, and a line that is none is named.
func TestRevokedFile(t *testing.T) {
	var r Revoked
	for i, reason := range Reasons() {
		r = append(r, Revocation{big.NewInt(int64(i) + 1), now().Add(time.Duration(i) * time.Second), reason})
	}
	back, err := DecodeRevoked(r.Encode())
	if err != nil || !slices.EqualFunc(r, back, func(a, b Revocation) bool {
		return a.Serial.Cmp(b.Serial) == 0 && a.At.Equal(b.At) && a.Reason == b.Reason
	}) {
		t.Errorf("%v, %v", back, err)
	}
	if x, ok := back.Find(big.NewInt(2)); !ok || x.Reason != KeyCompromise {
		t.Error(x, ok)
	}
	if _, ok := back.Find(big.NewInt(99)); ok {
		t.Error("99 is revoked")
	}
	for bad, want := range map[string]string{
		"# x\n\n1 2": "line 3 has 2 fields", "z 2026-01-01T00:00:00Z superseded": `line 1 has the serial number "z"`,
		"1 now superseded": `line 1 has the time "now"`, "1 2026-01-01T00:00:00Z hold": `line 1: "hold" is no reason; write unspecified, key-compromise`,
	} {
		if _, err := DecodeRevoked([]byte(bad)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if r, err := ParseReason("keyCompromise"); err != nil || r != KeyCompromise {
		t.Error(r, err)
	}
}

// TestBundle: both forms open with their password and with no other.
func TestBundle(t *testing.T) {
	a := newTestCA(t, Root{})
	key := newTestKey(t, KindP256)
	c, err := a.Issue(now(), Request{Role: Client, CommonName: "x", Key: key.Public()})
	if err != nil {
		t.Fatal(err)
	}
	for _, legacy := range []bool{false, true} {
		data, err := Bundle(key, c, a.Certificate, "päss", legacy)
		if err != nil {
			t.Fatal(err)
		}
		k, leaf, chain, err := pkcs12.DecodeChain(data, "päss")
		if signer, ok := k.(crypto.Signer); err != nil || !ok || !Fits(leaf, signer) || !leaf.Equal(c) || len(chain) != 1 || !chain[0].Equal(a.Certificate) {
			t.Errorf("%v, %v", leaf, err)
		}
		if _, _, _, err := pkcs12.DecodeChain(data, "pass"); err == nil {
			t.Error("another password opens it")
		}
	}
	seen := map[string]bool{}
	for range 200 {
		p := NewPassword()
		if len(p) != passwordLength+4 || seen[p] || strings.Trim(p, passwordLetters+"-") != "" {
			t.Fatal(p)
		}
		seen[p] = true
	}
}

// TestClients: each rule of a native client has a certificate that breaks it, and one that keeps it.
func TestClients(t *testing.T) {
	good := func() *x509.Certificate {
		return &x509.Certificate{NotBefore: now().Add(-Day), NotAfter: now().Add(Day), DNSNames: []string{"a.example"}, SignatureAlgorithm: x509.SHA256WithRSA,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, KeyUsage: x509.KeyUsageDigitalSignature, PublicKey: &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 2047), E: 65537}}
	}
	for _, tt := range []struct {
		change                  func(*x509.Certificate)
		apple, windows, android string // what is said; nothing: it is accepted
	}{
		{func(*x509.Certificate) {}, "", "", ""},
		{func(c *x509.Certificate) { c.NotBefore = now().Add(time.Hour) }, "not valid yet", "not valid yet", "not valid yet"},
		{func(c *x509.Certificate) { c.NotAfter = now().Add(-time.Hour) }, "has ended", "has ended", "has ended"},
		{func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }, "key usage", "key usage", "key usage"},
		{func(c *x509.Certificate) { c.PublicKey = &rsa.PublicKey{N: big.NewInt(1 << 40), E: 3} }, "41 bits", "41 bits", "41 bits"},
		{func(c *x509.Certificate) {
			c.UnhandledCriticalExtensions = append(c.UnhandledCriticalExtensions, keyIPsecIKE())
		}, "critical", "critical", "critical"},
		{func(c *x509.Certificate) { c.DNSNames = nil }, "common name does not count", "no name", "no name in the subjectAltName"},
		{func(c *x509.Certificate) { c.DNSNames, c.Subject.CommonName = nil, "a.example" }, "common name does not count", "", "no name"},
		{func(c *x509.Certificate) {
			c.DNSNames, c.IPAddresses = nil, append(c.IPAddresses, []byte{192, 0, 2, 1})
		}, "", "its address is no DNS name", ""},
		{func(c *x509.Certificate) { c.SignatureAlgorithm = x509.SHA1WithRSA }, "SHA1-RSA, and SHA-2 is the least", "", ""},
		{func(c *x509.Certificate) { c.ExtKeyUsage = nil }, "no serverAuth", "no serverAuth", ""},
		{func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(825*Day + time.Second) }, "valid for 825 days", "", ""},
		{func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(825 * Day) }, "", "", ""},
		{func(c *x509.Certificate) { c.NotBefore, c.ExtKeyUsage = appleRules(), nil }, "", "no serverAuth", ""},
		{func(c *x509.Certificate) { c.PublicKey = &ecdsa.PublicKey{Curve: elliptic.P256()} }, "", "", "not RSA"},
		{func(c *x509.Certificate) { c.PublicKey = &ecdsa.PublicKey{Curve: elliptic.P521()} }, "", "another curve", "not RSA"},
		{func(c *x509.Certificate) { c.PublicKey = &ecdsa.PublicKey{Curve: elliptic.P224()} }, "P-224", "another curve", "not RSA"},
		{func(c *x509.Certificate) { c.PublicKey = ed25519.PublicKey{} }, "neither RSA nor ECDSA", "neither RSA nor ECDSA", "not RSA"},
	} {
		c := good()
		tt.change(c)
		for i, v := range Clients(c, now()) {
			want := []string{tt.apple, tt.windows, tt.android}[i]
			if (len(v.Refuses) == 0) != (want == "") || want != "" && !strings.Contains(strings.Join(v.Refuses, "; "), want) {
				t.Errorf("%s: %q, want %q", v.Client, v.Refuses, want)
			}
		}
	}
}
