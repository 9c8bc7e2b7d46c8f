//go:build linux

package integration

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"esplanade/integration/peer"
)

// testCA is a CA whose certificates are made while a test runs. It shares no code with what Esplanade has of certificates.
type testCA struct {
	t    *testing.T
	cert *x509.Certificate
	key  crypto.Signer
}

// leaf is a certificate with its key.
type leaf struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// maker changes a certificate before it is signed.
type maker func(c *x509.Certificate)

// newKey makes a key of a kind: "rsa", "p256", "p384", "p521", "ed25519".
func newKey(t *testing.T, kind string) crypto.Signer {
	t.Helper()
	var key crypto.Signer
	var err error
	switch kind {
	case "rsa":
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case "p256":
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "p384":
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case "p521":
		key, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case "ed25519":
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		t.Fatalf("no kind of key %q", kind)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// sign makes a certificate for a key. The issuer is itself if parent is nil.
func sign(t *testing.T, template *x509.Certificate, key crypto.Signer, parent *testCA) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	if template.SerialNumber == nil {
		template.SerialNumber = serial
	}
	issuer, issuerKey := template, key
	if parent != nil {
		issuer, issuerKey = parent.cert, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), issuerKey)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// valid is the time in which certificates of the tests are valid, unless they say otherwise.
func valid() (from, to time.Time) {
	now := time.Now()
	return now.Add(-time.Hour), now.Add(48 * time.Hour)
}

// newCA makes a CA, a root if parent is nil.
func newCA(t *testing.T, name string, parent *testCA, more ...maker) *testCA {
	t.Helper()
	from, to := valid()
	c := &x509.Certificate{Subject: pkix.Name{CommonName: name, Organization: []string{"Esplanade test"}}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	for _, m := range more {
		m(c)
	}
	key := newKey(t, "p256")
	return &testCA{t: t, cert: sign(t, c, key, parent), key: key}
}

// issue makes a certificate for a DNS name.
func (ca *testCA) issue(name, kind string, more ...maker) leaf {
	ca.t.Helper()
	from, to := valid()
	c := &x509.Certificate{Subject: pkix.Name{CommonName: "not " + name}, DNSNames: []string{name}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true}
	for _, m := range more {
		m(c)
	}
	key := newKey(ca.t, kind)
	return leaf{sign(ca.t, c, key, ca), key}
}

// pemOf writes certificates one behind the other.
func pemOf(certs ...*x509.Certificate) []byte {
	var b []byte
	for _, c := range certs {
		b = append(b, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return b
}

// keyPEM is a private key in PKCS #8.
func (l leaf) keyPEM(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(l.key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// publicPEM is the public key by itself.
func (l leaf) publicPEM(t *testing.T) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(l.key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

// files are the certificate, with those of CAs that are to be sent with it, and the key.
func (l leaf) files(t *testing.T, name string, chain ...*x509.Certificate) []peer.File {
	t.Helper()
	return []peer.File{
		{Kind: peer.X509, Name: name + ".pem", Data: pemOf(append([]*x509.Certificate{l.cert}, chain...)...)},
		{Kind: peer.Private, Name: name + ".key", Data: l.keyPEM(t)},
	}
}

// file is the certificate of a CA.
func (ca *testCA) file(name string) peer.File {
	return peer.File{Kind: peer.X509CA, Name: name + ".pem", Data: pemOf(ca.cert)}
}

// crl is a revocation list with certificates.
func (ca *testCA) crl(revoked ...leaf) []byte {
	ca.t.Helper()
	from, to := valid()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: from, NextUpdate: to}
	for _, l := range revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: l.cert.SerialNumber, RevocationTime: from, ReasonCode: 1})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, ca.cert, ca.key)
	if err != nil {
		ca.t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

// between sets the validity.
func between(from, to time.Duration) maker {
	return func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(from), time.Now().Add(to) }
}

// padded makes a certificate larger by an extension that nobody knows.
func padded(n int) maker {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 36906, 99}, Value: []byte(strings.Repeat("x", n))})
	}
}
