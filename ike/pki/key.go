package pki

import (
	"bytes"
	"crypto"
	//lint:ignore SA1019 to name a key of DSA when it is refused
	"crypto/dsa"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/cloudflare/circl/sign/ed448"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// ErrWeakKey says that a key is of a kind that is accepted but too short.
var ErrWeakKey = errors.New("the key is too weak")

// PublicKey is the key of a certificate: a *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey or ed448.PublicKey.
// Others are refused, as are RSA keys that are weak (the error is then an [ErrWeakKey]), larger than any that is in use,
// or can't be keys.
func PublicKey(c *x509.Certificate) (crypto.PublicKey, error) {
	if c.PublicKey == nil {
		return parseUnknownKey(c.RawSubjectPublicKeyInfo)
	}
	if err := checkKey(c.PublicKey, c.RawSubjectPublicKeyInfo); err != nil {
		return nil, err
	}
	return c.PublicKey, nil
}

// ParsePublicKey reads a SubjectPublicKeyInfo, which is how a raw public key is sent
// (https://www.rfc-editor.org/rfc/rfc7670#section-3). It accepts the keys that [PublicKey] does.
func ParsePublicKey(spki []byte) (crypto.PublicKey, error) {
	if len(spki) > MaxCertificate {
		return nil, fmt.Errorf("the public key has %d bytes; at most %d are accepted", len(spki), MaxCertificate)
	}
	if key, err := parseUnknownKey(spki); err == nil {
		return key, nil
	}
	key, err := x509.ParsePKIXPublicKey(spki)
	if err == nil {
		err = checkKey(key, spki)
	}
	if err != nil {
		return nil, err
	}
	return key, nil
}

// MarshalPublicKey is the reverse of [ParsePublicKey].
func MarshalPublicKey(key crypto.PublicKey) ([]byte, error) {
	k, ok := key.(ed448.PublicKey)
	if !ok {
		return x509.MarshalPKIXPublicKey(key)
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(idEd448)) })
		})
		b.AddASN1BitString(k)
	})
	return b.Bytes()
}

// checkKey reports why the key of a SubjectPublicKeyInfo can't authenticate a peer. What encoding/asn1 leaves unread,
// such as elements behind those it knows, is found out by writing the key again: DER has one form of it only.
func checkKey(key crypto.PublicKey, spki []byte) error {
	if err := checkKind(key); err != nil {
		return err
	}
	if again, err := x509.MarshalPKIXPublicKey(key); err != nil || !bytes.Equal(again, spki) {
		return errors.New("the key is not in DER")
	}
	return nil
}

// checkKind reports why a key is none that can authenticate a peer.
func checkKind(key crypto.PublicKey) error {
	switch k := key.(type) {
	case *rsa.PublicKey:
		return checkRSA(k)
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256(), elliptic.P384(), elliptic.P521():
			return nil
		}
		return fmt.Errorf("the key is on the curve %s; P-256, P-384 and P-521 are accepted", k.Curve.Params().Name)
	case ed25519.PublicKey, ed448.PublicKey:
		return nil
	case *dsa.PublicKey:
		return errors.New("the key is of DSA, which is not accepted")
	}
	return errors.New("the key is not for signatures")
}

// checkRSA also keeps what is absurd away from the arithmetic: a modulus that is even or huge, an exponent that maps
// each signature onto itself.
func checkRSA(k *rsa.PublicKey) error {
	switch bits := k.N.BitLen(); {
	case bits > maxRSABits:
		return fmt.Errorf("the RSA key has %d bits; at most %d are accepted", bits, maxRSABits)
	case bits < minRSABits:
		return fmt.Errorf("%w: the RSA key has %d bits; at least %d are accepted", ErrWeakKey, bits, minRSABits)
	case k.N.Bit(0) == 0:
		return errors.New("the RSA key has an even modulus")
	case k.E < 3 || k.E > maxRSAExponent || k.E%2 == 0:
		return fmt.Errorf("the RSA key has the public exponent %d", k.E)
	}
	return nil
}

// idEd448 is the object identifier 1.3.101.113, encoded.
const idEd448 = "\x2b\x65\x71"

// parseUnknownKey reads the keys that crypto/x509 doesn't know. "The parameters MUST be absent" for Ed448,
// https://www.rfc-editor.org/rfc/rfc8410#section-3
func parseUnknownKey(spki []byte) (crypto.PublicKey, error) {
	unknown := errors.New("the key is of an unknown kind")
	in := cryptobyte.String(spki)
	var seq, algorithm, oid cryptobyte.String
	var key []byte
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1(&algorithm, asn1.SEQUENCE) ||
		!algorithm.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) {
		return nil, unknown
	}
	if string(oid) != idEd448 {
		return nil, unknown
	}
	if !algorithm.Empty() || !seq.ReadASN1BitStringAsBytes(&key) || !seq.Empty() || len(key) != ed448.PublicKeySize {
		return nil, errors.New("the key of Ed448 is malformed")
	}
	return ed448.PublicKey(key), nil
}

// SameKey reports whether two public keys are of the same kind with the same parameters and values. Keys of kinds that
// [PublicKey] doesn't give are never the same.
func SameKey(a, b crypto.PublicKey) bool {
	switch a := a.(type) {
	case *rsa.PublicKey:
		return a.Equal(b)
	case *ecdsa.PublicKey:
		return a.Equal(b)
	case ed25519.PublicKey:
		return a.Equal(b)
	case ed448.PublicKey:
		b, ok := b.(ed448.PublicKey)
		return ok && len(a) == ed448.PublicKeySize && subtle.ConstantTimeCompare(a, b) == 1
	}
	return false
}

// KeyHash is the SHA-1 hash of the SubjectPublicKeyInfo, by which a CERTREQ payload names a CA
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.7).
func KeyHash(c *x509.Certificate) [sha1.Size]byte { return sha1.Sum(c.RawSubjectPublicKeyInfo) }
