package esp

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding"
	"encoding/binary"
	"errors"
	"fmt"
)

// mac is a separate integrity algorithm with its key. It is immutable, so that
// any number of workers may use it, each with its Scratch.
type mac struct {
	// For HMAC: the digest, and its states after the first block, which is the
	// key XOR ipad and opad (RFC 2104 section 4 describes keeping them).
	kind         digestKind
	inner, outer []byte
	// For AES-CMAC and AES-XCBC: block is the cipher of the chain, nil with HMAC;
	// whole and part are XORed onto the last block, depending on whether it had
	// to be padded.
	block       cipher.Block
	whole, part [blockLen]byte
}

// newMAC makes the algorithm with an IKEv2 transform ID. The key has the right
// length already.
func newMAC(id uint16, key []byte) (*mac, error) {
	switch id {
	case IntegHMACSHA1:
		return newHMAC(digestSHA1, key)
	case IntegHMACSHA256x128:
		return newHMAC(digestSHA256, key)
	case IntegHMACSHA384x192:
		return newHMAC(digestSHA384, key)
	case IntegHMACSHA512x256:
		return newHMAC(digestSHA512, key)
	case IntegAESCMAC:
		return newCMAC(key)
	case IntegAESXCBC:
		return newXCBC(key)
	}
	return nil, fmt.Errorf("esp: integrity algorithm AUTH %d is not implemented", id)
}

// newHMAC prepares HMAC. Keys of ESP are as long as the digest (RFC 4868 section
// 2.1.1), so they are never longer than its block.
func newHMAC(kind digestKind, key []byte) (*mac, error) {
	d := newDigest(kind)
	if len(key) > d.BlockSize() {
		return nil, errors.New("esp: integrity key longer than the block of its hash")
	}
	state := func(pad byte) ([]byte, error) {
		block := make([]byte, d.BlockSize())
		copy(block, key)
		for i := range block {
			block[i] ^= pad
		}
		d.Reset()
		d.Write(block)
		return d.Hash.(encoding.BinaryMarshaler).MarshalBinary()
	}
	inner, err := state(0x36)
	if err != nil {
		return nil, err
	}
	outer, err := state(0x5c)
	if err != nil {
		return nil, err
	}
	return &mac{kind: kind, inner: inner, outer: outer}, nil
}

// newCMAC prepares AES-CMAC, RFC 4493 section 2.3: the subkeys are x and x^2
// times E(K, 0), in the field with the other bit order than GCM's.
func newCMAC(key []byte) (*mac, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	m := &mac{block: b}
	var l [blockLen]byte
	b.Encrypt(l[:], l[:])
	m.whole = doubleCMAC(l)
	m.part = doubleCMAC(m.whole)
	return m, nil
}

// doubleCMAC multiplies by x in CMAC's field, in constant time.
func doubleCMAC(b [blockLen]byte) (r [blockLen]byte) {
	hi, lo := binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])
	carry := -(hi >> 63)
	binary.BigEndian.PutUint64(r[:], hi<<1|lo>>63)
	binary.BigEndian.PutUint64(r[8:], lo<<1^carry&0x87)
	return r
}

// newXCBC prepares AES-XCBC-MAC, RFC 3566 section 4: "Derive 3 128-bit keys (K1,
// K2 and K3) from the 128-bit secret key K" as the encryption of blocks of 0x01,
// 0x02 and 0x03 octets.
func newXCBC(key []byte) (*mac, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	derive := func(v byte) (k [blockLen]byte) {
		for i := range k {
			k[i] = v
		}
		b.Encrypt(k[:], k[:])
		return k
	}
	k1 := derive(1)
	chain, err := aes.NewCipher(k1[:])
	if err != nil {
		return nil, err
	}
	return &mac{block: chain, whole: derive(2), part: derive(3)}, nil
}

// sum leaves in w.mac the MAC over data and the octets of more, untruncated.
func (m *mac) sum(w *Scratch, data, more []byte) {
	if m.block != nil {
		m.sumCBC(w, data, more)
		return
	}
	d := w.digest(m.kind)
	// Restoring the states that newHMAC took of the same hash cannot fail.
	if err := d.state.UnmarshalBinary(m.inner); err != nil {
		panic("esp: BUG: " + err.Error())
	}
	d.Write(data)
	d.Write(more)
	in := d.Sum(w.mac[:0])
	if err := d.state.UnmarshalBinary(m.outer); err != nil {
		panic("esp: BUG: " + err.Error())
	}
	d.Write(in)
	d.Sum(w.mac[:0])
}

// sumCBC is sum for the MACs that are a CBC chain with a marked last block.
// len(more) is at most blockLen.
func (m *mac) sumCBC(w *Scratch, data, more []byte) {
	x := w.stream[:]
	clear(x)
	// All blocks but the last, which is never empty unless everything is.
	for len(data) > blockLen || len(data) == blockLen && len(more) > 0 {
		xorBlock(x, x, data)
		m.block.Encrypt(x, x)
		data = data[blockLen:]
	}
	n := copy(w.last[:], data)
	n += copy(w.last[n:], more)
	last := w.last[:]
	if n > blockLen {
		xorBlock(x, x, last)
		m.block.Encrypt(x, x)
		last, n = last[blockLen:], n-blockLen
	}
	mark := &m.whole
	if n < blockLen {
		last[n] = 0x80
		clear(last[n+1 : blockLen])
		mark = &m.part
	}
	xorBlock(x, x, last)
	xorBlock(x, x, mark[:])
	m.block.Encrypt(w.mac[:blockLen], x)
}
