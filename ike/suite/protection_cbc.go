package suite

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"slices"

	"esplanade/ike/wire"
)

// cbcSpec knows AES-CBC (RFC 3602, RFC 7296 section 3.14).
func cbcSpec(t wire.Transform) (cipherSpec, bool) {
	s := cipherSpec{id: t.ID, ivLen: aes.BlockSize, block: aes.BlockSize}
	var ok bool
	s.keyLen, ok = aesKeyLen(t.KeyLength)
	return s, ok && t.ID == wire.ENCR_AES_CBC
}

// cbcProtection encrypts with AES-CBC and authenticates the whole message with an integrity algorithm.
//
// "Integrity Checksum Data is the cryptographic checksum of the entire message starting with the Fixed IKE header
// through the Pad Length. The checksum MUST be computed over the encrypted message."
// https://www.rfc-editor.org/rfc/rfc7296#section-3.14
type cbcProtection struct {
	redacted
	spec  cipherSpec
	block cipher.Block
	mac   *integrity
}

func newCBCProtection(spec cipherSpec, key []byte, mac *integrity) *cbcProtection {
	return &cbcProtection{spec: spec, block: newAES(key), mac: mac}
}

func (p *cbcProtection) BodyLen(plain int) int {
	return p.spec.ivLen + paddedLen(plain, p.spec.block) + p.mac.icvLen
}

func (p *cbcProtection) Seal(dst []byte, aadLen int, plain []byte) ([]byte, error) {
	if aadLen != len(dst) {
		return nil, errAADLen
	}
	// "Senders MUST select a new unpredictable IV for every message".
	// https://www.rfc-editor.org/rfc/rfc7296#section-3.14
	var iv [aes.BlockSize]byte
	rand.Read(iv[:]) // never fails
	return p.seal(dst, iv[:], plain), nil
}

func (p *cbcProtection) seal(dst, iv, plain []byte) []byte {
	dst = slices.Grow(dst, p.BodyLen(len(plain)))
	dst = append(dst, iv...)
	start := len(dst)
	dst = appendPadded(dst, plain, p.spec.block)
	cipher.NewCBCEncrypter(p.block, iv).CryptBlocks(dst[start:], dst[start:])
	return p.mac.appendICV(dst)
}

func (p *cbcProtection) Open(datagram []byte, aadLen int) ([]byte, error) {
	iv, ct, _, err := splitBody(datagram, aadLen, p.spec.ivLen, p.mac.icvLen)
	if err != nil {
		return nil, err
	}
	if !p.mac.verify(datagram) {
		return nil, ErrICV
	}
	if len(ct)%p.spec.block != 0 {
		return nil, ErrPadding
	}
	plain := make([]byte, len(ct))
	cipher.NewCBCDecrypter(p.block, iv).CryptBlocks(plain, ct)
	return stripPadding(plain)
}
