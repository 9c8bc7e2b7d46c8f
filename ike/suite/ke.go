package suite

import (
	"fmt"

	"esplanade/ike/wire"
)

// KeyExchange is one key exchange of one exchange of messages: an ephemeral private key, made when it is created. It
// belongs to one goroutine and is used for one peer; forget it after Shared.
type KeyExchange interface {
	// Group returns the transform ID of the method (transform type 4).
	Group() uint16

	// Public returns the Key Exchange Data to send. The caller must not modify it.
	Public() []byte

	// Shared returns g^ir, for SKEYSEED and the like, from the Key Exchange Data of the peer. A value that must not be
	// used gives a *KEError; the exchange with that peer must then fail.
	Shared(peer []byte) ([]byte, error)
}

// KEError is a public value that RFC 6989 or the definition of the group forbids.
type KEError struct {
	Group  uint16
	Reason string // for the operator; it contains nothing secret
}

func (e *KEError) Error() string {
	return fmt.Sprintf("invalid public value for %s: %s", wire.TransformName(wire.TransformKE, e.Group), e.Reason)
}

// NewKeyExchange makes a fresh private key in that group. The error is an *UnsupportedError.
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
	return nil, &UnsupportedError{Type: wire.TransformKE, ID: group}
}

// SupportedKE reports whether NewKeyExchange can make that group. It is false for NONE.
func SupportedKE(group uint16) bool {
	if _, ok := modpGroupFor(group); ok {
		return true
	}
	_, ok := ecpCurve(group)
	return ok || group == wire.KE_CURVE25519
}

// checkLen is the first check of every group.
func checkLen(group uint16, peer []byte, want int) error {
	if len(peer) != want {
		return &KEError{Group: group, Reason: fmt.Sprintf("%d octets long, must be %d", len(peer), want)}
	}
	return nil
}
