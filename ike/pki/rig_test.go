package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"net"
	"testing"
	"time"

	"esplanade/ike/identity"
)

// noon is the time of the tests; what rig makes is valid for a day before and after it.
func noon() time.Time { return time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC) }

// holder is a certificate with its key.
type holder struct {
	*x509.Certificate
	key crypto.Signer
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// caTemplate and endTemplate are what most tests issue; edits change it.
func caTemplate(name string) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{Organization: []string{"Example"}, CommonName: name}, BasicConstraintsValid: true,
		IsCA: true, MaxPathLen: -1, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
}

func endTemplate() *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{Country: []string{"DE"}, Organization: []string{"Example"}, CommonName: "site-b"},
		DNSNames: []string{"site-b.example"}, EmailAddresses: []string{"ops@site-b.example"},
		IPAddresses: []net.IP{net.IPv4(203, 0, 113, 7).To4(), net.ParseIP("2001:db8::7")},
		KeyUsage:    x509.KeyUsageDigitalSignature}
}

// issue makes a certificate for a key; a nil key is a new one, a nil issuer itself.
func issue(t testing.TB, by *holder, template *x509.Certificate, key crypto.Signer) *holder {
	t.Helper()
	if key == nil {
		key = newKey(t)
	}
	return issueFor(t, by, template, key.Public(), key)
}

func issueFor(t testing.TB, by *holder, template *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *holder {
	t.Helper()
	der := issueDER(t, by, template, public, key)
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{c, key}
}

func issueDER(t testing.TB, by *holder, template *x509.Certificate, public crypto.PublicKey, key crypto.Signer) []byte {
	t.Helper()
	if template.SerialNumber == nil {
		n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
		if err != nil {
			t.Fatal(err)
		}
		template.SerialNumber = n.Add(n, big.NewInt(1))
	}
	if template.NotBefore.IsZero() {
		template.NotBefore = noon().Add(-24 * time.Hour)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = noon().Add(24 * time.Hour)
	}
	parent, signer := template, key
	if by != nil {
		parent, signer = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func root(t testing.TB, name string) *holder { return issue(t, nil, caTemplate(name), nil) }

func trustIn(anchors ...*holder) *Trust {
	t := &Trust{}
	for _, a := range anchors {
		t.Anchors = append(t.Anchors, a.Certificate)
	}
	return t
}

func present(certs ...*holder) Presented {
	var p Presented
	for _, c := range certs {
		p.Certs = append(p.Certs, c.Raw)
	}
	return p
}

func id(t testing.TB, text string) identity.Identity {
	t.Helper()
	i, err := identity.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// accepted judges at noon for site-b.example.
func accepted(t *testing.T, trust *Trust, p Presented) Peer {
	t.Helper()
	peer, err := trust.Judge(noon(), id(t, "site-b.example"), p)
	if err != nil {
		t.Fatal(err)
	}
	return peer
}

func refused(t *testing.T, trust *Trust, p Presented, want Reason) *Refusal {
	t.Helper()
	return refusedAs(t, trust, noon(), id(t, "site-b.example"), p, want)
}

func refusedAs(t *testing.T, trust *Trust, now time.Time, id identity.Identity, p Presented, want Reason) *Refusal {
	t.Helper()
	peer, err := trust.Judge(now, id, p)
	var r *Refusal
	if !errors.As(err, &r) {
		t.Fatalf("accepted, or another error: %v, %v", peer.Chain, err)
	}
	if r.Reason != want {
		t.Fatalf("refused for %q, want %q: %v", r.Reason, want, err)
	}
	if peer.Key != nil || peer.Chain != nil {
		t.Fatal("a peer that is refused has a key")
	}
	return r
}

// withKey is a certificate with any SubjectPublicKeyInfo, also one that nobody could have a private key for.
func withKey(t testing.TB, by *holder, template *x509.Certificate, spki []byte) []byte {
	t.Helper()
	// The seventh element of a TBSCertificate, the version counted (RFC 5280, section 4.1).
	return resigned(t, by, issueDER(t, by, template, by.PublicKey, by.key), 6, spki)
}

// resigned has another element in the place of one of the TBSCertificate, and a signature that is right.
func resigned(t testing.TB, by *holder, der []byte, place int, element []byte) []byte {
	t.Helper()
	return edited(t, by, der, func(parts []asn1.RawValue) []asn1.RawValue {
		parts[place] = asn1.RawValue{FullBytes: element}
		return parts
	})
}

// versionOne is the certificate without what version 3 has brought: extensions.
func versionOne(t testing.TB, by, of *holder) *holder {
	t.Helper()
	der := edited(t, by, of.Raw, func(parts []asn1.RawValue) []asn1.RawValue { return parts[1:7] })
	c, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{c, of.key}
}

// edited has other elements in its TBSCertificate, and a signature that is right.
func edited(t testing.TB, by *holder, der []byte, edit func([]asn1.RawValue) []asn1.RawValue) []byte {
	t.Helper()
	var outer struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &outer); err != nil {
		t.Fatal(err)
	}
	var parts []asn1.RawValue
	if _, err := asn1.Unmarshal(outer.TBS.FullBytes, &parts); err != nil {
		t.Fatal(err)
	}
	tbs := marshal(t, edit(parts))
	digest := sha256.Sum256(tbs)
	sig, err := by.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	outer.TBS, outer.Signature = asn1.RawValue{FullBytes: tbs}, asn1.BitString{Bytes: sig, BitLength: 8 * len(sig)}
	return marshal(t, outer)
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	der, err := asn1.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// rsaInfo is the SubjectPublicKeyInfo of an RSA key with these numbers.
func rsaInfo(t testing.TB, n, e *big.Int) []byte {
	t.Helper()
	key := marshal(t, struct{ N, E *big.Int }{n, e})
	return marshal(t, struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}{pkix.AlgorithmIdentifier{Algorithm: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, Parameters: asn1.NullRawValue},
		asn1.BitString{Bytes: key, BitLength: 8 * len(key)}})
}

// odd is an odd number of so many bits.
func odd(t testing.TB, bits uint) *big.Int {
	t.Helper()
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), bits-1))
	if err != nil {
		t.Fatal(err)
	}
	return n.SetBit(n, int(bits)-1, 1).SetBit(n, 0, 1)
}

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// ce is an extension of id-ce.
func ce(arc int, critical bool, value []byte) pkix.Extension {
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, arc}, Critical: critical, Value: value}
}

// withDates fills in what issueDER does.
func withDates(c *x509.Certificate) *x509.Certificate {
	c.SerialNumber, c.NotBefore, c.NotAfter = big.NewInt(1), noon().Add(-24*time.Hour), noon().Add(24*time.Hour)
	return c
}
