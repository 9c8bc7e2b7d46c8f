package esp

import (
	"crypto/cipher"
	"encoding/binary"
)

const (
	blockLen  = 16 // octets of an AES block
	nonceLen  = 12 // octets of the nonce of GCM and ChaCha20-Poly1305: salt and IV
	saltLen   = 4  // octets of it that come from KEYMAT
	aadLen    = 8  // SPI and sequence number
	aadLenESN = 12 // SPI and extended sequence number
)

// xorBlock sets dst to a XOR b, all of blockLen octets. They may be the same.
func xorBlock(dst, a, b []byte) {
	_, _, _ = dst[15], a[15], b[15]
	le := binary.LittleEndian
	x := le.Uint64(a) ^ le.Uint64(b)
	y := le.Uint64(a[8:]) ^ le.Uint64(b[8:])
	le.PutUint64(dst, x)
	le.PutUint64(dst[8:], y)
}

// encryptCBC encrypts src, a whole number of blocks, to dst in CBC mode. dst and
// src are the same memory or disjoint. It is the loop of crypto/cipher without
// the object that holds the chaining value: that object would have to be made
// per packet, or per SA and worker.
func encryptCBC(w *Scratch, b cipher.Block, dst, src, iv []byte) {
	for len(src) >= blockLen {
		xorBlock(w.block[:], src, iv)
		b.Encrypt(dst[:blockLen], w.block[:])
		iv = dst[:blockLen]
		dst, src = dst[blockLen:], src[blockLen:]
	}
}

// decryptCBC decrypts buf, a whole number of blocks, in place in CBC mode. Going
// from the end to the start, each block's predecessor is still ciphertext.
func decryptCBC(b cipher.Block, buf, iv []byte) {
	for end := len(buf); end >= blockLen; end -= blockLen {
		c := buf[end-blockLen : end]
		prev := iv
		if end > blockLen {
			prev = buf[end-2*blockLen : end-blockLen]
		}
		b.Decrypt(c, c)
		xorBlock(c, c, prev)
	}
}

// bulkCTR is the length from which a call of the assembly of AES-GCM is cheaper
// than block by block.
const bulkCTR = 4 * blockLen

// xorCTR encrypts or decrypts src to dst in counter mode. The counter blocks are
// w.nonce followed by a 32-bit counter that starts with ctr, 1 or 2. dst and src
// start at the same place or are disjoint; len(dst) - len(src) octets behind the
// output may be overwritten: it is where the ICV comes later, or was.
//
// crypto/cipher's CTR is an object per nonce, that is, an allocation per packet.
// But AES-GCM encrypts with exactly this key stream, from counter 2 on (NIST SP
// 800-38D section 7.1), and takes the nonce as an argument: so the bulk is
// encrypted with gcm.Seal, which is the fast assembly too, and its tag is thrown
// away. The tag needs 16 octets behind the output; where the ICV is shorter, the
// end is done block by block.
func xorCTR(w *Scratch, gcm cipher.AEAD, b cipher.Block, dst, src []byte, ctr uint32) {
	room := len(dst) - len(src)
	if ctr == 1 {
		n := min(len(src), blockLen)
		xorCTRBlocks(w, b, dst, src[:n], ctr)
		dst, src = dst[n:], src[n:]
		ctr = 2
	}
	bulk := len(src)
	if room < blockLen {
		bulk = (bulk - (blockLen - room)) &^ (blockLen - 1)
	}
	if bulk >= bulkCTR {
		tail := w.tail[:copy(w.tail[:], src[bulk:])]
		gcm.Seal(dst[:0], w.nonce[:], src[:bulk], nil)
		dst, src = dst[bulk:], tail
		ctr += uint32(bulk / blockLen)
	}
	xorCTRBlocks(w, b, dst, src, ctr)
}

// xorCTRBlocks is xorCTR without help, starting with any counter.
func xorCTRBlocks(w *Scratch, b cipher.Block, dst, src []byte, ctr uint32) {
	copy(w.block[:], w.nonce[:])
	for len(src) > 0 {
		binary.BigEndian.PutUint32(w.block[nonceLen:], ctr)
		b.Encrypt(w.stream[:], w.block[:])
		if len(src) < blockLen {
			for i := range src {
				dst[i] = src[i] ^ w.stream[i]
			}
			return
		}
		xorBlock(dst, src, w.stream[:])
		dst, src = dst[blockLen:], src[blockLen:]
		ctr++
	}
}
