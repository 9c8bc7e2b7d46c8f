package auth

import (
	"crypto"
	"slices"

	"golang.org/x/crypto/cryptobyte"

	"esplanade/ike/credential"
	"esplanade/ike/wire"
)

// AnnouncePSK and AnnounceSignatures are what SUPPORTED_AUTH_METHODS says of a method (RFC 9593): what this side takes of a peer that proves
// itself by it, the best first. digital: signatures are those of RFC 7427.
func AnnouncePSK() []wire.AuthAnnouncement {
	return []wire.AuthAnnouncement{{Method: wire.AuthSharedKey}}
}

// AnnounceSignatures: see [AnnouncePSK].
func AnnounceSignatures(digital bool) (list []wire.AuthAnnouncement) {
	if !digital {
		for _, m := range []wire.AuthMethod{wire.AuthECDSA256, wire.AuthECDSA384, wire.AuthECDSA521, wire.AuthRSA} {
			list = append(list, wire.AuthAnnouncement{Method: m})
		}
		return list
	}
	schemes := []Scheme{familyEd25519 | Scheme(wire.HashIdentity), familyEd448 | Scheme(wire.HashIdentity)}
	for _, f := range []family{familyECDSA, familyPSS, familyPKCS1} {
		for _, h := range []wire.HashAlgorithm{wire.HashSHA2_256, wire.HashSHA2_384, wire.HashSHA2_512} {
			schemes = append(schemes, f|Scheme(h))
		}
	}
	for _, s := range schemes {
		list = append(list, wire.AuthAnnouncement{Method: wire.AuthDigitalSignature, Algorithm: s.Identifier()})
	}
	return list
}

// announced reports whether the peer has announced that it takes a method, with that scheme if it is a digital signature, for a pair. Without
// any announcement everything is.
func (t *Transcript) announced(m wire.AuthMethod, s Scheme, pair credential.Pair) bool {
	if len(t.PeerMethods) == 0 {
		return true
	}
	return slices.ContainsFunc(t.PeerMethods, func(a wire.AuthAnnouncement) bool {
		if a.Method != m || !t.linked(a.Link, pair) {
			return false
		}
		if m != wire.AuthDigitalSignature {
			return true
		}
		got, err := parseAlgorithm(cryptobyte.String(a.Algorithm))
		return err == nil && got == s
	})
}

// linked reports whether an announcement is for a pair: for any CA, or for one above the pair's certificate. "If no Certificate Request
// payload were received, the content of this field MUST be ignored and treated as zero."
// https://www.rfc-editor.org/rfc/rfc9593#section-3.2.2
func (t *Transcript) linked(link uint8, pair credential.Pair) bool {
	if link == 0 || len(t.Requests) == 0 {
		return true
	}
	n := int(link)
	for _, r := range t.Requests {
		hashes, _ := r.Hashes()
		if n <= len(hashes) {
			return slices.Contains(pair.Authorities(), hashes[n-1])
		}
		n -= len(hashes)
	}
	return false
}

// methods are the ways in which a key can sign for the peer, the best first: that of RFC 7427 with a scheme, or one of before.
func (p *signer) methods(t *Transcript, key crypto.PublicKey) (list []Scheme) {
	pss := p.s.PSS
	if f := t.PeerScheme.family(); f == familyPSS || f == familyPKCS1 {
		pss = f == familyPSS // the peer knows that one
	}
	list = SchemesOf(key, pss)
	if f, _ := familyOf(key); f == familyPKCS1 && len(t.PeerMethods) > 0 {
		list = append(list, SchemesOf(key, !pss)...) // the peer has said which it takes
	}
	return list
}
