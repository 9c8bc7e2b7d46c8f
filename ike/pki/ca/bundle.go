package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"

	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

// bundleIterations is how often a password is hashed: enough to make guesses expensive, little enough for a phone to open it at once.
const bundleIterations = 50_000

// Bundle is a PKCS#12 file (RFC 7292) with a key, its certificate and that of the CA, for phones and laptops. It is encrypted with
// AES-256. legacy is for systems that cannot read that, such as Windows before Server 2019: TripleDES and SHA-1, which every system
// reads, and which protect the key less.
func Bundle(key crypto.Signer, c, issuer *x509.Certificate, password string, legacy bool) ([]byte, error) {
	e := pkcs12.Modern2023
	if legacy {
		e = pkcs12.LegacyDES
	}
	return e.WithIterations(bundleIterations).Encode(key, c, []*x509.Certificate{issuer}, password)
}

// passwordLetters has no two letters that look alike, and exactly 32 of them: five bits each.
const passwordLetters = "abcdefghjkmnpqrstuvwxyz123456789"

// passwordLength letters make 125 bits.
const passwordLength = 25

// NewPassword is a random password that can be typed on a phone: five groups of five letters.
func NewPassword() string {
	b := make([]byte, passwordLength)
	rand.Read(b) // which never fails
	var out []byte
	for i, x := range b {
		if i > 0 && i%5 == 0 {
			out = append(out, '-')
		}
		out = append(out, passwordLetters[x%byte(len(passwordLetters))])
	}
	return string(out)
}
