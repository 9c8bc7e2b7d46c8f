package suite

import (
	"crypto/aes"
	"crypto/cipher"
	"hash"
)

// cmac is AES-CMAC with a 128-bit key (RFC 4493). It implements hash.Hash with the full 16-octet result; the users
// truncate.
type cmac struct {
	redacted
	block  cipher.Block
	k1, k2 [aes.BlockSize]byte
	state  [aes.BlockSize]byte
	buf    [aes.BlockSize]byte // octets not yet folded in; the last block stays here until Sum
	n      int
}

// newCMAC takes a key of exactly 16 octets.
func newCMAC(key []byte) hash.Hash {
	c := &cmac{block: newAES(key)}
	// "L := AES-128(K, const_Zero)"; K1 is L doubled in GF(2^128), K2 is K1 doubled.
	// https://www.rfc-editor.org/rfc/rfc4493#section-2.3
	c.block.Encrypt(c.k1[:], c.k1[:])
	gfDouble(&c.k1)
	c.k2 = c.k1
	gfDouble(&c.k2)
	return c
}

func (c *cmac) Size() int      { return aes.BlockSize }
func (c *cmac) BlockSize() int { return aes.BlockSize }

func (c *cmac) Reset() {
	clear(c.state[:])
	clear(c.buf[:])
	c.n = 0
}

func (c *cmac) Write(p []byte) (int, error) {
	c.n = macWrite(c.block, &c.state, &c.buf, c.n, p)
	return len(p), nil
}

func (c *cmac) Sum(b []byte) []byte {
	last := c.buf
	mask := &c.k1
	if c.n < aes.BlockSize {
		padOneZeros(&last, c.n)
		mask = &c.k2
	}
	return macFinish(b, c.block, &c.state, &last, mask)
}

// gfDouble multiplies by x modulo x^128+x^7+x^2+x+1, without a branch on the secret bit shifted out.
func gfDouble(b *[aes.BlockSize]byte) {
	const rb = 0x87 // https://www.rfc-editor.org/rfc/rfc4493#section-2.3
	carry := byte(0)
	for i := aes.BlockSize - 1; i >= 0; i-- {
		next := b[i] >> 7
		b[i] = b[i]<<1 | carry
		carry = next
	}
	b[aes.BlockSize-1] ^= rb & -carry
}
