package suite

import (
	"crypto/ecdh"
	"crypto/rand"

	"esplanade/ike/wire"
)

// uncompressedPoint is the octet that SEC 1 puts before x | y, and IKE leaves out.
const uncompressedPoint = 4

func ecpCurve(group uint16) (ecdh.Curve, bool) {
	switch group {
	case wire.KE_ECP_256:
		return ecdh.P256(), true
	case wire.KE_ECP_384:
		return ecdh.P384(), true
	case wire.KE_ECP_521:
		return ecdh.P521(), true
	}
	return nil, false
}

// ecpKE is ECDH in a random curve modulo a prime (RFC 5903). Key Exchange Data is x | y, each as long as the prime; the
// shared secret is the x of the common point alone. https://www.rfc-editor.org/rfc/rfc5903#section-7
type ecpKE struct {
	redacted
	group uint16
	priv  *ecdh.PrivateKey
}

func newECP(group uint16, c ecdh.Curve) (*ecpKE, error) {
	priv, err := c.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return &ecpKE{group: group, priv: priv}, nil
}

func (k *ecpKE) Group() uint16  { return k.group }
func (k *ecpKE) Public() []byte { return k.priv.PublicKey().Bytes()[1:] }

func (k *ecpKE) Shared(peer []byte) ([]byte, error) {
	if err := checkLen(k.group, peer, len(k.Public())); err != nil {
		return nil, err
	}
	// Both coordinates must be less than the prime and satisfy the curve's equation, which NewPublicKey checks. The
	// curves have cofactor 1, so every such point is in the right group.
	// https://www.rfc-editor.org/rfc/rfc6989#section-2.3
	pub, err := k.priv.Curve().NewPublicKey(append([]byte{uncompressedPoint}, peer...))
	if err != nil {
		return nil, &KEError{Group: k.group, Reason: "not a point on the curve"}
	}
	s, err := k.priv.ECDH(pub)
	if err != nil {
		return nil, &KEError{Group: k.group, Reason: "the common value is the point at infinity"}
	}
	return s, nil
}
