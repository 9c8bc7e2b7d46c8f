package auth

import (
	"bytes"
	"crypto/x509"
	"slices"

	"esplanade/ike/pki/revocation"
	"esplanade/ike/wire"
)

// Unrevoked wants to know whether a certificate of a peer's chain was revoked. It is asked for after [Judge] only: the chain ends at an
// anchor, its signatures were verified, and the peer has proved that it has the key. Before that nobody's address in a certificate is
// asked for anything. The value of its answer is a [revocation.Verdict], the error a [*revocation.Refusal]. It is no work for a processor
// but may take a network.
type Unrevoked struct {
	// Chain is the peer's, end first.
	Chain []*x509.Certificate
	Rules revocation.Rules
	// Staples are the OCSP answers that the peer has sent along (RFC 4806).
	Staples [][]byte
}

// Same implements [Want].
func (u Unrevoked) Same(other Want) bool {
	o, ok := other.(Unrevoked)
	return ok && u.Rules.Same(&o.Rules) && slices.EqualFunc(u.Chain, o.Chain, (*x509.Certificate).Equal) &&
		slices.EqualFunc(u.Staples, o.Staples, bytes.Equal)
}

// String implements [Want].
func (u Unrevoked) String() string { return "whether a certificate was revoked" }

// unrevoked is what is asked for about a peer; ok is false if nothing can be asked.
func (c *signatureChecker) unrevoked(judged Judged, in []wire.Payload) (u Unrevoked, ok bool) {
	if c.c.Rules == nil {
		return Unrevoked{}, false
	}
	u = Unrevoked{Chain: judged.Chain, Rules: c.c.Rules(), Staples: staples(in)}
	return u, u.Rules.Concern(u.Chain)
}

// letInBy notes the certificates that the peer was let in by. A message may be judged again.
func (t *Transcript) letInBy(chain []*x509.Certificate) {
	for _, r := range revocation.Refs(chain) {
		if !slices.Contains(t.PeerCerts, r) {
			t.PeerCerts = append(t.PeerCerts, r)
		}
	}
}

// staples are the OCSP answers of a message.
func staples(in []wire.Payload) (list [][]byte) {
	for _, x := range in {
		if c, ok := x.(*wire.Cert); ok && c.Encoding == wire.CertOCSPContent {
			list = append(list, c.Data)
		}
	}
	return list
}
