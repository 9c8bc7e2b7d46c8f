package ca

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// Kind is a kind of key, as a command line writes it.
type Kind string

// The kinds of keys that are made. RSA is for peers that know nothing else, as Android's own client.
const (
	KindP256    Kind = "p256"
	KindP384    Kind = "p384"
	KindRSA3072 Kind = "rsa3072"
	KindEd25519 Kind = "ed25519"
)

// Kinds are all kinds of keys, the default first.
func Kinds() []Kind { return []Kind{KindP256, KindP384, KindRSA3072, KindEd25519} }

// ParseKind reads a kind of key. The error says what there is.
func ParseKind(text string) (Kind, error) {
	var all []string
	for _, k := range Kinds() {
		if string(k) == strings.ToLower(text) {
			return k, nil
		}
		all = append(all, string(k))
	}
	return "", fmt.Errorf("%q is no kind of key; write %s", text, strings.Join(all, ", "))
}

// GenerateKey makes a private key.
func GenerateKey(kind Kind) (crypto.Signer, error) {
	switch kind {
	case KindP256:
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case KindP384:
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case KindRSA3072:
		return rsa.GenerateKey(rand.Reader, 3072)
	case KindEd25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("%q is no kind of key", kind)
}

// KindOf is the kind of a public key. It is empty for one that this package does not make.
func KindOf(key crypto.PublicKey) Kind {
	switch k := key.(type) {
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			return KindP256
		case elliptic.P384():
			return KindP384
		}
	case *rsa.PublicKey:
		if k.N.BitLen() == 3072 {
			return KindRSA3072
		}
	case ed25519.PublicKey:
		return KindEd25519
	}
	return ""
}

// The types of PEM blocks.
const (
	pemCertificate = "CERTIFICATE"
	pemKey         = "PRIVATE KEY"
)

// EncodeKey is a private key as PEM, PKCS#8 without encryption (RFC 5958).
func EncodeKey(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemKey, Bytes: der}), nil
}

// DecodeKey reads what [EncodeKey] has written.
func DecodeKey(data []byte) (crypto.Signer, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != pemKey {
		return nil, errors.New("it has no PEM block PRIVATE KEY")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("its key cannot sign")
	}
	return signer, nil
}

// EncodeCertificate is a certificate as PEM.
func EncodeCertificate(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: pemCertificate, Bytes: c.Raw})
}

// DecodeCertificate reads the first certificate of a PEM file.
func DecodeCertificate(data []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(data)
	if block == nil || block.Type != pemCertificate {
		return nil, errors.New("it has no PEM block CERTIFICATE")
	}
	return x509.ParseCertificate(block.Bytes)
}

// Fits reports whether a certificate is for a key.
func Fits(c *x509.Certificate, key crypto.Signer) bool {
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	return err == nil && bytes.Equal(spki, c.RawSubjectPublicKeyInfo)
}

// serialBits is the size of a serial number. RFC 5280 section 4.1.2.2: it "MUST be a positive integer", unique for its CA, of at most
// 20 octets; 128 random bits are never the same twice, so that two runs need not know of each other.
const serialBits = 128

// newSerial is a random serial number, greater than 0.
func newSerial() *big.Int {
	for {
		b := make([]byte, serialBits/8)
		rand.Read(b) // which never fails
		if n := new(big.Int).SetBytes(b); n.Sign() > 0 {
			return n
		}
	}
}

// FormatSerial is a serial number as files and lists have it: 32 hexadecimal digits, or more for one that is longer.
func FormatSerial(n *big.Int) string { return fmt.Sprintf("%032x", n) }

// ParseSerial reads a serial number in hexadecimal digits, also with colons between the bytes as OpenSSL prints it.
func ParseSerial(text string) (*big.Int, bool) {
	digits := strings.ToLower(strings.ReplaceAll(text, ":", ""))
	if digits == "" || strings.Trim(digits, "0123456789abcdef") != "" {
		return nil, false
	}
	return new(big.Int).SetString(digits, 16)
}
