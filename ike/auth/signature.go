package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"slices"

	"esplanade/ike/credential"
	"esplanade/ike/pki"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// Signing is what this side proves itself with by a signature.
type Signing struct {
	// Pairs are the keys that may be used, with their certificates, the best first. They are asked for when the signature is made: one
	// that was taken away by then proves nothing any more.
	Pairs func() []credential.Pair
	// Send says when certificates go along.
	Send policy.SendCert
	// PSS chooses the padding of RSA where the peer has not shown which it knows. "RSASSA-PSS MUST be supported and RSASSA-PKCS1-v1.5 MAY
	// be supported." https://www.rfc-editor.org/rfc/rfc8247#section-3.2
	PSS bool
	// Staple gives the OCSP answer for a certificate of this side, in DER, for a peer that asks for it (RFC 4806). It may be nil, and give
	// nil.
	Staple func(*x509.Certificate) []byte
	// SHA1 has RSA sign with SHA-1 for a peer that does not know RFC 7427, as such peers may want it.
	SHA1 bool
}

// ProveSignature proves this side by a signature: by RFC 7427 where both sides have said which hashes they take, and by the methods of
// before otherwise.
//
// A responder signs when it comes to its turn, which is after it has judged what the first request proves: with a signature or a
// pre-shared key the peer has proved itself by then, so that signing is no work for strangers. Only a peer that asks for EAP comes first.
// What is signed has the nonces and keys of this IKE SA in it, so that the signature is of use nowhere else.
func ProveSignature(s Signing) Authenticator { return &signer{s: s} }

// Signed is a key that has signed, without the key itself: for an operator.
type Signed struct {
	// Name is what it is called, and Line where it stands; "" for both if nothing was signed.
	Name, Line string
	// Cert is its certificate, nil for a raw public key.
	Cert *x509.Certificate
	// Sent: the certificate or the key went along.
	Sent bool
}

func signedWith(p credential.Pair) Signed {
	s := Signed{Name: p.Name, Line: p.Line}
	if len(p.Chain) > 0 {
		s.Cert = p.Chain[0]
	}
	return s
}

type signer struct {
	s      Signing
	status Status
}

func (p *signer) Held() int { return 0 }

// Process takes nothing: it is this side that proves itself.
func (p *signer) Process(*Transcript, []wire.Payload) (Step, error) {
	return Step{Status: p.status}, nil
}

// Build makes CERT payloads and AUTH.
func (p *signer) Build(t *Transcript) (Step, error) {
	pairs := p.s.Pairs()
	if len(pairs) == 0 {
		return Step{}, ErrNoKey
	}
	pair, scheme, err := p.choose(t, pairs)
	if err != nil {
		return Step{}, err
	}
	a, ok := t.Ask(Sign{Signer: pair.Signer, Key: pair.Key, Scheme: scheme, Octets: t.OwnOctets()})
	if !ok {
		return Step{Status: Wait}, nil
	}
	if a.Err != nil {
		return Step{}, a.Err
	}
	signature := &wire.Auth{Method: wire.AuthDigitalSignature}
	switch made := a.Value.([]byte); {
	case t.Digital():
		signature.Data = scheme.appendSignature(made)
	case scheme.family() == familyECDSA:
		signature.Method, _ = oldMethod(pair.Key)
		if signature.Data, err = rawSignature(made, pair.Key.(*ecdsa.PublicKey).Curve); err != nil {
			return Step{}, &SignError{Err: err}
		}
	default:
		signature.Method, signature.Data = wire.AuthRSA, made
	}
	certs := p.certificates(t, pair)
	p.status, t.Own = Done, signedWith(pair)
	t.Own.Sent = len(certs) > 0
	return Step{Status: Done, Payloads: append(certs, signature)}, nil
}

// choose picks a key, and what it signs by. What the peer asks for by CERTREQ is a hint and no more: "If an end-entity certificate
// exists that satisfies the criteria specified in the CERTREQ, a certificate or certificate chain SHOULD be sent back", and one that
// does not is worth a try, for the peer may have its own ways to it. https://www.rfc-editor.org/rfc/rfc7296#section-3.7
func (p *signer) choose(t *Transcript, pairs []credential.Pair) (credential.Pair, Scheme, error) {
	asked := askedFor(t.Requests)
	byHint := slices.Clone(pairs)
	slices.SortStableFunc(byHint, func(a, b credential.Pair) int { return fits(b, asked) - fits(a, asked) })
	for _, announced := range []bool{true, false} { // what the peer has announced comes first, and is no more than a hint
		for _, pair := range byHint {
			if s, ok := p.scheme(t, pair, announced); ok {
				return pair, s, nil
			}
		}
	}
	e := &NoSchemeError{Announced: t.PeerHashes, Digital: t.Digital()}
	for _, pair := range pairs {
		e.Keys = append(e.Keys, keyName(pair.Key))
	}
	return credential.Pair{}, 0, e
}

// scheme is the best one that the key has and the peer takes; announced: that it has announced as well.
func (p *signer) scheme(t *Transcript, pair credential.Pair, announced bool) (Scheme, bool) {
	if !t.Digital() {
		m, ok := oldMethod(pair.Key)
		s, _, _ := oldECDSA(m)
		switch {
		case m == wire.AuthRSA && p.s.SHA1:
			s = rsaSHA1
		case m == wire.AuthRSA:
			s = RSASHA256
		}
		return s, ok && (!announced || t.announced(m, s, pair))
	}
	for _, s := range p.methods(t, pair.Key) {
		if slices.Contains(t.PeerHashes, s.Hash()) && (!announced || t.announced(wire.AuthDigitalSignature, s, pair)) {
			return s, true
		}
	}
	return 0, false
}

// askedFor are the CAs that the peer has asked for. Those that are no list of hashes say nothing.
func askedFor(requests []*wire.CertReq) map[authorityHash]bool {
	asked := map[authorityHash]bool{}
	for _, r := range requests {
		if r.Encoding != wire.CertX509Signature {
			continue
		}
		hashes, _ := r.Hashes()
		for _, h := range hashes {
			asked[h] = true
		}
	}
	return asked
}

// fits is 1 for a pair whose chain has a CA that was asked for.
func fits(p credential.Pair, asked map[authorityHash]bool) int {
	if len(asked) > 0 {
		for _, h := range p.Authorities() {
			if asked[h] {
				return 1
			}
		}
	}
	return 0
}

// certificates are the CERT payloads that go along: the end first, "If a chain of certificates needs to be sent, multiple CERT payloads
// are used, only the first of which holds the public key used to validate the sender's AUTH payload"
// (https://www.rfc-editor.org/rfc/rfc7296#section-1.2). A CA that has signed itself is none of them: the peer trusts it already, or never will.
func (p *signer) certificates(t *Transcript, pair credential.Pair) (out []wire.Payload) {
	always := p.s.Send == policy.SendCertAlways
	raw, cert := always || asksForKey(t.Requests), always || asksForCertificate(t.Requests)
	switch {
	case p.s.Send == policy.SendCertNever:
		return nil
	case len(pair.Chain) == 0 && raw:
		spki, err := pki.MarshalPublicKey(pair.Key)
		if err != nil {
			return nil // the peer may know the key by its configuration
		}
		return []wire.Payload{&wire.Cert{Encoding: wire.CertRawPublicKey, Data: spki}}
	case !cert:
		return nil
	}
	for i, c := range pair.Chain {
		if i == 0 || !selfSigned(c) {
			out = append(out, &wire.Cert{Encoding: wire.CertX509Signature, Data: c.Raw})
		}
	}
	return append(out, p.staple(t, pair)...)
}

// staple is the OCSP answer for the certificate, if the peer asks for it. "An OCSP response CERT payload is transmitted separate from any
// other CERT payload" (https://www.rfc-editor.org/rfc/rfc4806#section-4.2). Which responders the peer trusts is not looked at: one that
// the CA has authorized, as that of the answer is, is not among them.
func (p *signer) staple(t *Transcript, pair credential.Pair) []wire.Payload {
	asked := func(r *wire.CertReq) bool { return r.Encoding == wire.CertOCSPContent }
	if p.s.Staple == nil || len(pair.Chain) == 0 || !slices.ContainsFunc(t.Requests, asked) {
		return nil
	}
	if der := p.s.Staple(pair.Chain[0]); der != nil {
		return []wire.Payload{&wire.Cert{Encoding: wire.CertOCSPContent, Data: der}}
	}
	return nil
}

// asksForKey reports whether the peer takes a raw public key in place of a certificate (RFC 7670 section 3).
func asksForKey(requests []*wire.CertReq) bool {
	return slices.ContainsFunc(requests, func(r *wire.CertReq) bool { return r.Encoding == wire.CertRawPublicKey })
}

// asksForCertificate reports whether it takes anything else.
func asksForCertificate(requests []*wire.CertReq) bool {
	return slices.ContainsFunc(requests, func(r *wire.CertReq) bool { return r.Encoding != wire.CertRawPublicKey })
}

// selfSigned reports whether a certificate has its own key's signature. That subject and issuer have one name does not say so: a CA that has
// changed its key issues certificates for itself with the old one, "self-issued", by which whoever trusts that finds the new one.
func selfSigned(c *x509.Certificate) bool {
	switch {
	case !bytes.Equal(c.RawSubject, c.RawIssuer):
		return false
	case len(c.AuthorityKeyId) > 0 && len(c.SubjectKeyId) > 0:
		return bytes.Equal(c.AuthorityKeyId, c.SubjectKeyId)
	}
	return c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}
