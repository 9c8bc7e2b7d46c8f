package vici

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"
)

// oneCert lists a certificate that is one, and its key.
type oneCert struct {
	*fakeBackend
	der, key []byte
}

func (b oneCert) ListCerts(_ context.Context, _ CertFilter, yield func(Cert) error) error {
	if err := yield(Cert{Type: CertPubkey, DER: b.key, Subject: "C=CH, CN=moon"}); err != nil {
		return err
	}
	return yield(Cert{Type: CertX509, Flag: CertFlagCA, HasPrivateKey: true, DER: b.der})
}

// TestSwanctlListCerts: strongSwan's own tool reads the certificates that it is sent.
func TestSwanctlListCerts(t *testing.T) {
	needSwanctl(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x1234), Subject: pkix.Name{CommonName: "moon", Country: []string{"CH"}}, NotBefore: testNow, NotAfter: testNow.Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, DNSNames: []string{"moon.example"},
	}
	b := oneCert{fakeBackend: newFake()}
	if b.der, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key); err != nil {
		t.Fatal(err)
	}
	if b.key, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
		t.Fatal(err)
	}
	_, socket := startServer(t, b, Options{})
	out, errOut, code := swanctl(t, socket, "--list-certs", "--utc")
	for _, want := range []string{"List of X.509 CA Certificates\n", `  subject:  "C=CH, CN=moon"`, "  altNames:  moon.example\n", "  serial:    12:34\n", "ECDSA 256 bits, has private key\n",
		"List of Raw Public Keys\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("exit %d, %s: no %q in %s", code, errOut, want, out)
		}
	}
}
