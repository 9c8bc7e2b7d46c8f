package auth

import (
	"fmt"
	"slices"

	"esplanade/ike/pki"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/wire"
)

// Checking is what is asked of a peer that proves itself by a signature.
type Checking struct {
	// Trust is what is accepted. It is asked for when the signature is judged.
	Trust func() *pki.Trust
	// Rules say what is asked about revocations. Nil: nothing is.
	Rules func() revocation.Rules
	// SHA1 takes RSA with SHA-1 of a peer that does not know RFC 7427.
	SHA1 bool
}

// CheckSignature has the peer prove itself by a signature and a certificate, or a key, that is trusted.
func CheckSignature(c Checking) Authenticator { return &signatureChecker{c: c} }

type signatureChecker struct {
	c      Checking
	status Status
}

func (c *signatureChecker) Build(*Transcript) (Step, error) { return Step{Status: c.status}, nil }

// Held is nothing: what was presented is a part of the message, which is counted.
func (c *signatureChecker) Held() int { return 0 }

// Process judges AUTH and what goes with it. A responder may keep an initiator waiting for it that has not proved itself.
func (c *signatureChecker) Process(t *Transcript, in []wire.Payload) (Step, error) {
	a := findAuth(in)
	switch {
	case a == nil && t.Initiator && !t.OwnProved:
		return Step{Status: NeedMore}, nil
	case a == nil:
		return Step{}, &MethodError{Want: t.signatureMethod(), Missing: true}
	}
	want, err := c.read(t, a)
	if err != nil {
		return Step{}, err
	}
	want.Presented = presented(in)
	answer, ok := t.Ask(want)
	if !ok {
		return Step{Status: Wait}, nil
	}
	if answer.Err != nil {
		return Step{}, answer.Err
	}
	judged := answer.Value.(Judged)
	if want, ok := c.unrevoked(judged, in); ok {
		answer, ok := t.Ask(want)
		switch {
		case !ok:
			return Step{Status: Wait}, nil
		case answer.Err != nil:
			return Step{}, answer.Err
		}
		t.PeerGoodUntil = earlier(t.PeerGoodUntil, answer.Value.(revocation.Verdict).Until)
	}
	t.Peer, t.PeerScheme = judged.Peer, judged.By
	t.letInBy(judged.Chain)
	c.status = Done
	return Step{Status: Done}, nil
}

// read takes AUTH apart. "If both ends send and receive SIGNATURE_HASH_ALGORITHMS Notify payloads, and signature authentication is to be
// used, then the authentication method specified in this Authentication payload MUST be used", and it is not allowed otherwise:
// https://www.rfc-editor.org/rfc/rfc7427#section-3
func (c *signatureChecker) read(t *Transcript, a *wire.Auth) (Judge, error) {
	j := Judge{Trust: c.c.Trust(), Now: t.Now, ID: t.peerIdentity(), Octets: t.PeerOctets(), Signature: a.Data}
	if j.Trust == nil {
		return Judge{}, ErrNoTrust
	}
	s, curve, ecdsa := oldECDSA(a.Method)
	switch {
	case (a.Method == wire.AuthDigitalSignature) != t.Digital() || a.Method != wire.AuthDigitalSignature && a.Method != wire.AuthRSA && !ecdsa:
		return Judge{}, &MethodError{Want: t.signatureMethod(), Got: a.Method}
	case ecdsa:
		j.Schemes, j.Curve = []Scheme{s}, curve
		return j, nil
	case a.Method == wire.AuthRSA:
		j.Schemes = schemesOfRSA(c.c.SHA1)
		return j, nil
	}
	s, signature, err := ParseSignature(a.Data)
	if err != nil {
		return Judge{}, err
	}
	if !slices.Contains(t.OwnHashes, s.Hash()) {
		return Judge{}, &AlgorithmError{Name: s.String(), Reason: fmt.Sprintf("this side has not announced %v", s.Hash())}
	}
	j.Schemes, j.Signature = []Scheme{s}, signature
	return j, nil
}

// presented is what the CERT payloads of a message hold: certificates, or a raw public key if that comes first (RFC 7670), as "only the
// first of which holds the public key used to validate the sender's AUTH payload". Encodings that this side does not ask for are passed over: among them is
// hash-and-URL, which would have this side fetch what a stranger names.
func presented(in []wire.Payload) (p pki.Presented) {
	for _, x := range in {
		c, ok := x.(*wire.Cert)
		switch {
		case !ok || p.Key != nil:
		case c.Encoding == wire.CertX509Signature:
			p.Certs = append(p.Certs, c.Data)
		case c.Encoding == wire.CertRawPublicKey && len(p.Certs) == 0:
			p.Key = c.Data
		}
	}
	return p
}
