package auth

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"
	"testing"
	"time"

	"esplanade/ike/credential"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// signers are both sides of an IKE SA of which the initiator proves itself by a signature.
type signers struct {
	i, r     *Transcript
	own      []credential.Pair
	trust    *pki.Trust
	sha1     bool
	asked    []Want
	answered func(Want) (Answer, bool)
}

func digital() []wire.HashAlgorithm {
	return []wire.HashAlgorithm{wire.HashSHA2_256, wire.HashSHA2_384, wire.HashSHA2_512, wire.HashIdentity}
}

// newSigners makes them, with a certificate of a kind for site-a.example.
func newSigners(t *testing.T, k pkitest.Kind) (*signers, *pkitest.Holder) {
	ca := pkitest.CA(t, noon, "CA", pkitest.P256)
	end := ca.End(t, noon, "site-a.example", k)
	i, r := sides(t)
	s := &signers{i: i, r: r, own: []credential.Pair{end.Pair()}, trust: &pki.Trust{Anchors: ca.Chain()}}
	for _, x := range []*Transcript{i, r} {
		x.Now, x.OwnHashes, x.PeerHashes = noon, digital(), digital()
		x.Ask = func(w Want) (Answer, bool) {
			s.asked = append(s.asked, w)
			if s.answered != nil {
				return s.answered(w)
			}
			return w.(Work).CarryOut(), true
		}
	}
	id := &wire.ID{IDType: wire.IDFQDN, Data: []byte("site-a.example")}
	i.OwnID, r.PeerID = id, id
	return s, end
}

func (s *signers) prove() Authenticator {
	return ProveSignature(Signing{Pairs: func() []credential.Pair { return s.own }, Send: policy.SendCertAlways, SHA1: s.sha1})
}

func (s *signers) check() Authenticator {
	return CheckSignature(Checking{Trust: func() *pki.Trust { return s.trust }, SHA1: s.sha1})
}

// message is the initiator's first one.
func (s *signers) message(t *testing.T) []wire.Payload {
	t.Helper()
	step, err := s.prove().Build(s.i)
	if err != nil || step.Status != Done {
		t.Fatal(step, err)
	}
	return step.Payloads
}

func methodOf(in []wire.Payload) wire.AuthMethod { return findAuth(in).Method }

func TestSignaturesOfEveryKindOfKey(t *testing.T) {
	for _, k := range []pkitest.Kind{pkitest.P256, pkitest.P384, pkitest.P521, pkitest.RSA2048, pkitest.Ed25519} {
		for _, known := range []bool{true, false} {
			if k == pkitest.Ed25519 && !known {
				continue
			}
			s, end := newSigners(t, k)
			if !known {
				s.i.PeerHashes, s.r.PeerHashes = nil, nil
			}
			in := s.message(t)
			if (methodOf(in) == wire.AuthDigitalSignature) != known {
				t.Errorf("%s, RFC 7427 %v: method %v", k, known, methodOf(in))
			}
			if c := in[0].(*wire.Cert); len(in) != 2 || !bytes.Equal(c.Data, end.Cert.Raw) || c.Encoding != wire.CertX509Signature {
				t.Errorf("%s: %d payloads", k, len(in))
			}
			step, err := s.check().Process(s.r, in)
			if err != nil || step.Status != Done {
				t.Fatalf("%s, RFC 7427 %v: %v, %v", k, known, step, err)
			}
			if !pki.SameKey(s.r.Peer.Key, end.Key.Public()) || len(s.r.Peer.Chain) != 2 {
				t.Errorf("%s: the peer is %+v", k, s.r.Peer)
			}
			// No bit of AUTH may be another.
			a := findAuth(in)
			for bit := range len(a.Data) * 8 {
				if k == pkitest.RSA2048 && bit%97 != 0 || k == pkitest.P521 && bit%31 != 0 || k == pkitest.P384 && bit%13 != 0 {
					continue
				}
				data := slices.Clone(a.Data)
				data[bit/8] ^= 1 << (bit % 8)
				if _, err := s.check().Process(s.r, replaceAuth(in, a, data)); err == nil {
					t.Fatalf("%s: bit %d may be another", k, bit)
				}
			}
		}
	}
}

// A signature is of these octets, of this side and for this identity alone.
func TestSignatureIsOfItsIKESA(t *testing.T) {
	for name, spoil := range map[string]func(t *Transcript){
		"the message":  func(t *Transcript) { t.PeerMessage = append(slices.Clone(t.PeerMessage), 0) },
		"the nonce":    func(t *Transcript) { t.Nr = append(slices.Clone(t.Nr), 0) },
		"SK_p":         func(t *Transcript) { t.Keys.Pi = append(slices.Clone(t.Keys.Pi), 1) },
		"IntAuth":      func(t *Transcript) { t.IntAuth = []byte{0, 0, 0, 1} },
		"reserved ID":  func(t *Transcript) { x := *t.PeerID; x.Reserved[0] = 1; t.PeerID = &x },
		"the other ID": func(t *Transcript) { x := *t.PeerID; x.Data = []byte("Site-A.example"); t.PeerID = &x },
	} {
		s, _ := newSigners(t, pkitest.P256)
		in := s.message(t)
		spoil(s.r)
		_, err := s.check().Process(s.r, in)
		var wrong *SignatureError
		if !errors.As(err, &wrong) || !errors.Is(err, ErrMismatch) || wrong.Cert == nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A5: the certificate has to be for the identity; CVE-2022-4967 is about one that need not be.
func TestCertificateIsForTheIdentity(t *testing.T) {
	s, _ := newSigners(t, pkitest.P256)
	id := &wire.ID{IDType: wire.IDFQDN, Data: []byte("dave.example")}
	s.i.OwnID, s.r.PeerID = id, id
	_, err := s.check().Process(s.r, s.message(t))
	var refusal *pki.Refusal
	if !errors.As(err, &refusal) || refusal.Reason != pki.NotItsIdentity || refusal.ID.Type != identity.FQDN {
		t.Error(err)
	}
}

// Of a chain everything is sent but what has signed itself. A CA that has changed its key has issued a certificate for itself, under one name,
// with the old one: whoever trusts that needs it.
func TestSelfIssuedCertificatesAreSent(t *testing.T) {
	ids := func(c *x509.Certificate, own, issuer []byte) *x509.Certificate {
		c.SubjectKeyId, c.AuthorityKeyId = own, issuer
		return c
	}
	for name, without := range map[string]bool{"with key identifiers": false, "without": true} {
		s, _ := newSigners(t, pkitest.P256)
		oldID, newID := []byte{1}, []byte{2}
		if without {
			oldID, newID = nil, nil
		}
		old := pkitest.Issue(t, noon, nil, ids(pkitest.CATemplate("CA"), oldID, nil), pkitest.Key(t, pkitest.P256))
		rollover := pkitest.Issue(t, noon, old, ids(pkitest.CATemplate("CA"), newID, oldID), pkitest.Key(t, pkitest.P256))
		end := rollover.End(t, noon, "site-a.example", pkitest.P256)
		s.own, s.trust = []credential.Pair{end.Pair()}, &pki.Trust{Anchors: old.Chain()}
		if got := len(rollover.Cert.AuthorityKeyId) > 0; got == without {
			t.Fatalf("%s: the key identifiers are %x and %x", name, rollover.Cert.SubjectKeyId, rollover.Cert.AuthorityKeyId)
		}
		in := s.message(t)
		if p := presented(in); len(p.Certs) != 2 || !bytes.Equal(p.Certs[0], end.Cert.Raw) || !bytes.Equal(p.Certs[1], rollover.Cert.Raw) {
			t.Errorf("%s: %d certificates are sent", name, len(p.Certs))
		}
		if step, err := s.check().Process(s.r, in); err != nil || step.Status != Done {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// An answer about revocations counts for the chain, the rules and the staples that it was asked with, and for no others.
func TestVerdictOfOtherRules(t *testing.T) {
	ca := pkitest.CA(t, noon, "CA", pkitest.P256)
	base := func() Unrevoked {
		return Unrevoked{Chain: ca.Chain(), Rules: revocation.Rules{Policy: policy.RevocationStrict}, Staples: [][]byte{{1}}}
	}
	if !base().Same(base()) {
		t.Error("the same question is another")
	}
	for name, change := range map[string]func(u *Unrevoked){
		"another chain":       func(u *Unrevoked) { u.Chain = pkitest.CA(t, noon, "CA", pkitest.P256).Chain() },
		"another policy":      func(u *Unrevoked) { u.Rules.Policy = policy.RevocationRelaxed },
		"a list":              func(u *Unrevoked) { u.Rules.Lists = []*revocation.List{{}} },
		"a responder":         func(u *Unrevoked) { u.Rules.Responders = ca.Chain() },
		"an authority":        func(u *Unrevoked) { u.Rules.Authorities = []*revocation.Authority{{}} },
		"another OCSP answer": func(u *Unrevoked) { u.Staples = [][]byte{{2}} },
	} {
		u := base()
		if change(&u); u.Same(base()) || base().Same(u) {
			t.Errorf("%s is taken for the same", name)
		}
	}
}
