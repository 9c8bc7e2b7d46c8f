package suite

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"

	"esplanade/ike/wire"
)

// hmacPRF knows the PRFs of RFC 2104 and RFC 4868 section 2.1.2: HMAC with the whole output and keys of the length of
// the output.
func hmacPRF(id uint16) (PRF, bool) {
	var h func() hash.Hash
	switch id {
	case wire.PRF_HMAC_SHA1:
		h = sha1.New
	case wire.PRF_HMAC_SHA2_256:
		h = sha256.New
	case wire.PRF_HMAC_SHA2_384:
		h = sha512.New384
	case wire.PRF_HMAC_SHA2_512:
		h = sha512.New
	default:
		return PRF{}, false
	}
	size := h().Size()
	return PRF{
		id:      id,
		size:    size,
		keySize: size,
		newMAC:  func(key []byte) hash.Hash { return hmac.New(h, key) },
	}, true
}
