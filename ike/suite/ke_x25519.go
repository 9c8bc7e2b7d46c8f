package suite

import (
	"crypto/ecdh"
	"crypto/rand"

	"esplanade/ike/wire"
)

// x25519KeyLen is the length of Key Exchange Data, which is the public key of RFC 7748 and nothing else.
// https://www.rfc-editor.org/rfc/rfc8031#section-3.1
const x25519KeyLen = 32

// x25519KE is ECDH with Curve25519 (RFC 7748, RFC 8031).
type x25519KE struct {
	redacted
	priv *ecdh.PrivateKey
}

func newX25519() (*x25519KE, error) {
	priv, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return &x25519KE{priv: priv}, nil
}

func (k *x25519KE) Group() uint16  { return wire.KE_CURVE25519 }
func (k *x25519KE) Public() []byte { return k.priv.PublicKey().Bytes() }

func (k *x25519KE) Shared(peer []byte) ([]byte, error) {
	if err := checkLen(wire.KE_CURVE25519, peer, x25519KeyLen); err != nil {
		return nil, err
	}
	pub, err := ecdh.X25519().NewPublicKey(peer)
	if err != nil {
		return nil, &KEError{Group: wire.KE_CURVE25519, Reason: err.Error()}
	}
	// Points of small order give zero whatever the private key is. crypto/ecdh reports that, in constant time.
	// https://www.rfc-editor.org/rfc/rfc7748#section-6.1
	s, err := k.priv.ECDH(pub)
	if err != nil {
		return nil, &KEError{Group: wire.KE_CURVE25519, Reason: "a point of small order: the shared secret is zero"}
	}
	return s, nil
}
