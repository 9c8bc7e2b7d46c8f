package suite

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
	"errors"
)

const gcmTagLen = 16

// shortGCM is AES-GCM with a tag shorter than the 12 octets that crypto/cipher accepts. GCM's short tag is the beginning
// of the long one, so Seal truncates; Open decrypts by counter mode, seals the result again, and compares what is left
// of the tag. https://csrc.nist.gov/pubs/sp/800/38/d/final sections 7.1 and 7.2
type shortGCM struct {
	redacted
	block  cipher.Block
	full   cipher.AEAD
	tagLen int
}

func newShortGCM(key []byte, tagLen int) (cipher.AEAD, error) {
	block := newAES(key)
	full, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &shortGCM{block: block, full: full, tagLen: tagLen}, nil
}

func (g *shortGCM) NonceSize() int { return g.full.NonceSize() }
func (g *shortGCM) Overhead() int  { return g.tagLen }

func (g *shortGCM) Seal(dst, nonce, plaintext, aad []byte) []byte {
	out := g.full.Seal(dst, nonce, plaintext, aad)
	return out[:len(out)-gcmTagLen+g.tagLen]
}

var errGCMOpen = errors.New("suite: message authentication failed")

func (g *shortGCM) Open(dst, nonce, ciphertext, aad []byte) ([]byte, error) {
	if len(ciphertext) < g.tagLen {
		return nil, errGCMOpen
	}
	n := len(ciphertext) - g.tagLen
	ct, tag := ciphertext[:n], ciphertext[n:]

	// With a nonce of 96 bits, the first counter block of the data is nonce | 2; the one with 1 masks the tag.
	var icb [gcmTagLen]byte
	copy(icb[:], nonce)
	binary.BigEndian.PutUint32(icb[len(nonce):], 2)
	plain := make([]byte, n, n+gcmTagLen)
	cipher.NewCTR(g.block, icb[:]).XORKeyStream(plain, ct)

	again := g.full.Seal(make([]byte, 0, n+gcmTagLen), nonce, plain, aad)
	if subtle.ConstantTimeCompare(again[n:n+g.tagLen], tag) != 1 {
		clear(plain)
		return nil, errGCMOpen
	}
	return append(dst, plain...), nil
}
