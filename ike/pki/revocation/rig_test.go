package revocation

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/ocsp"
)

// noon is the time of the tests.
func noon() time.Time { return time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC) }

// holder is a certificate with its key.
type holder struct {
	*x509.Certificate
	key crypto.Signer
}

func name(cn string) pkix.Name { return pkix.Name{CommonName: cn} }

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// issue makes a certificate; a nil issuer is itself, a nil key a new one.
func issue(t testing.TB, by *holder, c *x509.Certificate, key crypto.Signer) *holder {
	t.Helper()
	if key == nil {
		key = newKey(t)
	}
	if c.SerialNumber == nil {
		n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
		if err != nil {
			t.Fatal(err)
		}
		c.SerialNumber = n.Add(n, big.NewInt(1))
	}
	if c.NotBefore.IsZero() {
		c.NotBefore, c.NotAfter = noon().AddDate(-1, 0, 0), noon().AddDate(1, 0, 0)
	}
	parent, signer := c, key
	if by != nil {
		parent, signer = by.Certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &holder{made, key}
}

func newCA(t testing.TB, by *holder, cn string) *holder {
	return issue(t, by, &x509.Certificate{Subject: name(cn), BasicConstraintsValid: true, IsCA: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature}, nil)
}

const (
	crlURI  = "http://pki.example/ca.crl"
	ocspURI = "http://ocsp.example/"
)

// newEnd makes a certificate that names both a CRL and a responder, unless edits change that.
func newEnd(t testing.TB, by *holder, edits ...func(*x509.Certificate)) *holder {
	c := &x509.Certificate{Subject: name("site-b"), KeyUsage: x509.KeyUsageDigitalSignature, CRLDistributionPoints: []string{crlURI}, OCSPServer: []string{ocspURI}}
	for _, e := range edits {
		e(c)
	}
	return issue(t, by, c, nil)
}

func onlyCRL(c *x509.Certificate)  { c.OCSPServer = nil }
func onlyOCSP(c *x509.Certificate) { c.CRLDistributionPoints = nil }
func noSource(c *x509.Certificate) { c.OCSPServer, c.CRLDistributionPoints = nil, nil }

// crlOf makes a CRL of an hour ago that ends in a day, unless edits change that.
func crlOf(t testing.TB, ca *holder, number int64, edits ...func(*x509.RevocationList)) []byte {
	t.Helper()
	l := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: noon().Add(-time.Hour), NextUpdate: noon().Add(24 * time.Hour)}
	for _, e := range edits {
		e(l)
	}
	der, err := x509.CreateRevocationList(rand.Reader, l, ca.Certificate, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// listed adds an entry for a certificate.
func listed(c *holder, reason Reason) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: c.SerialNumber, RevocationTime: noon().Add(-2 * time.Hour), ReasonCode: int(reason)})
	}
}

// between sets the time of a list, from noon.
func between(from, to time.Duration) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) { l.ThisUpdate, l.NextUpdate = noon().Add(from), noon().Add(to) }
}

func extension(id []int, critical bool, value string) func(*x509.RevocationList) {
	return func(l *x509.RevocationList) {
		l.ExtraExtensions = append(l.ExtraExtensions, pkix.Extension{Id: id, Critical: critical, Value: []byte(value)})
	}
}

// answerOf makes an OCSPResponse of an hour ago that ends in a day, unless edits change that.
func answerOf(t testing.TB, c, issuer, signer *holder, edits ...func(*ocsp.Response)) []byte {
	t.Helper()
	r := ocsp.Response{Status: ocsp.Good, SerialNumber: c.SerialNumber, ThisUpdate: noon().Add(-time.Hour), NextUpdate: noon().Add(24 * time.Hour)}
	if signer != issuer {
		r.Certificate = signer.Certificate
	}
	for _, e := range edits {
		e(&r)
	}
	der, err := ocsp.CreateResponse(issuer.Certificate, signer.Certificate, r, signer.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func says(status int) func(*ocsp.Response) {
	return func(r *ocsp.Response) { r.Status, r.RevokedAt = status, noon().Add(-2*time.Hour) }
}

func lasts(from, to time.Duration) func(*ocsp.Response) {
	return func(r *ocsp.Response) {
		r.ThisUpdate, r.NextUpdate = noon().Add(from), noon().Add(to)
		if to == 0 {
			r.NextUpdate = time.Time{}
		}
	}
}

// newResponder makes a responder that a CA has authorized.
func newResponder(t testing.TB, ca *holder, edits ...func(*x509.Certificate)) *holder {
	c := &x509.Certificate{Subject: name("responder"), KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning},
		ExtraExtensions: []pkix.Extension{{Id: oidNoCheck, Value: []byte{5, 0}}}}
	for _, e := range edits {
		e(c)
	}
	return issue(t, ca, c, nil)
}

// one assesses a chain of two and returns the state of the first.
func one(s *Store, now time.Time, c, ca *holder, r Rules, staples ...[]byte) (State, []Needed) {
	v := s.Assess(now, []*x509.Certificate{c.Certificate, ca.Certificate}, r, staples)
	return v.States[0], v.Needed
}

// need finds what is needed of a kind; the OCSP responder is made to fail before a CRL is needed.
func need(t testing.TB, s *Store, now time.Time, c, ca *holder, r Rules, k Kind) Needed {
	t.Helper()
	for range 8 {
		_, needed := one(s, now, c, ca, r)
		if len(needed) != 1 {
			break
		}
		if needed[0].Kind == k {
			return needed[0]
		}
		s.Fail(now, needed[0], errNobody)
	}
	t.Fatalf("no %s is needed", k)
	return Needed{}
}

// weakKey is an RSA key that is too short.
func weakKey(t testing.TB) crypto.Signer {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func serialOf(n int) *big.Int { return big.NewInt(int64(n)) }
