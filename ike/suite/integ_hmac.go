package suite

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"

	"esplanade/ike/wire"
)

// hmacInteg knows HMAC-SHA1-96 (RFC 2404), with a key of 160 bits, and the algorithms of RFC 4868 section 2.1.1: the key
// is as long as the output of the hash and the ICV is half of it.
func hmacInteg(id uint16) (integAlg, bool) {
	var h func() hash.Hash
	var icvLen int
	switch id {
	case wire.AUTH_HMAC_SHA1_96:
		h, icvLen = sha1.New, 96/8
	case wire.AUTH_HMAC_SHA2_256_128:
		h, icvLen = sha256.New, 128/8
	case wire.AUTH_HMAC_SHA2_384_192:
		h, icvLen = sha512.New384, 192/8
	case wire.AUTH_HMAC_SHA2_512_256:
		h, icvLen = sha512.New, 256/8
	default:
		return integAlg{}, false
	}
	return integAlg{
		keyLen: h().Size(),
		icvLen: icvLen,
		newMAC: func(key []byte) hash.Hash { return hmac.New(h, key) },
	}, true
}
