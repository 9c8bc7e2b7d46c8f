package suite

import (
	"fmt"

	"esplanade/ike/wire"
)

// KeyExchange is the initiator's side of one key exchange: an ephemeral private key, made when it is created. It belongs
// to one goroutine and is used for one peer; forget it after Shared. The responder's side is the function Respond.
//
// With Diffie-Hellman, in its many groups, the sides do the same, and a responder may use a KeyExchange just as well. With
// ML-KEM they do not: Public is an encapsulation key and Shared takes a ciphertext. A responder that can be asked for
// ML-KEM must use Respond. (Mind that with ML-KEM-1024 both have the same length, so that Shared cannot tell.)
type KeyExchange interface {
	// Group returns the transform ID of the method (transform type 4).
	Group() uint16

	// Public returns the Key Exchange Data to send. The caller must not modify it.
	Public() []byte

	// Shared returns g^ir, for SKEYSEED and the like, from the Key Exchange Data of the peer. A value that must not be
	// used gives a *KEError; the exchange with that peer must then fail.
	Shared(peer []byte) ([]byte, error)
}

// KEError is a public value that RFC 6989, FIPS 203 or the definition of the group forbids.
type KEError struct {
	Group  uint16
	Reason string // for the operator; it contains nothing secret
}

func (e *KEError) Error() string {
	return fmt.Sprintf("invalid public value for %s: %s", wire.TransformName(wire.TransformKE, e.Group), e.Reason)
}

// NewKeyExchange makes a fresh private key in that group. The error is an *UnsupportedError if the group is not
// implemented.
func NewKeyExchange(group uint16) (KeyExchange, error) {
	if g, ok := modpGroupFor(group); ok {
		return newMODP(g)
	}
	if c, ok := ecpCurve(group); ok {
		return newECP(group, c)
	}
	if group == wire.KE_CURVE25519 {
		return newX25519()
	}
	if p, ok := mlkemFor(group); ok {
		return newMLKEM(p)
	}
	return nil, &UnsupportedError{Type: wire.TransformKE, ID: group}
}

// Respond is the responder's side of a key exchange. peer is the initiator's Key Exchange Data. It returns the Key
// Exchange Data to answer with and the shared secret, the same one that KeyExchange.Shared gives the initiator.
//
// A value that must not be used gives a *KEError, a group that is not implemented an *UnsupportedError.
func Respond(group uint16, peer []byte) (public, shared []byte, err error) {
	if p, ok := mlkemFor(group); ok {
		return p.encapsulate(peer)
	}
	ke, err := NewKeyExchange(group)
	if err != nil {
		return nil, nil, err
	}
	shared, err = ke.Shared(peer)
	if err != nil {
		return nil, nil, err
	}
	return ke.Public(), shared, nil
}

// checkLen is the first check of every group.
func checkLen(group uint16, peer []byte, want int) error {
	if len(peer) != want {
		return &KEError{Group: group, Reason: fmt.Sprintf("%d octets long, must be %d", len(peer), want)}
	}
	return nil
}
