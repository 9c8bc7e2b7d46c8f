package files

import (
	"crypto"
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// parsePKCS8 reads a PrivateKeyInfo, RFC 5958.
func parsePKCS8(der []byte) (crypto.Signer, *Error) {
	algorithm, octets, ok := privateKeyInfo(der)
	if !ok {
		return nil, malformed("has a private key whose encoding is broken").with("write it again")
	}
	switch algorithm {
	case oidEd448:
		return parseEd448(octets)
	case oidX25519, oidX448:
		return nil, unsupportedKey("X25519 or X448, which is for key exchanges")
	case oidDSA:
		return nil, unsupportedKey("DSA")
	case oidRSAPSS:
		return parseRSAPSS(octets)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	return keyResult(key, err)
}

// The algorithms of private keys, by their dotted names, that are looked at here.
const (
	oidX25519 = "1.3.101.110"
	oidX448   = "1.3.101.111"
	oidEd448  = "1.3.101.113"
	oidDSA    = "1.2.840.10040.4.1"
	oidRSAPSS = "1.2.840.113549.1.1.10"
)

// privateKeyInfo takes a PrivateKeyInfo apart: the algorithm, and the octets of the key.
func privateKeyInfo(der []byte) (algorithm string, octets []byte, ok bool) {
	in := cryptobyte.String(der)
	var info, id, key cryptobyte.String
	var version uint
	if !in.ReadASN1(&info, asn1.SEQUENCE) || !in.Empty() || !info.ReadASN1Integer(&version) || version > 1 ||
		!info.ReadASN1(&id, asn1.SEQUENCE) || !info.ReadASN1(&key, asn1.OCTET_STRING) {
		return "", nil, false
	}
	algorithm, ok = readOID(&id)
	return algorithm, key, ok
}

// parseRSAPSS reads an RSA key that is marked as one for PSS only (id-RSASSA-PSS, RFC 4055 section 1.2): the key itself is the same.
// That it is used for PSS only is up to whoever signs with it, by the certificate.
func parseRSAPSS(octets []byte) (crypto.Signer, *Error) {
	k, err := x509.ParsePKCS1PrivateKey(octets)
	return keyResult(k, err)
}
