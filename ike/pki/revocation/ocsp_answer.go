package revocation

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"time"

	_ "crypto/sha512" // for CertID

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"esplanade/ike/pki"
)

// answer is what a responder has said of one certificate, verified.
type answer struct {
	singleResponse
	// until is how long it counts.
	until time.Time
	// responder is the sum of the certificate of a responder that only the configuration trusts; zero if the CA has authorized it.
	responder [sha256.Size]byte
	// signer is the responder's certificate if it can have been revoked: it is not that of the CA, and the CA does not say that it is
	// good for as long as it is valid (id-pkix-ocsp-nocheck).
	signer *x509.Certificate
	// from is where it is from, der the OCSPResponse.
	from string
	der  []byte
}

// freshWithoutEnd is how long an answer counts that has no nextUpdate: "newer revocation information is available all the time", says
// RFC 6960 section 4.2.2.1, so that it is good for the peer that it was asked for, and a few others. It is so long, since the clock of the
// responder may be behind, and so short, since nothing else keeps an old answer from being replayed.
const freshWithoutEnd = 15 * time.Minute

var oidNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}

// judgeAnswer finds out what an OCSPResponse says of a certificate of an issuer. It verifies everything of RFC 6960 section 3.2.
func judgeAnswer(now time.Time, der []byte, c, issuer *x509.Certificate, trusted []*x509.Certificate) (*answer, *Problem) {
	r, p := readResponse(der)
	if p != nil {
		return nil, p
	}
	var one *singleResponse
	for i := range r.answers {
		if s := &r.answers[i]; s.about(c, issuer) && (one == nil || s.this.After(one.this)) {
			one = s
		}
	}
	if one == nil {
		return nil, problem(FaultOther, "it is about another certificate")
	}
	signer, authorized, p := r.signer(now, issuer, trusted)
	if p != nil {
		return nil, p
	}
	a := &answer{singleResponse: *one, until: one.next, der: der}
	if a.next.IsZero() {
		a.until = a.this.Add(freshWithoutEnd)
	}
	// A responder is authorized as long as its certificate is valid.
	if signer != issuer && signer.NotAfter.Before(a.until) {
		a.until = signer.NotAfter
	}
	if signer != issuer && authorized && !slices.ContainsFunc(signer.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oidNoCheck) }) {
		a.signer = signer
	}
	if !authorized {
		a.responder = sha256.Sum256(signer.Raw)
	}
	switch {
	case a.this.After(now.Add(maxSkew)):
		return nil, problem(FaultFuture, "it is of %s, which is in the future: it is %s here", stamp(a.this), stamp(now))
	case !a.next.IsZero() && a.next.Before(a.this):
		return nil, problem(FaultSyntax, "its nextUpdate %s is before its thisUpdate %s", stamp(a.next), stamp(a.this))
	case a.status == Unknown:
		return nil, problem(FaultUnknown, "the responder does not know the certificate")
	case !now.Before(a.until) && a.status != Revoked:
		return nil, problem(FaultStale, "it has ended at %s: it is %s here", stamp(a.until), stamp(now))
	}
	return a, nil
}

// hashes are those of a CertID that are understood. They name the CA; nothing is signed with them.
var hashes = []struct {
	id   asn1.ObjectIdentifier
	hash crypto.Hash
}{
	{asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26}, crypto.SHA1},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}, crypto.SHA256},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 2}, crypto.SHA384},
	{asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 3}, crypto.SHA512},
}

// about reports whether it is about a certificate of an issuer: all three parts of the CertID count, since one responder may have
// answers for several CAs.
func (s *singleResponse) about(c, issuer *x509.Certificate) bool {
	if !bytes.Equal(s.serial, serialOctets(c)) {
		return false
	}
	for _, h := range hashes {
		if h.id.Equal(s.hash) {
			name, key := h.hash.New(), h.hash.New()
			name.Write(c.RawIssuer)
			key.Write(keyBits(issuer))
			return bytes.Equal(s.nameHash, name.Sum(nil)) && bytes.Equal(s.keyHash, key.Sum(nil))
		}
	}
	return false
}

// keyBits is the subjectPublicKey of a certificate without tag, length and the number of unused bits.
func keyBits(c *x509.Certificate) []byte {
	in := cryptobyte.String(c.RawSubjectPublicKeyInfo)
	var info cryptobyte.String
	var bits asn1.BitString
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.SkipASN1(cbasn1.SEQUENCE) || !info.ReadASN1BitString(&bits) {
		return nil
	}
	return bits.RightAlign()
}

// by reports whether a certificate is that of the responder that the response names.
func (r *basicResponse) by(c *x509.Certificate) bool {
	if r.responderName != nil {
		return bytes.Equal(r.responderName, c.RawSubject)
	}
	sum := sha1.Sum(keyBits(c))
	return bytes.Equal(r.responderKey, sum[:])
}

// signer finds who has signed the response, and verifies that. authorized: the CA has said so, and not only the configuration.
// https://www.rfc-editor.org/rfc/rfc6960#section-4.2.2.2 has the three that there are.
func (r *basicResponse) signer(now time.Time, issuer *x509.Certificate, trusted []*x509.Certificate) (c *x509.Certificate, authorized bool, p *Problem) {
	p = problem(FaultSigner, "it is signed by whoever is neither the CA %q nor a responder that it has authorized", pki.Subject(issuer))
	try := func(c *x509.Certificate) bool {
		if err := checkSignature(c, r.algorithm, r.signed, r.signature); err != nil {
			p = problem(FaultSignature, "%v", err)
			p.Err = err
			return false
		}
		return true
	}
	if r.by(issuer) && try(issuer) {
		return issuer, true, nil
	}
	for _, der := range r.certs {
		c, err := pki.Parse(der)
		if err != nil || !r.by(c) || sameCA(c, issuer) {
			continue
		}
		if wrong := delegated(now, c, issuer); wrong != nil {
			p = wrong
			continue
		}
		if try(c) {
			return c, true, nil
		}
	}
	for _, c := range trusted {
		if !r.by(c) {
			continue
		}
		if outside(now, c) {
			p = problem(FaultSigner, "the certificate of the responder %q is valid from %s to %s only", pki.Subject(c), stamp(c.NotBefore), stamp(c.NotAfter))
			continue
		}
		if try(c) {
			return c, false, nil
		}
	}
	return nil, false, p
}

func outside(now time.Time, c *x509.Certificate) bool {
	return now.Before(c.NotBefore) || now.After(c.NotAfter)
}

// delegated says why a certificate does not authorize a responder for an issuer, nil if it does: "This certificate MUST be issued
// directly by the CA that is identified in the request", with id-kp-OCSPSigning, by the same key.
func delegated(now time.Time, c, issuer *x509.Certificate) *Problem {
	name := pki.Subject(c)
	switch {
	case !bytes.Equal(c.RawIssuer, issuer.RawSubject):
		return problem(FaultSigner, "the certificate of the responder %q is not of the CA %q", name, pki.Subject(issuer))
	case !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning):
		return problem(FaultSigner, "the certificate of the responder %q does not authorize it (id-kp-OCSPSigning)", name)
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return problem(FaultSigner, "the certificate of the responder %q must not sign (key usage)", name)
	case len(c.UnhandledCriticalExtensions) > 0:
		return problem(FaultSigner, "the certificate of the responder %q has the critical extension %s, which is not understood", name, c.UnhandledCriticalExtensions[0])
	case outside(now, c):
		return problem(FaultSigner, "the certificate of the responder %q is valid from %s to %s only: it is %s here", name, stamp(c.NotBefore), stamp(c.NotAfter), stamp(now))
	}
	if err := checkSignature(issuer, c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature); err != nil {
		p := problem(FaultSigner, "the certificate of the responder %q is not of the CA %q: %v", name, pki.Subject(issuer), err)
		p.Err = err
		return p
	}
	return nil
}

// describe names the answer in a message.
func (a *answer) describe() string {
	if a.from == fromPeer {
		return "the OCSP answer of " + stamp(a.this) + " that the peer has sent"
	}
	return "the OCSP answer of " + stamp(a.this) + " from " + a.from
}
