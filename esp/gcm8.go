package esp

import (
	"crypto/cipher"
	"encoding/binary"
	"math/bits"
)

// ghash makes the tag of AES-GCM separately from its encryption, which
// crypto/cipher does not offer and an ICV of 8 octets needs: cipher.NewGCM
// refuses tags shorter than 12 octets, and cutting a longer tag works only when
// sealing, at the price of writing behind the packet.
//
// The tag is (NIST SP 800-38D section 7.1)
//
//	GHASH(H, A pad C pad len(A) len(C)) xor E(K, J0)
//
// A call of gcm.Seal with nothing to encrypt and A pad C as additional data runs
// over the very same blocks, and differs only in the last, the lengths:
//
//	GHASH(H, A pad C pad len(A pad C) 0) xor E(K, J0)
//
// GHASH is linear in its last block, so the two tags differ by
//
//	(len(A) xor len(A pad C), len(C)) * H
//
// and one multiplication by H corrects it. A pad takes 16 octets, exactly the
// place of SPI, sequence number and IV in front of the ciphertext. So the tag
// costs one pass of the assembly over the packet. Lengths are public, which is
// why that product may be a sum over those of their bits that are set.
type ghash struct {
	gcm cipher.AEAD // 16-octet tag
	// hi[j] and lo[j] are 2^j * H for an integer in the first and the second
	// 64-bit word of the length block.
	hi, lo [lengthBits]element
}

// lengthBits bounds the lengths, in bits, that tables exist for.
const lengthBits = 24

// element is one of GF(2^128) as two big-endian words; the coefficient of x^0 is
// the most significant bit of hi.
type element struct{ hi, lo uint64 }

// mulX returns e * x modulo x^128 + x^7 + x^2 + x + 1, in constant time.
func (e element) mulX() element {
	carry := -(e.lo & 1)
	return element{
		hi: e.hi>>1 ^ carry&(0xe1<<56),
		lo: e.lo>>1 | e.hi<<63,
	}
}

func newGHASH(gcm cipher.AEAD, b cipher.Block) *ghash {
	g := &ghash{gcm: gcm}
	var h [blockLen]byte
	b.Encrypt(h[:], h[:])
	e := element{binary.BigEndian.Uint64(h[:]), binary.BigEndian.Uint64(h[8:])}
	// Bit j of the first word is the coefficient of x^(63-j), of the second that
	// of x^(127-j).
	for i := range 128 {
		if j := 63 - i; j >= 0 && j < lengthBits {
			g.hi[j] = e
		}
		if j := 127 - i; j < lengthBits {
			g.lo[j] = e
		}
		e = e.mulX()
	}
	return g
}

// correction returns the element that turns the tag over A pad C as additional
// data into that over A and C; arguments in octets.
func (g *ghash) correction(aad, ciphertext int) element {
	var e element
	for v := uint64(aad)*8 ^ uint64(blockLen+ciphertext)*8; v != 0; v &= v - 1 {
		t := g.hi[bits.TrailingZeros64(v)]
		e.hi, e.lo = e.hi^t.hi, e.lo^t.lo
	}
	for v := uint64(ciphertext) * 8; v != 0; v &= v - 1 {
		t := g.lo[bits.TrailingZeros64(v)]
		e.hi, e.lo = e.hi^t.hi, e.lo^t.lo
	}
	return e
}

// tag leaves in w.mac[:16] the tag over the additional data aad (8 or 12 octets)
// and the ciphertext pkt[16:], for the nonce in w.nonce. pkt[:16] is replaced
// for a moment and is the same afterwards. aad may be pkt[:8].
func (g *ghash) tag(w *Scratch, pkt, aad []byte) {
	copy(w.header[:], pkt[:blockLen])
	n := copy(pkt[:blockLen], aad)
	clear(pkt[n:blockLen])
	g.gcm.Seal(w.mac[:0], w.nonce[:], nil, pkt)
	copy(pkt[:blockLen], w.header[:])

	e := g.correction(n, len(pkt)-blockLen)
	be := binary.BigEndian
	be.PutUint64(w.mac[:], be.Uint64(w.mac[:])^e.hi)
	be.PutUint64(w.mac[8:], be.Uint64(w.mac[8:])^e.lo)
}
