package suite

import (
	"errors"
	"fmt"

	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// Protection seals or opens the Encrypted payloads (SK, SKF) of one direction of an IKE SA. It belongs to one
// goroutine. A Protection that seals must be the only one with its key, since it counts the initialization vectors.
type Protection interface {
	// BodyLen returns the octets that Seal appends for plain octets of payloads: IV, padded ciphertext and ICV.
	BodyLen(plain int) int

	// Seal appends IV, ciphertext and ICV to dst and returns it. dst is the message so far, from the IKE header up to
	// and including the header of the Encrypted payload, with all lengths filled in; aadLen must be len(dst). plain
	// is the chain of payloads (or a fragment of it) and must not overlap dst's spare capacity.
	Seal(dst []byte, aadLen int, plain []byte) ([]byte, error)

	// Open verifies and decrypts a message whose first aadLen octets are in the clear, and returns the payloads
	// without padding in memory of their own. It does not modify datagram.
	//
	// An error that is ErrICV says that the message is not authentic: it must be dropped and must change nothing.
	// ErrPadding says that the peer itself made a message that is malformed inside.
	Open(datagram []byte, aadLen int) (plain []byte, err error)
}

// ErrICV is a message that does not come from the peer, or not as it was sent.
var ErrICV = errors.New("suite: integrity check failed")

// ErrShort is a message with no room for an IV, a pad length and an ICV. It is an ErrICV as well.
var ErrShort = fmt.Errorf("%w: encrypted payload is too short", ErrICV)

// ErrPadding is an authentic message whose pad length is longer than the message, or whose ciphertext is not a multiple
// of the cipher's block.
var ErrPadding = errors.New("suite: malformed padding in an authentic message")

var errAADLen = errors.New("suite: aadLen must be the length of the message so far")

// cipherSpec is an encryption algorithm (transform type 1) with its key length fixed.
type cipherSpec struct {
	id      uint16
	keyLen  int // octets, without the salt
	saltLen int // octets behind the key in SK_e
	ivLen   int // octets of explicit IV in each message
	icvLen  int // AEAD only
	block   int // the plaintext is padded to a multiple of it
	aead    bool
}

// cipherFor returns the algorithm that t names, or an *UnsupportedError. It also refuses a Key Length attribute where
// the algorithm has one fixed length, and a missing one where it has several.
func cipherFor(t wire.Transform) (cipherSpec, error) {
	for _, family := range []func(wire.Transform) (cipherSpec, bool){gcmSpec, chachaSpec, cbcSpec, ctrSpec} {
		if s, ok := family(t); ok && !t.Unknown {
			return s, nil
		}
	}
	return cipherSpec{}, &UnsupportedError{Type: wire.TransformENCR, ID: t.ID, KeyBits: t.KeyLength}
}

// aesKeyLen returns the octets of an AES key with that Key Length attribute.
//
// The attribute "MUST NOT be used with transforms that use a fixed-length key" and is mandatory with AES.
// https://www.rfc-editor.org/rfc/rfc7296#section-3.3.5
func aesKeyLen(bits uint16) (int, bool) {
	switch bits {
	case 128, 192, 256:
		return int(bits) / 8, true
	}
	return 0, false
}

// NewProtection returns the protection of one direction for a chosen IKE proposal. encKey is SK_ei or SK_er with the
// salt, integKey is SK_ai or SK_ar, and empty with an AEAD. Both must have the lengths that DeriveKeys gives them.
func NewProtection(c proposal.Chosen, encKey, integKey []byte) (Protection, error) {
	encr, integ, err := keyLengths(c)
	if err != nil {
		return nil, err
	}
	if len(encKey) != encr || len(integKey) != integ {
		return nil, fmt.Errorf("suite: keys of %d and %d octets, need %d and %d", len(encKey), len(integKey), encr, integ)
	}
	spec, err := cipherFor(c.Encr)
	if err != nil {
		return nil, err
	}
	key, salt := encKey[:spec.keyLen], encKey[spec.keyLen:]
	if spec.aead {
		return newAEADProtection(spec, key, salt)
	}
	alg, err := integFor(c.Integ)
	if err != nil {
		return nil, err
	}
	mac := newIntegrity(alg, integKey)
	if c.Encr.ID == wire.ENCR_AES_CBC {
		return newCBCProtection(spec, key, mac), nil
	}
	return newCTRProtection(spec, key, salt, mac), nil
}

// paddedLen returns the octets of plain octets of payloads with padding and pad length, as a multiple of block. The
// padding is as short as it can be; a receiver accepts any.
func paddedLen(plain, block int) int { return (plain + 1 + block - 1) / block * block }

// appendPadded appends the payloads, zeros, and the pad length.
//
// "The sender SHOULD set the Pad Length to the minimum value that makes the combination of the payloads, the Padding,
// and the Pad Length a multiple of the block size, but the recipient MUST accept any length that results in proper
// alignment." https://www.rfc-editor.org/rfc/rfc7296#section-3.14
func appendPadded(b, plain []byte, block int) []byte {
	pad := paddedLen(len(plain), block) - len(plain) - 1
	b = append(b, plain...)
	for range pad {
		b = append(b, 0)
	}
	return append(b, byte(pad))
}

// stripPadding returns the payloads in the decrypted octets, which are authentic.
func stripPadding(b []byte) ([]byte, error) {
	if len(b) == 0 {
		return nil, ErrPadding
	}
	n := len(b) - 1 - int(b[len(b)-1])
	if n < 0 {
		return nil, ErrPadding
	}
	return b[:n:n], nil
}

// splitBody checks the lengths of what follows the clear part of a message and returns its IV, ciphertext and ICV.
func splitBody(datagram []byte, aadLen, ivLen, icvLen int) (iv, ct, icv []byte, err error) {
	if aadLen < 0 || aadLen > len(datagram) {
		return nil, nil, nil, ErrShort
	}
	body := datagram[aadLen:]
	if len(body) < ivLen+1+icvLen {
		return nil, nil, nil, ErrShort
	}
	n := len(body) - icvLen
	return body[:ivLen], body[ivLen:n], body[n:], nil
}
