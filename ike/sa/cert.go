package sa

import (
	"bytes"
	"crypto/x509"
	"slices"

	"esplanade/ike/auth"
	"esplanade/ike/credential"
	"esplanade/ike/pki"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// Where signatures and certificates are in the messages of a new IKE SA (RFC 7296 section 1.2, RFC 7427 section 4):
//
//	IKE_SA_INIT   …, N(SIGNATURE_HASH_ALGORITHMS)               -->
//	                                          <--  …, N(SIGNATURE_HASH_ALGORITHMS), [CERTREQ+]
//	IKE_AUTH      IDi, [CERTREQ+,] [CERT+,] AUTH, …             -->
//	                                          <--  IDr, [CERT+,] AUTH, …
//
// HTTP_CERT_LOOKUP_SUPPORTED is never sent, so that nobody sends "hash and URL" instead of a certificate: whoever does names a place that
// this side would have to fetch from, before it knows who the peer is. CERT payloads of that kind are passed over.

// signatures is what the two sides have said about signatures in IKE_SA_INIT.
type signatures struct {
	// own and peer are the hashes of SIGNATURE_HASH_ALGORITHMS; nil if that was not sent.
	own, peer []wire.HashAlgorithm
	// requests are the CERTREQ payloads of the responder.
	requests []*wire.CertReq
	// methods are what the responder has announced; later: this side announces its own in IKE_INTERMEDIATE. See methods.go.
	methods []wire.AuthAnnouncement
	later   bool
}

const (
	// maxInitAuthorities is how many CAs CERTREQ names in IKE_SA_INIT: that message is never fragmented. If there are more, none is
	// named, which asks for any certificate. maxAuthAuthorities is the same for IKE_AUTH.
	maxInitAuthorities = 24
	maxAuthAuthorities = 100
	// maxResponders is how many OCSP responders are named.
	maxResponders = 4
	// maxCertRequests is how many CERTREQ payloads of a peer are looked at. There is one for each encoding, and some send one for each CA.
	maxCertRequests = 64
)

// signs reports whether either side of a connection proves itself by a signature.
func (c *Config) signs() bool {
	return c.LocalAuth == policy.AuthPubkey || c.RemoteAuth == policy.AuthPubkey ||
		slices.ContainsFunc(c.LocalRounds, Round.signs) || slices.ContainsFunc(c.RemoteRounds, Round.signs)
}

// takenHashes are those that this side takes in signatures.
func (e *Env) takenHashes() []wire.HashAlgorithm {
	if e.hashes != nil {
		return e.hashes
	}
	return []wire.HashAlgorithm{wire.HashSHA2_256, wire.HashSHA2_384, wire.HashSHA2_512, wire.HashIdentity}
}

// offerSignatures is what an initiator says in IKE_SA_INIT.
func (m *Machine) offerSignatures() []wire.Payload {
	if !m.cfg.signs() {
		return nil
	}
	m.sig.own = m.env.takenHashes()
	return []wire.Payload{wire.NewSignatureHashAlgorithms(m.sig.own...)}
}

// answered takes what a responder has said.
func (s *signatures) answered(payloads []wire.Payload) {
	s.peer, s.requests = announcedHashes(payloads), certRequests(payloads)
	s.announced(payloads)
}

// acceptSignatures is what a responder says to an initiator's request, for all connections that it may be for. The hashes are answered
// also if none of them is for signatures: a peer that has moved may have come by the addresses of another connection, and would say nothing
// at all, not even who it is, if it could not sign.
func (m *Machine) acceptSignatures(request []wire.Payload) (out []wire.Payload) {
	if m.sig.peer = announcedHashes(request); m.sig.peer != nil {
		m.sig.own = m.env.takenHashes()
		out = append(out, wire.NewSignatureHashAlgorithms(m.sig.own...))
	}
	return append(out, m.requestCerts(maxInitAuthorities, m.candidates...)...)
}

// announcedHashes are those of SIGNATURE_HASH_ALGORITHMS; nil if there is none that is one.
func announcedHashes(payloads []wire.Payload) []wire.HashAlgorithm {
	n := notify(payloads, wire.NotifySignatureHashAlgorithms)
	if n == nil {
		return nil
	}
	list, err := n.HashAlgorithms()
	if err != nil || len(list) == 0 {
		return nil
	}
	return list
}

// certRequests are the CERTREQ payloads of a message.
func certRequests(payloads []wire.Payload) (list []*wire.CertReq) {
	for _, p := range payloads {
		if r, ok := p.(*wire.CertReq); ok && len(list) < maxCertRequests {
			list = append(list, r)
		}
	}
	return list
}

// requestCerts asks the peer for a certificate: it names the CAs that are trusted for the connections, none if there are too many. Where
// keys are known, it asks for a raw public key, "In that case, the Certification Authority field MUST be empty"
// (https://www.rfc-editor.org/rfc/rfc7670#section-3); and where nothing else is, for that only.
func (m *Machine) requestCerts(limit int, connections ...*Config) (out []wire.Payload) {
	var named, responders []byte
	asks, raw, asksOCSP, n := false, false, false, 0
	seen := map[[20]byte]bool{}
	for _, c := range connections {
		for i := range 1 + len(c.RemoteRounds) {
			if !c.peerRound(i).signs() || !c.SendCertReq {
				continue
			}
			a := m.accepted(c, i)
			t := a.Trust
			if t != nil && len(t.Keys) > 0 {
				raw = true
				if len(t.Anchors)+len(t.Pinned) == 0 {
					continue
				}
			}
			asks = true
			if t == nil {
				continue
			}
			for _, ca := range t.Anchors {
				if h := pki.KeyHash(ca); !seen[h] {
					seen[h] = true
					named = append(named, h[:]...)
					n++
				}
			}
			if c.OCSP.Asks() {
				asksOCSP = true
				for _, r := range a.Rules.Responders[:min(len(a.Rules.Responders), maxResponders)] {
					if h := pki.KeyHash(r); !bytes.Contains(responders, h[:]) {
						responders = append(responders, h[:]...)
					}
				}
			}
		}
	}
	if n > limit {
		named = nil
	}
	if asks {
		out = append(out, &wire.CertReq{Encoding: wire.CertX509Signature, Authorities: named})
	}
	if raw {
		out = append(out, &wire.CertReq{Encoding: wire.CertRawPublicKey})
	}
	if asksOCSP {
		// "identifies zero or more OCSP responders trusted by the sender": those that a CA has authorized need no name.
		// https://www.rfc-editor.org/rfc/rfc4806#section-3.1
		out = append(out, &wire.CertReq{Encoding: wire.CertOCSPContent, Authorities: responders[:min(len(responders), maxResponders*20)]})
	}
	return out
}

// accepted is what the peer of a connection has to show in a round.
func (m *Machine) accepted(c *Config, round int) credential.Accepted {
	if m.env.Accepted == nil {
		return credential.Accepted{}
	}
	return m.env.Accepted(c.Name, round)
}

// signing is what this side proves itself with by a signature in a round.
func (m *Machine) signing(round int) auth.Signing {
	s := auth.Signing{Send: m.cfg.SendCert, PSS: true, SHA1: m.cfg.RSASHA1, Pairs: func() []credential.Pair { return m.pairs(round) }}
	if m.env.Staple != nil && m.cfg.OCSP.Answers() {
		s.Staple = func(c *x509.Certificate) []byte { return m.env.Staple(m.flow.now, c) }
	}
	return s
}

// pairs are this side's keys for a round, with their certificates.
func (m *Machine) pairs(round int) []credential.Pair {
	if m.env.Own == nil {
		return nil
	}
	return m.env.Own(m.cfg.Name, round)
}

// onlySigns reports whether this side proves itself by signatures in all its rounds.
func (c *Config) onlySigns() bool {
	return c.round(0).signs() && !slices.ContainsFunc(c.LocalRounds, func(r Round) bool { return !r.signs() })
}

// provedBy is the method that the peer of a connection proves itself with.
func (c *Config) provedBy() wire.AuthMethod {
	if c.RemoteAuth == policy.AuthPubkey {
		return wire.AuthDigitalSignature
	}
	return wire.AuthSharedKey
}

// checking is what the peer is asked for in a round.
func (m *Machine) checking(round int) auth.Checking {
	return auth.Checking{
		SHA1:  m.cfg.RSASHA1,
		Trust: func() *pki.Trust { return m.accepted(m.cfg, round).Trust },
		Rules: func() revocation.Rules { return m.accepted(m.cfg, round).Rules },
	}
}
