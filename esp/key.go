package esp

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/chacha20poly1305"
)

// key is one direction of an SA: what to do with a packet whose SPI, sequence
// number and IV are known. It is immutable and shared by all workers.
type key struct {
	method      method
	esn         bool
	header, icv int // octets before and after the ciphertext
	align       int
	salt        [saltLen]byte // with the IV, the nonce of GCM, CTR and ChaCha20
	aead        cipher.AEAD   // AES-GCM or ChaCha20-Poly1305; for GCM-8 and CTR, their engine
	block       cipher.Block  // AES
	ghash       *ghash        // GCM-8
	mac         *mac          // separate integrity
	iv          cipher.Block  // CBC, outbound: makes the IVs
}

// newKey makes the transforms of a suite from its key material, of which it
// keeps no reference.
func newKey(s Suite, encr, integ []byte) (*key, error) {
	e, i, err := s.resolve()
	if err != nil {
		return nil, err
	}
	if len(encr) != e.keyLen+e.saltLen {
		return nil, fmt.Errorf("esp: %v needs an encryption key of %d octets, not %d", s, e.keyLen+e.saltLen, len(encr))
	}
	if len(integ) != i.keyLen {
		return nil, fmt.Errorf("esp: %v needs an integrity key of %d octets, not %d", s, i.keyLen, len(integ))
	}
	k := &key{
		method: e.method,
		esn:    s.ESN,
		header: headerLen + e.ivLen,
		icv:    e.icvLen,
		align:  e.align,
	}
	encr, salt := encr[:e.keyLen], encr[e.keyLen:]
	copy(k.salt[:], salt)
	if e.aes {
		if k.block, err = aes.NewCipher(encr); err != nil {
			return nil, fmt.Errorf("esp: %v: %w", s, err)
		}
	}
	switch {
	case s.Encr == EncrChaCha20Poly1305:
		k.aead, err = chacha20poly1305.New(encr)
	case e.method == methodAEAD:
		k.aead, err = cipher.NewGCMWithTagSize(k.block, e.icvLen)
	case e.method == methodGCM8 || e.method == methodCTR:
		k.aead, err = cipher.NewGCM(k.block)
	case e.method == methodCBC:
		k.iv, err = newIVCipher(encr)
	}
	if err != nil {
		return nil, fmt.Errorf("esp: %v: %w", s, err)
	}
	if e.method == methodGCM8 {
		k.ghash = newGHASH(k.aead, k.block)
	}
	if s.Integ != IntegNone {
		if k.mac, err = newMAC(s.Integ, integ); err != nil {
			return nil, fmt.Errorf("esp: %v: %w", s, err)
		}
	}
	return k, nil
}

// ivLabel separates the key that makes IVs from all other uses of the key.
const ivLabel = "esplanade ESP AES-CBC IV"

// newIVCipher makes the cipher that turns sequence numbers into IVs of AES-CBC.
//
// RFC 3602 section 3: "The IV field MUST be the same size as the block size of
// the cipher algorithm being used. The IV MUST be chosen at random, and MUST be
// unpredictable." A counter is not, and a random number generator per packet is
// slow. NIST SP 800-38A appendix C gives the first of its two methods as: "to
// apply the forward cipher function, under the same key that is used for the
// encryption of the plaintext, to a nonce. The nonce must be a data block that is
// unique to each execution of the encryption operation. For example, the nonce
// may be a counter". The sequence number is that nonce, but the key is another
// one, derived from the encryption key: with the same key, whoever can make us
// encrypt the block that a future counter is learns the IV of that packet, which
// is why Rogaway (Evaluation of Some Blockcipher Modes of Operation, 2011) calls
// the method wrong as it stands. Under a key of its own, AES makes of counters
// what nobody can tell from random blocks; and being a permutation, it repeats no
// IV either. Nor is it what RFC 3602 forbids with "implementations MUST NOT use a
// counter or other low-Hamming distance source for IVs".
//
// The receiver takes the IV from the packet, so this concerns nobody else.
// https://www.rfc-editor.org/rfc/rfc3602#section-3
func newIVCipher(encr []byte) (cipher.Block, error) {
	h := hmac.New(sha256.New, encr)
	h.Write([]byte(ivLabel))
	return aes.NewCipher(h.Sum(nil))
}

// putIV writes the IV for a sequence number. Counter IVs are the sequence
// number itself, which Reserve hands out once per key.
//
// RFC 4106 section 3.1: "The AES-GCM-ESP IV field MUST be eight octets. For a
// given key, the IV MUST NOT repeat. The most natural way to implement this is
// with a counter". The same in RFC 3686 section 3.1 and RFC 7634 section 2.
// https://www.rfc-editor.org/rfc/rfc4106#section-3.1
func (k *key) putIV(w *Scratch, iv []byte, seq uint64) {
	switch k.method {
	case methodCBC:
		clear(w.block[:8])
		binary.BigEndian.PutUint64(w.block[8:], seq)
		k.iv.Encrypt(iv, w.block[:])
	case methodAEAD, methodGCM8, methodCTR:
		binary.BigEndian.PutUint64(iv, seq)
	case methodNull:
	}
}

// nonce sets w.nonce from the salt and the IV in the packet, RFC 4106 section 4,
// RFC 3686 section 4 and RFC 7634 section 2.
func (k *key) nonce(w *Scratch, pkt []byte) {
	*(*[saltLen]byte)(w.nonce[:]) = k.salt
	*(*[8]byte)(w.nonce[saltLen:]) = [8]byte(pkt[headerLen:])
}

// aad returns the additional data of an AEAD: the first octets of the packet, or
// with ESN a copy with the upper half of the sequence number between them (RFC
// 4106 section 5, RFC 7634 section 2.1).
func (k *key) aad(w *Scratch, pkt []byte, seq uint64) []byte {
	if !k.esn {
		return pkt[:aadLen]
	}
	*(*[4]byte)(w.aad[:]) = [4]byte(pkt)
	binary.BigEndian.PutUint64(w.aad[4:], seq)
	return w.aad[:]
}

// more returns what a separate integrity algorithm covers behind the packet: the
// upper half of an extended sequence number. RFC 4303 section 2.2.1: "If a
// separate integrity algorithm is employed, the high order bits are included in
// the implicit ESP trailer, but are not transmitted".
// https://www.rfc-editor.org/rfc/rfc4303#section-2.2.1
func (k *key) more(w *Scratch, seq uint64) []byte {
	if !k.esn {
		return nil
	}
	binary.BigEndian.PutUint32(w.aad[:4], uint32(seq>>32))
	return w.aad[:4]
}

// seal encrypts plain to dst behind the header that is there already, and puts
// the ICV after it. dst is exactly the packet. plain ends with the ESP trailer;
// it is disjoint from dst or in its place there.
func (k *key) seal(w *Scratch, dst, plain []byte, seq uint64) {
	end := k.header + len(plain)
	switch k.method {
	case methodAEAD:
		k.nonce(w, dst)
		k.aead.Seal(dst[k.header:k.header], w.nonce[:], plain, k.aad(w, dst, seq))
		return
	case methodGCM8:
		k.nonce(w, dst)
		xorCTR(w, k.aead, k.block, dst[k.header:], plain, 2)
		k.ghash.tag(w, dst[:end], k.aad(w, dst, seq))
		copy(dst[end:], w.mac[:k.icv])
		return
	case methodCBC:
		encryptCBC(w, k.block, dst[k.header:end], plain, dst[headerLen:k.header])
	case methodCTR:
		k.nonce(w, dst)
		xorCTR(w, k.aead, k.block, dst[k.header:], plain, 1)
	case methodNull:
		copy(dst[k.header:end], plain)
	}
	k.mac.sum(w, dst[:end], k.more(w, seq))
	copy(dst[end:], w.mac[:k.icv])
}

// open verifies the packet for a sequence number and decrypts it in place. It
// reports false, with the ciphertext possibly destroyed, if the ICV is wrong.
// The lengths have been checked.
func (k *key) open(w *Scratch, pkt []byte, seq uint64) (plain []byte, ok bool) {
	end := len(pkt) - k.icv
	plain = pkt[k.header:end:end]
	switch k.method {
	case methodAEAD:
		k.nonce(w, pkt)
		_, err := k.aead.Open(pkt[k.header:k.header], w.nonce[:], pkt[k.header:], k.aad(w, pkt, seq))
		return plain, err == nil
	case methodGCM8:
		k.nonce(w, pkt)
		k.ghash.tag(w, pkt[:end], k.aad(w, pkt, seq))
	case methodCBC, methodCTR, methodNull:
		k.mac.sum(w, pkt[:end], k.more(w, seq))
	}
	if subtle.ConstantTimeCompare(w.mac[:k.icv], pkt[end:]) != 1 {
		return nil, false
	}
	switch k.method {
	case methodGCM8:
		xorCTR(w, k.aead, k.block, pkt[k.header:], plain, 2)
	case methodCBC:
		decryptCBC(k.block, plain, pkt[headerLen:k.header])
	case methodCTR:
		k.nonce(w, pkt)
		xorCTR(w, k.aead, k.block, pkt[k.header:], plain, 1)
	case methodAEAD, methodNull:
	}
	return plain, true
}
