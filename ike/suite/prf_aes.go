package suite

import (
	"crypto/aes"
	"hash"

	"esplanade/ike/wire"
)

// aesPRFKeySize is the key, and the output, of both PRFs made of AES-128.
const aesPRFKeySize = 16

// aesPRF knows AES-XCBC-PRF-128 (RFC 4434) and AES-CMAC-PRF-128 (RFC 4615). They differ in what they do with a key
// that is not 16 octets long, such as a pre-shared key.
func aesPRF(id uint16) (PRF, bool) {
	p := PRF{id: id, size: aes.BlockSize, keySize: aesPRFKeySize, fixedKeySize: aesPRFKeySize}
	switch id {
	case wire.PRF_AES128_XCBC:
		p.newMAC = newXCBCPRF
	case wire.PRF_AES128_CMAC:
		p.newMAC = newCMACPRF
	default:
		return PRF{}, false
	}
	return p, true
}

// newXCBCPRF takes a key of any length.
//
// A shorter key is padded with zero bits at its end; a longer one is replaced by its AES-XCBC-PRF-128 under a key of
// 128 zero bits. https://www.rfc-editor.org/rfc/rfc4434#section-2
func newXCBCPRF(key []byte) hash.Hash {
	var k [aesPRFKeySize]byte
	if len(key) <= len(k) {
		copy(k[:], key)
	} else {
		m := newXCBC(k[:])
		m.Write(key)
		m.Sum(k[:0])
	}
	return newXCBC(k[:])
}

// newCMACPRF takes a key of any length. Unlike XCBC it also hashes keys that are too short.
//
// A key VK of exactly 128 bits is used as it is; any other becomes AES-CMAC(0^128, VK, VKlen).
// https://www.rfc-editor.org/rfc/rfc4615#section-3
func newCMACPRF(key []byte) hash.Hash {
	var k [aesPRFKeySize]byte
	if len(key) == len(k) {
		return newCMAC(key)
	}
	m := newCMAC(k[:])
	m.Write(key)
	m.Sum(k[:0])
	return newCMAC(k[:])
}
