package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	_ "crypto/sha1"   // of rsaSHA1
	_ "crypto/sha256" // the hashes of the schemes
	_ "crypto/sha512"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"

	"github.com/cloudflare/circl/sign/ed448"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"esplanade/ike/wire"
)

// cryptoHash is the hash of a scheme, zero for the one that signs the message itself.
func (s Scheme) cryptoHash() crypto.Hash {
	switch s.Hash() {
	case wire.HashSHA1:
		return crypto.SHA1
	case wire.HashSHA2_256:
		return crypto.SHA256
	case wire.HashSHA2_384:
		return crypto.SHA384
	case wire.HashSHA2_512:
		return crypto.SHA512
	}
	return 0
}

// digest is what a scheme signs of octets.
func (s Scheme) digest(octets []byte) []byte {
	h := s.cryptoHash()
	if h == 0 {
		return octets
	}
	d := h.New()
	d.Write(octets)
	return d.Sum(nil)
}

// familyOf is the algorithm of a key; ok is false for a key of another kind. RSA keys have two, of which this is the older one.
func familyOf(key crypto.PublicKey) (f family, ok bool) {
	switch key.(type) {
	case *rsa.PublicKey:
		return familyPKCS1, true
	case *ecdsa.PublicKey:
		return familyECDSA, true
	case ed25519.PublicKey:
		return familyEd25519, true
	case ed448.PublicKey:
		return familyEd448, true
	}
	return 0, false
}

// Fits reports whether a key can make signatures of the scheme.
func (s Scheme) Fits(key crypto.PublicKey) bool {
	f, ok := familyOf(key)
	return ok && (f == s.family() || f == familyPKCS1 && s.family() == familyPSS)
}

// verify reports whether a signature is that of the key, of these octets and by this scheme. That of ECDSA is DER.
func (s Scheme) verify(key crypto.PublicKey, octets, signature []byte) bool {
	if !s.Fits(key) {
		return false
	}
	switch key := key.(type) {
	case *rsa.PublicKey:
		if s.family() == familyPSS {
			return rsa.VerifyPSS(key, s.cryptoHash(), s.digest(octets), signature, s.pssOptions()) == nil
		}
		return rsa.VerifyPKCS1v15(key, s.cryptoHash(), s.digest(octets), signature) == nil
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(key, s.digest(octets), signature)
	case ed25519.PublicKey:
		return len(key) == ed25519.PublicKeySize && ed25519.Verify(key, octets, signature)
	case ed448.PublicKey:
		return len(key) == ed448.PublicKeySize && ed448.Verify(key, octets, signature, "")
	}
	return false
}

// sign makes a signature. That of ECDSA is DER. The signer may be a token, so that the error may be anything.
func (s Scheme) sign(random io.Reader, key crypto.Signer, octets []byte) ([]byte, error) {
	if !s.Fits(key.Public()) {
		return nil, errors.New("the key is not one for " + s.String())
	}
	opts := crypto.SignerOpts(s.cryptoHash())
	if s.family() == familyPSS {
		opts = s.pssOptions()
	}
	return key.Sign(random, s.digest(octets), opts)
}

// pssOptions has a salt as long as the hash, as Identifier says it.
func (s Scheme) pssOptions() *rsa.PSSOptions {
	return &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: s.cryptoHash()}
}

// SchemesOf lists what a key may sign with, the best first: the hash that is as strong as the key, then stronger ones, then weaker
// ones. Of RSA it is one padding.
func SchemesOf(key crypto.PublicKey, pss bool) []Scheme {
	f, ok := familyOf(key)
	switch {
	case !ok:
		return nil
	case f == familyEd25519 || f == familyEd448:
		return []Scheme{f | Scheme(wire.HashIdentity)}
	case f == familyPKCS1 && pss:
		f = familyPSS
	}
	order := []wire.HashAlgorithm{wire.HashSHA2_256, wire.HashSHA2_384, wire.HashSHA2_512}
	switch at := fittingHash(key); at {
	case wire.HashSHA2_384:
		order = []wire.HashAlgorithm{at, wire.HashSHA2_512, wire.HashSHA2_256}
	case wire.HashSHA2_512:
		slices.Reverse(order)
	}
	var list []Scheme
	for _, h := range order {
		list = append(list, f|Scheme(h))
	}
	return list
}

// fittingHash is the hash that is as strong as a key, by table 2 and 3 of NIST SP 800-57 part 1.
func fittingHash(key crypto.PublicKey) wire.HashAlgorithm {
	bits := 0
	switch key := key.(type) {
	case *rsa.PublicKey:
		switch n := key.N.BitLen(); {
		case n > 7680:
			bits = 512
		case n > 3072:
			bits = 384
		}
	case *ecdsa.PublicKey:
		bits = key.Curve.Params().BitSize
	}
	switch {
	case bits > 384:
		return wire.HashSHA2_512
	case bits > 256:
		return wire.HashSHA2_384
	}
	return wire.HashSHA2_256
}

// The methods of before RFC 7427 each name an algorithm, and those of ECDSA a curve and a hash as well. Their signatures of ECDSA are
// r and s, one behind the other, each as long as the order of the curve (RFC 4754).

// oldECDSA are the methods of RFC 4754.
func oldECDSA(m wire.AuthMethod) (s Scheme, curve elliptic.Curve, ok bool) {
	switch m {
	case wire.AuthECDSA256:
		return ECDSASHA256, elliptic.P256(), true
	case wire.AuthECDSA384:
		return ECDSASHA384, elliptic.P384(), true
	case wire.AuthECDSA521:
		return ECDSASHA512, elliptic.P521(), true
	}
	return 0, nil, false
}

// oldMethod is the method of before RFC 7427 for a key.
func oldMethod(key crypto.PublicKey) (m wire.AuthMethod, ok bool) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return wire.AuthRSA, true
	case *ecdsa.PublicKey:
		for _, m := range []wire.AuthMethod{wire.AuthECDSA256, wire.AuthECDSA384, wire.AuthECDSA521} {
			if _, curve, _ := oldECDSA(m); curve == key.Curve {
				return m, true
			}
		}
	}
	return 0, false
}

// rawSignature makes r|s of a DER signature.
func rawSignature(der []byte, curve elliptic.Curve) ([]byte, error) {
	in, size := cryptobyte.String(der), (curve.Params().N.BitLen()+7)/8
	var seq cryptobyte.String
	var r, s big.Int
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(&r) || !seq.ReadASN1Integer(&s) || !seq.Empty() ||
		r.Sign() <= 0 || s.Sign() <= 0 || r.BitLen() > 8*size || s.BitLen() > 8*size {
		return nil, errors.New("the key has made a signature that is not one of ECDSA")
	}
	return append(r.FillBytes(make([]byte, size)), s.FillBytes(make([]byte, size))...), nil
}

// derSignature makes DER of r|s. ok is false if it has another length than two numbers of the curve.
func derSignature(raw []byte, curve elliptic.Curve) (der []byte, ok bool) {
	size := (curve.Params().N.BitLen() + 7) / 8
	if len(raw) != 2*size {
		return nil, false
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(new(big.Int).SetBytes(raw[:size]))
		b.AddASN1BigInt(new(big.Int).SetBytes(raw[size:]))
	})
	return b.BytesOrPanic(), true
}

// keyName is what a key is called in texts, such as "RSA 2048" or "ECDSA P-256".
func keyName(key crypto.PublicKey) string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + key.Curve.Params().Name
	}
	switch f, _ := familyOf(key); f {
	case familyEd25519:
		return "Ed25519"
	case familyEd448:
		return "Ed448"
	}
	return "unknown key"
}
