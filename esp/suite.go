package esp

import (
	"errors"
	"fmt"
	"strconv"
)

// Transform IDs of the IKEv2 registry that this package implements, as used in
// [Suite].
// https://www.iana.org/assignments/ikev2-parameters/ikev2-parameters.xhtml
const (
	EncrNull             uint16 = 11 // ENCR_NULL, RFC 2410
	EncrAESCBC           uint16 = 12 // ENCR_AES_CBC, RFC 3602
	EncrAESCTR           uint16 = 13 // ENCR_AES_CTR, RFC 3686
	EncrAESGCM8          uint16 = 18 // ENCR_AES_GCM_8, RFC 4106
	EncrAESGCM12         uint16 = 19 // ENCR_AES_GCM_12, RFC 4106
	EncrAESGCM16         uint16 = 20 // ENCR_AES_GCM_16, RFC 4106
	EncrChaCha20Poly1305 uint16 = 28 // ENCR_CHACHA20_POLY1305, RFC 7634

	IntegNone           uint16 = 0  // with an AEAD
	IntegHMACSHA1       uint16 = 2  // AUTH_HMAC_SHA1_96, RFC 2404
	IntegAESXCBC        uint16 = 5  // AUTH_AES_XCBC_96, RFC 3566
	IntegAESCMAC        uint16 = 8  // AUTH_AES_CMAC_96, RFC 4494
	IntegHMACSHA256x128 uint16 = 12 // AUTH_HMAC_SHA2_256_128, RFC 4868
	IntegHMACSHA384x192 uint16 = 13 // AUTH_HMAC_SHA2_384_192, RFC 4868
	IntegHMACSHA512x256 uint16 = 14 // AUTH_HMAC_SHA2_512_256, RFC 4868
)

// Suite is what one ESP SA does with its packets. The zero value is not a suite.
type Suite struct {
	// Encr is the IKEv2 transform ID of the encryption algorithm.
	Encr uint16
	// KeyBits is the Key Length attribute: 128, 192 or 256 for AES; 0 for
	// algorithms with one key size (256 is taken for ChaCha20 as well).
	KeyBits int
	// Integ is the IKEv2 transform ID of the integrity algorithm, 0 with an AEAD.
	Integ uint16
	// ESN says that sequence numbers are 64 bits long (RFC 4303 section 2.2.1).
	ESN bool
}

// method is the way of encrypting, the type that the fast path switches on.
type method uint8

const (
	methodAEAD method = iota // crypto and ICV in one call
	methodGCM8               // AES-GCM with an ICV shorter than crypto/cipher has
	methodCBC
	methodCTR
	methodNull
)

// espec is what is fixed by an encryption transform ID.
type espec struct {
	name    string
	method  method
	aes     bool // needs KeyBits
	keyLen  int  // octets, without salt; from KeyBits if aes
	saltLen int  // octets at the end of the key in KEYMAT
	ivLen   int
	icvLen  int // 0: needs a separate integrity algorithm
	align   int // what payload, padding, pad length and next header are a multiple of
}

// ispec is what is fixed by an integrity transform ID.
type ispec struct {
	name           string
	keyLen, icvLen int
}

// RFC 4303 section 2.4: the Pad Length and Next Header fields "must be right
// aligned within a 4-byte word"; only CBC has larger blocks.
func encryption(id uint16) (espec, bool) {
	switch id {
	case EncrAESGCM16:
		return espec{name: "AES_GCM_16", method: methodAEAD, aes: true, saltLen: 4, ivLen: 8, icvLen: 16, align: 4}, true
	case EncrAESGCM12:
		return espec{name: "AES_GCM_12", method: methodAEAD, aes: true, saltLen: 4, ivLen: 8, icvLen: 12, align: 4}, true
	case EncrAESGCM8:
		return espec{name: "AES_GCM_8", method: methodGCM8, aes: true, saltLen: 4, ivLen: 8, icvLen: 8, align: 4}, true
	case EncrChaCha20Poly1305:
		return espec{name: "CHACHA20_POLY1305", method: methodAEAD, keyLen: 32, saltLen: 4, ivLen: 8, icvLen: 16, align: 4}, true
	case EncrAESCBC:
		return espec{name: "AES_CBC", method: methodCBC, aes: true, ivLen: 16, align: 16}, true
	case EncrAESCTR:
		return espec{name: "AES_CTR", method: methodCTR, aes: true, saltLen: 4, ivLen: 8, align: 4}, true
	case EncrNull:
		return espec{name: "NULL", method: methodNull, align: 4}, true
	}
	return espec{}, false
}

func integrity(id uint16) (ispec, bool) {
	switch id {
	case IntegHMACSHA1:
		return ispec{name: "HMAC_SHA1_96", keyLen: 20, icvLen: 12}, true
	case IntegAESXCBC:
		return ispec{name: "AES_XCBC_96", keyLen: 16, icvLen: 12}, true
	case IntegAESCMAC:
		return ispec{name: "AES_CMAC_96", keyLen: 16, icvLen: 12}, true
	case IntegHMACSHA256x128:
		return ispec{name: "HMAC_SHA2_256_128", keyLen: 32, icvLen: 16}, true
	case IntegHMACSHA384x192:
		return ispec{name: "HMAC_SHA2_384_192", keyLen: 48, icvLen: 24}, true
	case IntegHMACSHA512x256:
		return ispec{name: "HMAC_SHA2_512_256", keyLen: 64, icvLen: 32}, true
	}
	return ispec{}, false
}

// resolve looks the suite up. The espec returned is complete: keyLen and icvLen
// are those of this suite.
func (s Suite) resolve() (espec, ispec, error) {
	e, ok := encryption(s.Encr)
	if !ok {
		return e, ispec{}, fmt.Errorf("esp: encryption algorithm ENCR %d is not implemented", s.Encr)
	}
	switch {
	case e.aes && s.KeyBits != 128 && s.KeyBits != 192 && s.KeyBits != 256:
		return e, ispec{}, fmt.Errorf("esp: %s needs a key length of 128, 192 or 256 bits, not %d", e.name, s.KeyBits)
	case e.aes:
		e.keyLen = s.KeyBits / 8
	case s.KeyBits != 0 && s.KeyBits != 8*e.keyLen:
		return e, ispec{}, fmt.Errorf("esp: %s has no key length of %d bits", e.name, s.KeyBits)
	}
	if s.Integ == IntegNone {
		if e.icvLen == 0 {
			return e, ispec{}, errors.New("esp: " + e.name + " needs an integrity algorithm")
		}
		return e, ispec{}, nil
	}
	if e.icvLen != 0 {
		return e, ispec{}, errors.New("esp: " + e.name + " takes no separate integrity algorithm")
	}
	i, ok := integrity(s.Integ)
	if !ok {
		return e, i, fmt.Errorf("esp: integrity algorithm AUTH %d is not implemented", s.Integ)
	}
	e.icvLen = i.icvLen
	return e, i, nil
}

// KeyLen returns the octets of key material that one direction of the suite
// takes from KEYMAT: first encr, which includes the salt or nonce at its end
// (RFC 4106 section 8.1, RFC 3686 section 5.1, RFC 7634 section 2), then integ.
// The error says what of the suite is not implemented.
func (s Suite) KeyLen() (encr, integ int, err error) {
	e, i, err := s.resolve()
	if err != nil {
		return 0, 0, err
	}
	return e.keyLen + e.saltLen, i.keyLen, nil
}

// Supported reports whether SAs of this suite can be made.
func (s Suite) Supported() bool {
	_, _, err := s.resolve()
	return err == nil
}

// HeaderLen returns the octets before the ciphertext: SPI, sequence number and
// IV. It is 0 for a suite that is not implemented.
func (s Suite) HeaderLen() int {
	e, _, err := s.resolve()
	if err != nil {
		return 0
	}
	return headerLen + e.ivLen
}

// Overhead returns the octets that ESP adds to a payload of the given length:
// SPI, sequence number, IV, padding, pad length, next header and ICV. It is 0
// for a suite that is not implemented.
func (s Suite) Overhead(payload int) int {
	e, _, err := s.resolve()
	if err != nil {
		return 0
	}
	return headerLen + e.ivLen + padLen(payload, e.align) + trailerLen + e.icvLen
}

// MaxPayload returns the longest payload whose ESP packet fits into space
// octets (what is left after the outer IP and UDP headers), 0 if there is none.
func (s Suite) MaxPayload(space int) int {
	e, _, err := s.resolve()
	if err != nil {
		return 0
	}
	n := space - headerLen - e.ivLen - e.icvLen
	if n < e.align {
		return 0
	}
	return n - n%e.align - trailerLen
}

// String names the suite as IANA does: "AES_GCM_16-256/EXT_SEQ",
// "AES_CBC-128/HMAC_SHA2_256_128/NO_EXT_SEQ".
func (s Suite) String() string {
	var b []byte
	if e, ok := encryption(s.Encr); ok {
		b = append(b, e.name...)
	} else {
		b = strconv.AppendUint(append(b, "ENCR "...), uint64(s.Encr), 10)
	}
	if s.KeyBits != 0 {
		b = strconv.AppendInt(append(b, '-'), int64(s.KeyBits), 10)
	}
	if s.Integ != IntegNone {
		if i, ok := integrity(s.Integ); ok {
			b = append(append(b, '/'), i.name...)
		} else {
			b = strconv.AppendUint(append(b, "/AUTH "...), uint64(s.Integ), 10)
		}
	}
	if s.ESN {
		return string(append(b, "/EXT_SEQ"...))
	}
	return string(append(b, "/NO_EXT_SEQ"...))
}
