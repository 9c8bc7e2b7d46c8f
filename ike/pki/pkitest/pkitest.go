package pkitest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"testing"
	"time"

	"esplanade/ike/credential"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
)

// Kind is a kind of key.
type Kind string

// The kinds.
const (
	P256    Kind = "P-256"
	P384    Kind = "P-384"
	P521    Kind = "P-521"
	RSA2048 Kind = "RSA-2048"
	RSA3072 Kind = "RSA-3072"
	RSA4096 Kind = "RSA-4096"
	Ed25519 Kind = "Ed25519"
)

// Key makes a key.
func Key(t testing.TB, k Kind) crypto.Signer {
	t.Helper()
	var s crypto.Signer
	var err error
	switch k {
	case P256:
		s, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case P384:
		s, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case P521:
		s, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case RSA2048:
		s, err = rsa.GenerateKey(rand.Reader, 2048)
	case RSA3072:
		s, err = rsa.GenerateKey(rand.Reader, 3072)
	case RSA4096:
		s, err = rsa.GenerateKey(rand.Reader, 4096)
	case Ed25519:
		_, s, err = ed25519.GenerateKey(rand.Reader)
	default:
		err = fmt.Errorf("no kind of key: %q", k)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Holder is a certificate with its key, and what is above it.
type Holder struct {
	Cert *x509.Certificate
	Key  crypto.Signer
	// By has issued it; nil: it has itself.
	By *Holder
}

// Validity is how long certificates are valid, before and after the time that is given.
const Validity = 30 * 24 * time.Hour

// CA makes a CA that has signed itself.
func CA(t testing.TB, now time.Time, name string, k Kind) *Holder {
	t.Helper()
	return Issue(t, now, nil, CATemplate(name), Key(t, k))
}

// CATemplate is what a CA is made of.
func CATemplate(name string) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
}

// Intermediate makes a CA below another.
func (h *Holder) Intermediate(t testing.TB, now time.Time, name string, k Kind) *Holder {
	t.Helper()
	return Issue(t, now, h, CATemplate(name), Key(t, k))
}

// End makes a certificate for an FQDN, whose subject is CN=name, with a key of that kind.
func (h *Holder) End(t testing.TB, now time.Time, name string, k Kind) *Holder {
	t.Helper()
	return Issue(t, now, h, EndTemplate(name), Key(t, k))
}

// EndTemplate is what the certificate of a gateway is made of.
func EndTemplate(name string) *x509.Certificate {
	return &x509.Certificate{Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, KeyUsage: x509.KeyUsageDigitalSignature}
}

// Issue makes a certificate of a template. What the template leaves open is filled in: a serial number and the dates. A nil issuer
// is itself.
func Issue(t testing.TB, now time.Time, by *Holder, template *x509.Certificate, key crypto.Signer) *Holder {
	t.Helper()
	c := *template
	if c.SerialNumber == nil {
		n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
		if err != nil {
			t.Fatal(err)
		}
		c.SerialNumber = n.Add(n, big.NewInt(1))
	}
	if c.NotBefore.IsZero() {
		c.NotBefore, c.NotAfter = now.Add(-Validity), now.Add(Validity)
	}
	parent, signer := &c, key
	if by != nil {
		parent, signer = by.Cert, by.Key
	}
	der, err := x509.CreateCertificate(rand.Reader, &c, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	made, err := pki.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	return &Holder{Cert: made, Key: key, By: by}
}

// Chain is the certificate and those above it, up to the anchor.
func (h *Holder) Chain() (list []*x509.Certificate) {
	for ; h != nil; h = h.By {
		list = append(list, h.Cert)
	}
	return list
}

// Pair is the certificate with its key and its whole chain, as a configuration has it.
func (h *Holder) Pair() credential.Pair {
	return credential.Pair{Chain: h.Chain(), Signer: h.Key, Key: h.Key.Public(), Name: h.Cert.Subject.CommonName, Line: "gw.toml:30"}
}

// DN is the subject as an identity.
func (h *Holder) DN() identity.Identity {
	return identity.Identity{Type: identity.DERASN1DN, Data: h.Cert.RawSubject}
}
