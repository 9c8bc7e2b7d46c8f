package suite

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"hash"
)

// xcbc is AES-XCBC-MAC with a 128-bit key (RFC 3566 section 4), a CBC-MAC whose last block is masked with one of two
// derived keys so that messages of any length are safe. It implements hash.Hash with the full 16-octet result; the
// users truncate.
type xcbc struct {
	redacted
	block  cipher.Block // keyed with K1
	k2, k3 [aes.BlockSize]byte
	state  [aes.BlockSize]byte // E[i]
	buf    [aes.BlockSize]byte // octets not yet folded in; the last block stays here until Sum
	n      int
}

// newXCBC takes a key of exactly 16 octets.
func newXCBC(key []byte) hash.Hash {
	base := newAES(key)
	var k1 [aes.BlockSize]byte
	x := &xcbc{}
	// "K1 = 0x01010101010101010101010101010101 encrypted with Key K", likewise K2 with 0x02… and K3 with 0x03…
	// https://www.rfc-editor.org/rfc/rfc3566#section-4
	for i := range aes.BlockSize {
		k1[i], x.k2[i], x.k3[i] = 1, 2, 3
	}
	base.Encrypt(k1[:], k1[:])
	base.Encrypt(x.k2[:], x.k2[:])
	base.Encrypt(x.k3[:], x.k3[:])
	x.block = newAES(k1[:])
	clear(k1[:])
	return x
}

func (x *xcbc) Size() int      { return aes.BlockSize }
func (x *xcbc) BlockSize() int { return aes.BlockSize }

func (x *xcbc) Reset() {
	clear(x.state[:])
	clear(x.buf[:])
	x.n = 0
}

func (x *xcbc) Write(p []byte) (int, error) {
	x.n = macWrite(x.block, &x.state, &x.buf, x.n, p)
	return len(p), nil
}

func (x *xcbc) Sum(b []byte) []byte {
	last := x.buf
	mask := &x.k2
	if x.n < aes.BlockSize {
		// "If the blocksize of M[n] is less than 128 bits: Pad M[n] with a single "1" bit, followed by the number of
		// "0" bits … required", then K3 instead of K2. https://www.rfc-editor.org/rfc/rfc3566#section-4
		padOneZeros(&last, x.n)
		mask = &x.k3
	}
	return macFinish(b, x.block, &x.state, &last, mask)
}

// macWrite folds p into a CBC-MAC that always keeps the last, possibly complete, block back in buf, where n octets
// wait. It returns the new n.
func macWrite(block cipher.Block, state, buf *[aes.BlockSize]byte, n int, p []byte) int {
	for len(p) > 0 {
		if n == aes.BlockSize {
			subtle.XORBytes(state[:], state[:], buf[:])
			block.Encrypt(state[:], state[:])
			n = 0
		}
		c := copy(buf[n:], p)
		n += c
		p = p[c:]
	}
	return n
}

// macFinish appends E(state ^ last ^ mask) to b.
func macFinish(b []byte, block cipher.Block, state, last, mask *[aes.BlockSize]byte) []byte {
	var out [aes.BlockSize]byte
	subtle.XORBytes(out[:], state[:], last[:])
	subtle.XORBytes(out[:], out[:], mask[:])
	block.Encrypt(out[:], out[:])
	return append(b, out[:]...)
}

// padOneZeros pads the n octets in b with a one bit and zeros.
func padOneZeros(b *[aes.BlockSize]byte, n int) {
	b[n] = 0x80
	clear(b[n+1:])
}

// newAES is for keys whose length the caller has fixed already.
func newAES(key []byte) cipher.Block {
	b, err := aes.NewCipher(key)
	if err != nil {
		panic("BUG: suite: " + err.Error())
	}
	return b
}
