package auth

import (
	"crypto/hmac"

	"esplanade/ike/suite"
)

// keyPad is the "17 ASCII characters without null termination" that turn a shared secret into a MAC key, so that a
// gateway need not store the secret itself. https://www.rfc-editor.org/rfc/rfc7296#section-2.15
const keyPad = "Key Pad for IKEv2"

// PSK is the AUTH value of a shared key: prf(prf(secret, "Key Pad for IKEv2"), octets).
func PSK(prf suite.PRF, secret, octets []byte) []byte {
	return prf.Sum(prf.Sum(secret, []byte(keyPad)), octets)
}

// VerifyPSK tells in constant time whether value is the AUTH value for the secret.
func VerifyPSK(prf suite.PRF, secret, octets, value []byte) bool {
	return hmac.Equal(PSK(prf, secret, octets), value)
}
