package sa

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"testing"

	"esplanade/ike/credential"
	"esplanade/ike/pki"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/policy"
)

// certified is what a side of a rig with certificates has. Tests change it.
type certified struct {
	*end
	own    []credential.Pair
	accept credential.Accepted
	// ca has issued the first of own.
	ca *pkitest.Holder
}

// newCertRig has both sides prove themselves by certificates of one CA, with keys of a kind.
func newCertRig(t *testing.T, seed uint64, k pkitest.Kind, edit func(a, b *Config)) (r *rig, a, b *certified) {
	t.Helper()
	ca := pkitest.CA(t, epoch, "Test CA", pkitest.P256)
	r = newRig(t, seed, func(a, b *Config) {
		for _, c := range []*Config{a, b} {
			c.LocalAuth, c.RemoteAuth, c.SendCertReq = policy.AuthPubkey, policy.AuthPubkey, true
		}
		if edit != nil {
			edit(a, b)
		}
	})
	return r, r.a.certify(ca.End(t, epoch, "a.example", k), ca), r.b.certify(ca.End(t, epoch, "b.example", k), ca)
}

// show has a side show another certificate.
func (c *certified) show(t *testing.T, by *pkitest.Holder, x *x509.Certificate) {
	t.Helper()
	c.own = []credential.Pair{pkitest.Issue(t, epoch, by, x, pkitest.Key(t, pkitest.P256)).Pair()}
}

// weakKey is an RSA key of 1024 bits.
func weakKey(t *testing.T) crypto.Signer {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// certify gives a side a certificate and a CA that it trusts.
func (e *end) certify(own *pkitest.Holder, trusted ...*pkitest.Holder) *certified {
	c := &certified{end: e, ca: own.By, own: []credential.Pair{own.Pair()}, accept: credential.Accepted{Trust: &pki.Trust{}}}
	for _, ca := range trusted {
		c.accept.Trust.Anchors = append(c.accept.Trust.Anchors, ca.Cert)
	}
	e.env.Own = func(string, int) []credential.Pair { return c.own }
	e.env.Accepted = func(string, int) credential.Accepted { return c.accept }
	e.env.Mark = func(name string) [32]byte {
		return credential.NewSet(map[string]credential.Connection{name: {Own: [][]credential.Pair{c.own}, Accept: []credential.Accepted{c.accept}}}).Mark(name)
	}
	return c
}
