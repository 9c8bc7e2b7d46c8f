package auth

import (
	"testing"

	"esplanade/ike/credential"
	"esplanade/ike/pki"
	"esplanade/ike/pki/pkitest"
	"esplanade/ike/wire"
)

// What the peer has announced decides which key signs, and by what (RFC 9593); where nothing of it fits, it is tried as without.
func TestAnnouncedMethods(t *testing.T) {
	one, two := pkitest.CA(t, noon, "CA one", pkitest.P256), pkitest.CA(t, noon, "CA two", pkitest.P256)
	byOne, byTwo := one.End(t, noon, "r.example", pkitest.P256), two.End(t, noon, "r.example", pkitest.P384)
	rsa, ed := two.End(t, noon, "r.example", pkitest.RSA2048), one.End(t, noon, "r.example", pkitest.Ed25519)
	digital := func(link uint8, schemes ...Scheme) (list []wire.AuthAnnouncement) {
		for _, s := range schemes {
			list = append(list, wire.AuthAnnouncement{Method: wire.AuthDigitalSignature, Link: link, Algorithm: s.Identifier()})
		}
		return list
	}
	ecdsa := func(h wire.HashAlgorithm) Scheme { return familyECDSA | Scheme(h) }
	asked := []*wire.CertReq{{Encoding: wire.CertX509Signature, Authorities: hashOf(one)}, {Encoding: wire.CertX509Signature, Authorities: hashOf(two)}}
	for name, c := range map[string]struct {
		pairs    []*pkitest.Holder
		methods  []wire.AuthAnnouncement
		requests []*wire.CertReq
		old      bool
		want     *pkitest.Holder
		scheme   Scheme
	}{
		"nothing":            {[]*pkitest.Holder{byOne, ed}, nil, nil, false, byOne, ecdsa(wire.HashSHA2_256)},
		"the second key":     {[]*pkitest.Holder{byOne, ed}, digital(0, familyEd25519|Scheme(wire.HashIdentity)), nil, false, ed, familyEd25519 | Scheme(wire.HashIdentity)},
		"another hash":       {[]*pkitest.Holder{byOne}, digital(0, ecdsa(wire.HashSHA2_512)), nil, false, byOne, ecdsa(wire.HashSHA2_512)},
		"the other padding":  {[]*pkitest.Holder{rsa}, digital(0, familyPKCS1|Scheme(wire.HashSHA2_384)), nil, false, rsa, familyPKCS1 | Scheme(wire.HashSHA2_384)},
		"nothing that fits":  {[]*pkitest.Holder{byOne}, digital(0, familyPSS|Scheme(wire.HashSHA2_256)), nil, false, byOne, ecdsa(wire.HashSHA2_256)},
		"a pre-shared key":   {[]*pkitest.Holder{byOne}, AnnouncePSK(), nil, false, byOne, ecdsa(wire.HashSHA2_256)},
		"for the second CA":  {[]*pkitest.Holder{byOne, byTwo}, digital(2, ecdsa(wire.HashSHA2_384), ecdsa(wire.HashSHA2_256)), asked, false, byTwo, ecdsa(wire.HashSHA2_384)},
		"for no CA there is": {[]*pkitest.Holder{byTwo, byOne}, digital(3, ecdsa(wire.HashSHA2_512)), asked, false, byTwo, ecdsa(wire.HashSHA2_384)},
		"links without CAs":  {[]*pkitest.Holder{byOne, byTwo}, digital(2, ecdsa(wire.HashSHA2_512)), nil, false, byOne, ecdsa(wire.HashSHA2_512)},
		"all of ours":        {[]*pkitest.Holder{rsa}, AnnounceSignatures(true), nil, false, rsa, familyPSS | Scheme(wire.HashSHA2_256)},
		"the methods of before": {[]*pkitest.Holder{byOne, byTwo}, []wire.AuthAnnouncement{{Method: wire.AuthECDSA384}}, nil, true, byTwo,
			ecdsa(wire.HashSHA2_384)},
		"all of those": {[]*pkitest.Holder{byOne, byTwo}, AnnounceSignatures(false), nil, true, byOne, ecdsa(wire.HashSHA2_256)},
	} {
		t.Run(name, func(t *testing.T) {
			x, _ := sides(t)
			if !c.old {
				x.OwnHashes = []wire.HashAlgorithm{wire.HashSHA2_256, wire.HashSHA2_384, wire.HashSHA2_512, wire.HashIdentity}
				x.PeerHashes = x.OwnHashes
			}
			x.PeerMethods, x.Requests = c.methods, c.requests
			var pairs []credential.Pair
			for _, h := range c.pairs {
				pairs = append(pairs, h.Pair())
			}
			pair, scheme, err := (&signer{s: Signing{PSS: true}}).choose(x, pairs)
			if err != nil || pair.Chain[0] != c.want.Cert || scheme != c.scheme {
				t.Errorf("%s by %s, %v; want %s by %s", keyName(pair.Key), scheme, err, keyName(c.want.Pair().Key), c.scheme)
			}
		})
	}
}

// hashOf is what CERTREQ says of a CA.
func hashOf(ca *pkitest.Holder) []byte {
	h := pki.KeyHash(ca.Cert)
	return h[:]
}
