package files

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"software.sslmate.com/src/go-pkcs12"
)

// Bundle is what a PKCS #12 file has.
type Bundle struct {
	Key crypto.Signer
	// Certs are the certificates: first the one of the key, then the others in their order.
	Certs []*x509.Certificate
}

// PKCS12 reads a bundle (RFC 7292) with one private key and its certificate, and any certificates of CAs. It may be encrypted in the
// old way (RC2, 3DES) or in the new one (PBES2 with AES).
//
// The iterations that it asks for are bounded as far as they stand in the clear. Those of a key within an encrypted part do not;
// who wrote them had the passphrase, and knows the private key.
func PKCS12(data, passphrase []byte) (Bundle, error) {
	b, err := bundle(data, passphrase)
	if err != nil {
		return Bundle{}, err
	}
	return b, nil
}

func bundle(data, passphrase []byte) (Bundle, *Error) {
	if len(data) > MaxKey {
		return Bundle{}, tooLarge(MaxKey)
	}
	if blocks, _ := pemBlocks(data); len(blocks) > 0 {
		return Bundle{}, insteadOf(blocks[0], aBundle)
	}
	if is := identifyOther(data); is != KindPKCS12 {
		if bytes.HasPrefix(data, []byte{0x30, 0x80}) {
			return Bundle{}, &Error{Reason: Unsupported, What: "is encoded in BER", Want: "openssl pkcs12 -in FILE -out FILE.pem, then openssl pkcs12 -export -in FILE.pem -out FILE.p12"}
		}
		return Bundle{}, instead(is, aBundle)
	}
	if !utf8.Valid(passphrase) {
		return Bundle{}, wrongPassphrase()
	}
	if costly(data, 0) {
		return Bundle{}, tooCostly().with("openssl pkcs12 -in FILE -out FILE.pem, then openssl pkcs12 -export -in FILE.pem -out FILE.p12")
	}
	key, cert, others, err := pkcs12.DecodeChain(data, string(passphrase))
	if err != nil {
		return Bundle{}, bundleError(err, len(passphrase) > 0)
	}
	signer, bad := keyResult(key, nil)
	if bad != nil {
		return Bundle{}, bad
	}
	return Bundle{Key: signer, Certs: ownFirst(signer, append([]*x509.Certificate{cert}, others...))}, nil
}

// bundleError is what an error of the decoder means.
func bundleError(err error, had bool) *Error {
	text := err.Error()
	var missing pkcs12.NotImplementedError
	switch {
	case errors.Is(err, pkcs12.ErrIncorrectPassword), errors.Is(err, pkcs12.ErrDecryption), strings.Contains(text, "no MAC in data"):
		if !had {
			return needsPassphrase()
		}
		return wrongPassphrase()
	case strings.Contains(text, "private key missing"):
		return &Error{Reason: NotThis, What: "is a PKCS #12 bundle without a private key", Want: "export it with its key"}
	case strings.Contains(text, "certificate missing"):
		return &Error{Reason: NotThis, What: "is a PKCS #12 bundle without a certificate", Want: "export it with its certificate"}
	case strings.Contains(text, "exactly one key bag"):
		return &Error{Reason: Unsupported, What: "is a PKCS #12 bundle with several private keys", Want: "export each by itself"}
	case errors.As(err, &missing), strings.Contains(text, "not supported"), strings.Contains(text, "unknown"):
		return &Error{Reason: Unsupported, What: "is a PKCS #12 bundle of a form that is not supported: " + reason(err),
			Want: "openssl pkcs12 -in FILE -out FILE.pem, then openssl pkcs12 -export -in FILE.pem -out FILE.p12"}
	}
	return malformed("is a PKCS #12 bundle that can't be read: %s", reason(err)).with("export it again")
}

// ownFirst puts the certificate of the key to the front. Some programs write those of the CAs first.
func ownFirst(key crypto.Signer, certs []*x509.Certificate) []*x509.Certificate {
	pub, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	for i, c := range certs {
		if ok && c.PublicKey != nil && pub.Equal(c.PublicKey) {
			out := []*x509.Certificate{c}
			return append(append(out, certs[:i]...), certs[i+1:]...)
		}
	}
	return certs
}

// maxDepth is how deep a bundle is looked through; real ones have 15 levels.
const maxDepth = 40

// costly reports whether anything that stands in the clear asks for too many iterations: a salt, which is an OCTET STRING, and the
// number behind it, as PBKDF2, the ciphers of PKCS #12 and its MAC have them. Octets that are DER themselves are looked through
// as well, for that is how the parts of a bundle are wrapped.
func costly(der []byte, depth int) bool {
	if depth > maxDepth {
		return true
	}
	in := cryptobyte.String(der)
	salt := false
	for !in.Empty() {
		var value cryptobyte.String
		var tag asn1.Tag
		if !in.ReadAnyASN1(&value, &tag) {
			return false // not DER: a cipher's octets
		}
		switch {
		case tag == asn1.INTEGER && salt && tooMany(value):
			return true
		case (tag == asn1.OCTET_STRING || tag&0x20 != 0) && costly(value, depth+1):
			return true
		}
		salt = tag == asn1.OCTET_STRING
	}
	return false
}

// tooMany reports whether the contents of an INTEGER are no number of iterations that is accepted.
func tooMany(value []byte) bool {
	n := uint64(0)
	for _, c := range value {
		if n = n<<8 | uint64(c); n > MaxIterations {
			return true
		}
	}
	return false
}
