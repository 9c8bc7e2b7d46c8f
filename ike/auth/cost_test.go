package auth

import (
	"crypto"
	"testing"
	"time"

	"esplanade/ike/pki"
	"esplanade/ike/pki/pkitest"
)

// What a stranger can have this side compute costs what it takes, whatever the certificate that it shows looks like: the key of the CA is
// that of the CA here, and where it shows nothing, every key is tried that is known.
func TestCostOfJudging(t *testing.T) {
	for k, least := range map[pkitest.Kind]time.Duration{pkitest.P256: 2 * p256VerifyCost, pkitest.P384: p384VerifyCost + p256VerifyCost,
		pkitest.P521: p521VerifyCost + p256VerifyCost, pkitest.RSA2048: rsaVerifyCost + p256VerifyCost} {
		ca := pkitest.CA(t, noon, "CA", k)
		liar := pkitest.CA(t, noon, "CA", pkitest.P256).End(t, noon, "site-a.example", pkitest.P256)
		j := Judge{Schemes: []Scheme{ECDSASHA256}, Signature: make([]byte, 70), Presented: pki.Presented{Certs: [][]byte{liar.Cert.Raw}}}
		for name, trust := range map[string]*pki.Trust{"an anchor": {Anchors: ca.Chain()}, "an intermediate": {Intermediates: ca.Chain()}} {
			if j.Trust = trust; j.Cost() < least || j.Cost() > 2*least {
				t.Errorf("%s, %s: %v, want %v", k, name, j.Cost(), least)
			}
		}
		other := *ca.Cert
		other.RawSubject = []byte("another CA")
		j.Trust = &pki.Trust{Anchors: append(pkitest.CA(t, noon, "CA", pkitest.P256).Chain(), &other)}
		if got := j.Cost(); got > 3*p256VerifyCost {
			t.Errorf("%s: %v for a CA that has nothing to do with it", k, got)
		}
	}
	// A certificate on a slow curve is as slow, whoever has issued it.
	ca := pkitest.CA(t, noon, "CA", pkitest.P256)
	for k, least := range map[pkitest.Kind]time.Duration{pkitest.P384: p384VerifyCost, pkitest.P521: p521VerifyCost} {
		j := Judge{Trust: &pki.Trust{Anchors: ca.Chain()}, Schemes: []Scheme{ECDSASHA256}, Signature: make([]byte, 70),
			Presented: pki.Presented{Certs: [][]byte{ca.End(t, noon, "site-a.example", k).Cert.Raw}}}
		if j.Cost() < least {
			t.Errorf("%s: %v", k, j.Cost())
		}
	}
	// Without a certificate.
	for k, one := range map[pkitest.Kind]time.Duration{pkitest.P256: p256VerifyCost, pkitest.P521: p521VerifyCost, pkitest.RSA2048: rsaVerifyCost} {
		key := pkitest.Key(t, k).Public()
		pinned := ca.End(t, noon, "site-a.example", k).Chain()[:1]
		for n, want := range map[int]time.Duration{0: 0, 1: one, 3: 3 * one, 100: pki.MaxKnown * one} {
			keys, certs := &pki.Trust{}, &pki.Trust{}
			for range n {
				keys.Keys = append(keys.Keys, crypto.PublicKey(key))
				certs.Pinned = append(certs.Pinned, pinned...)
			}
			for _, trust := range []*pki.Trust{keys, certs} {
				j := Judge{Trust: trust, Schemes: schemesOfRSA(false), Signature: make([]byte, 70)}
				if got := j.Cost(); got != 3*want {
					t.Errorf("%d of %s with three schemes: %v, want %v", n, k, got, 3*want)
				}
			}
		}
	}
}
