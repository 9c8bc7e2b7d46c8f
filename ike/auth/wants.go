package auth

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"slices"
	"time"

	"github.com/cloudflare/circl/sign/ed448"

	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/wire"
)

// What a signature takes time for is asked for: [Sign] and [Judge], by [Transcript.Ask]. Both are work for a processor, unless the key
// is in a token; [Sign.CarryOut] and [Judge.CarryOut] do all there is to them.

// Sign wants a signature of this side. The value of its answer is the signature, []byte, that of ECDSA in DER.
type Sign struct {
	redacted
	// Signer is the key. Whoever carries the request out may call Sign on it and nothing else, and may wait for it.
	Signer crypto.Signer
	// Key is its public key.
	Key    crypto.PublicKey
	Scheme Scheme
	// Octets are what is signed. They must not be changed.
	Octets []byte
}

// Same implements [Want].
func (s Sign) Same(other Want) bool {
	o, ok := other.(Sign)
	return ok && s.Scheme == o.Scheme && bytes.Equal(s.Octets, o.Octets) && pki.SameKey(s.Key, o.Key)
}

// String implements [Want].
func (s Sign) String() string { return "a signature by " + s.Scheme.String() }

// CarryOut makes the signature. It may be called on any goroutine.
func (s Sign) CarryOut() Answer {
	b, err := s.Scheme.sign(rand.Reader, s.Signer, s.Octets)
	if err != nil {
		return Answer{Err: &SignError{Err: err}}
	}
	return Answer{Value: b}
}

// Cost is about how long that takes on one core. A key that is not in memory may take any time.
func (s Sign) Cost() time.Duration {
	switch s.Signer.(type) {
	case *rsa.PrivateKey, *ecdsa.PrivateKey, ed25519.PrivateKey, ed448.PrivateKey:
		return signCost(s.Key)
	}
	return unknownSignerCost
}

// Judge wants to know whether a peer is who it says it is: what its certificates or its key are worth, and whether the signature is
// made with that key. The value of its answer is a [Judged], the error a [*pki.Refusal] or a [*SignatureError].
type Judge struct {
	Trust *pki.Trust
	// Now is when it is asked for; an answer to an earlier question is as good.
	Now       time.Time
	ID        identity.Identity
	Presented pki.Presented
	// Schemes are what the signature may be made by: the one that AUTH names, or those that its method may mean.
	Schemes []Scheme
	// Curve is that of a method which names one. Its signature is r and s, DER otherwise.
	Curve             elliptic.Curve
	Octets, Signature []byte
}

// Judged is a peer that has proved itself.
type Judged struct {
	pki.Peer
	// By is what the signature is made by.
	By Scheme
}

// Same implements [Want].
func (j Judge) Same(other Want) bool {
	o, ok := other.(Judge)
	return ok && j.Trust == o.Trust && j.ID.Equal(o.ID) && slices.Equal(j.Schemes, o.Schemes) && j.Curve == o.Curve &&
		bytes.Equal(j.Octets, o.Octets) && bytes.Equal(j.Signature, o.Signature) && bytes.Equal(j.Presented.Key, o.Presented.Key) &&
		slices.EqualFunc(j.Presented.Certs, o.Presented.Certs, bytes.Equal)
}

// String implements [Want].
func (j Judge) String() string { return "the verdict on a certificate and a signature" }

// CarryOut judges. It may be called on any goroutine.
func (j Judge) CarryOut() Answer {
	peers, err := j.peers()
	if err != nil {
		return Answer{Err: err}
	}
	for _, peer := range peers {
		if s, ok := j.by(peer); ok {
			return Answer{Value: Judged{Peer: peer, By: s}}
		}
	}
	s, p := j.Schemes[0], peers[0]
	return Answer{Err: &SignatureError{Scheme: s, Key: keyName(p.Key), Fits: s.Fits(p.Key), Cert: endOf(p)}}
}

// peers are those whose signature it may be: the one that was presented, or, if nothing was, those that are known.
func (j Judge) peers() ([]pki.Peer, error) {
	if len(j.Presented.Certs) == 0 && len(j.Presented.Key) == 0 {
		return j.Trust.Known(j.Now, j.ID)
	}
	peer, err := j.Trust.Judge(j.Now, j.ID, j.Presented)
	return []pki.Peer{peer}, err
}

// by is the scheme by which a peer's key has made the signature; ok is false if it has not.
func (j Judge) by(peer pki.Peer) (s Scheme, ok bool) {
	signature := j.Signature
	if j.Curve != nil {
		key, is := peer.Key.(*ecdsa.PublicKey)
		if signature, ok = derSignature(signature, j.Curve); !ok || !is || key.Curve != j.Curve {
			return 0, false
		}
	}
	for _, s := range j.Schemes {
		if s.verify(peer.Key, j.Octets, signature) {
			return s, true
		}
	}
	return 0, false
}

func endOf(p pki.Peer) *x509.Certificate {
	if len(p.Chain) == 0 {
		return nil
	}
	return p.Chain[0]
}

// schemesOfRSA are what method 1 may mean: it doesn't say which hash, and Appendix A of RFC 7427 is how a later method does.
func schemesOfRSA(weak bool) []Scheme {
	list := []Scheme{RSASHA256, RSASHA384, RSASHA512}
	if weak {
		list = append(list, rsaSHA1)
	}
	return list
}

// rsaSHA1 is what method 1 meant once: RFC 7296 section 3.8 has it as the default. It is never sent nor taken unless it is asked for,
// and never by RFC 7427.
const rsaSHA1 = familyPKCS1 | Scheme(wire.HashSHA1)

// authorityHash is how CERTREQ names a CA.
type authorityHash = [sha1.Size]byte
