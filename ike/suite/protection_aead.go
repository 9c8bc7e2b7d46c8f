package suite

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"slices"

	"golang.org/x/crypto/chacha20poly1305"

	"esplanade/ike/wire"
)

// aeadSaltLen and aeadIVLen make the 12-octet nonce: salt from SK_e, then the explicit IV of the message.
// https://www.rfc-editor.org/rfc/rfc5282#section-4 and https://www.rfc-editor.org/rfc/rfc7634#section-2
const (
	aeadSaltLen  = 4
	aeadIVLen    = 8
	aeadNonceLen = aeadSaltLen + aeadIVLen
)

// gcmSpec knows AES-GCM with ICVs of 8, 12 and 16 octets (RFC 5282).
func gcmSpec(t wire.Transform) (cipherSpec, bool) {
	s := cipherSpec{id: t.ID, saltLen: aeadSaltLen, ivLen: aeadIVLen, block: 1, aead: true}
	switch t.ID {
	case wire.ENCR_AES_GCM_8:
		s.icvLen = 8
	case wire.ENCR_AES_GCM_12:
		s.icvLen = 12
	case wire.ENCR_AES_GCM_16:
		s.icvLen = 16
	default:
		return cipherSpec{}, false
	}
	var ok bool
	s.keyLen, ok = aesKeyLen(t.KeyLength)
	return s, ok
}

// chachaSpec knows ChaCha20-Poly1305 (RFC 7634). Its key has one length, so there is no Key Length attribute, but peers
// exist that send 256 and insist on it; proposal's keyword chacha20poly1305compat is for them.
func chachaSpec(t wire.Transform) (cipherSpec, bool) {
	s := cipherSpec{
		id: t.ID, keyLen: chacha20poly1305.KeySize, saltLen: aeadSaltLen, ivLen: aeadIVLen,
		icvLen: chacha20poly1305.Overhead, block: 1, aead: true,
	}
	fits := t.KeyLength == 0 || t.KeyLength == 8*chacha20poly1305.KeySize
	return s, t.ID == wire.ENCR_CHACHA20_POLY1305 && fits
}

func newAEAD(spec cipherSpec, key []byte) (cipher.AEAD, error) {
	switch spec.id {
	case wire.ENCR_CHACHA20_POLY1305:
		return chacha20poly1305.New(key)
	case wire.ENCR_AES_GCM_8:
		return newShortGCM(key, spec.icvLen)
	case wire.ENCR_AES_GCM_12:
		return cipher.NewGCMWithTagSize(newAES(key), spec.icvLen)
	default:
		return cipher.NewGCM(newAES(key))
	}
}

// aeadProtection protects with a combined-mode algorithm. The associated data is everything before the IV.
//
// That is, the message from the first octet of the IKE header through the last octet of the generic header of the
// Encrypted payload. https://www.rfc-editor.org/rfc/rfc5282#section-5.1
type aeadProtection struct {
	redacted
	spec  cipherSpec
	aead  cipher.AEAD
	nonce [aeadNonceLen]byte // of Seal: the salt stays
	open  [aeadNonceLen]byte // of Open
	next  uint64             // IV of the next Seal
	spent bool               // all IVs are used
}

func newAEADProtection(spec cipherSpec, key, salt []byte) (*aeadProtection, error) {
	aead, err := newAEAD(spec, key)
	if err != nil {
		return nil, err
	}
	p := &aeadProtection{spec: spec, aead: aead}
	copy(p.nonce[:], salt)
	copy(p.open[:], salt)
	return p, nil
}

func (p *aeadProtection) BodyLen(plain int) int {
	return p.spec.ivLen + paddedLen(plain, p.spec.block) + p.spec.icvLen
}

var errIVsSpent = errors.New("suite: all initialization vectors of this key are used")

func (p *aeadProtection) Seal(dst []byte, aadLen int, plain []byte) ([]byte, error) {
	if aadLen != len(dst) {
		return nil, errAADLen
	}
	if p.spent {
		return nil, errIVsSpent
	}
	binary.BigEndian.PutUint64(p.nonce[aeadSaltLen:], p.next)
	p.next++
	p.spent = p.next == 0

	dst = slices.Grow(dst, p.BodyLen(len(plain)))
	dst = append(dst, p.nonce[aeadSaltLen:]...)
	start := len(dst)
	dst = appendPadded(dst, plain, p.spec.block)
	return p.aead.Seal(dst[:start], p.nonce[:], dst[start:], dst[:aadLen]), nil
}

func (p *aeadProtection) Open(datagram []byte, aadLen int) ([]byte, error) {
	iv, ct, icv, err := splitBody(datagram, aadLen, p.spec.ivLen, p.spec.icvLen)
	if err != nil {
		return nil, err
	}
	copy(p.open[aeadSaltLen:], iv)
	sealed := ct[:len(ct)+len(icv)]
	plain, err := p.aead.Open(nil, p.open[:], sealed, datagram[:aadLen])
	if err != nil {
		return nil, ErrICV
	}
	return stripPadding(plain)
}
