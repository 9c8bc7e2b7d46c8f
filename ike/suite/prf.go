package suite

import (
	"errors"
	"fmt"
	"hash"

	"esplanade/ike/wire"
)

// PRF is a negotiated pseudorandom function (transform type 2). The zero value is not usable. PRF holds no key and may
// be copied and shared.
type PRF struct {
	id           uint16
	size         int // octets of output
	keySize      int // octets of a generated key
	fixedKeySize int
	newMAC       func(key []byte) hash.Hash // accepts a key of any length
}

// NewPRF returns the PRF with that transform ID, or an *UnsupportedError.
func NewPRF(id uint16) (PRF, error) {
	if p, ok := hmacPRF(id); ok {
		return p, nil
	}
	if p, ok := aesPRF(id); ok {
		return p, nil
	}
	return PRF{}, &UnsupportedError{Type: wire.TransformPRF, ID: id}
}

// ID returns the transform ID.
func (p PRF) ID() uint16 { return p.id }

// Size returns the octets that Sum returns.
func (p PRF) Size() int { return p.size }

// KeySize returns the octets of a key that is generated for this PRF: SK_d, SK_pi and SK_pr have this length.
//
// "The lengths of SK_d, SK_pi, and SK_pr MUST be the preferred key length of the PRF agreed upon."
// https://www.rfc-editor.org/rfc/rfc7296#section-2.14
func (p PRF) KeySize() int { return p.keySize }

// FixedKeySize is 16 for AES-XCBC and AES-CMAC, for which SKEYSEED takes only 64 bits of each nonce, and 0 for the
// others. See SKEYSEED.
func (p PRF) FixedKeySize() int { return p.fixedKeySize }

// Sum returns prf(key, data[0] | data[1] | …). The key may have any length.
func (p PRF) Sum(key []byte, data ...[]byte) []byte {
	m := p.newMAC(key)
	for _, d := range data {
		m.Write(d)
	}
	return m.Sum(make([]byte, 0, p.size))
}

// prfPlusRounds is the limit that the single counter octet of prf+ sets.
const prfPlusRounds = 255

var errPRFPlusLength = errors.New("suite: prf+ asked for more than 255 times the PRF's output")

// Plus returns the first n octets of prf+(key, seed). It fails if n is negative or more than 255*Size.
//
//	prf+ (K,S) = T1 | T2 | T3 | T4 | ...
//	T1 = prf (K, S | 0x01)
//	T2 = prf (K, T1 | S | 0x02)
//
// "The prf+ function is not defined beyond 255 times the size of the prf function output."
// https://www.rfc-editor.org/rfc/rfc7296#section-2.13
func (p PRF) Plus(key, seed []byte, n int) ([]byte, error) {
	if n < 0 || n > prfPlusRounds*p.size {
		return nil, errPRFPlusLength
	}
	m := p.newMAC(key)
	out := make([]byte, 0, n+p.size)
	var prev []byte
	for i := byte(1); len(out) < n; i++ {
		m.Reset()
		m.Write(prev)
		m.Write(seed)
		m.Write([]byte{i})
		out = m.Sum(out)
		prev = out[len(out)-p.size:]
	}
	return out[:n:n], nil
}

// UnsupportedError says that a transform, or its key length, is not implemented. What package proposal can parse never
// gives this error.
type UnsupportedError struct {
	Type    wire.TransformType
	ID      uint16
	KeyBits uint16 // for ENCR; 0 if there was no key length attribute
}

func (e *UnsupportedError) Error() string {
	name := wire.TransformName(e.Type, e.ID)
	if e.Type == wire.TransformENCR {
		return fmt.Sprintf("suite: %s with key length %d is not implemented for this use", name, e.KeyBits)
	}
	return fmt.Sprintf("suite: %s is not implemented", name)
}
