package ipsecconf

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"path"
	"strings"
)

// maxExponent is the longest public exponent that a key may have here, in bits.
const maxExponent = 31

// publicKey is the name of the file with a public key that stands in ipsec.conf, or that this names; why says why there is none.
func (r *reader) publicKey(value, stem string) (name, why string) {
	form, rest, found := strings.Cut(value, ":")
	if !found || form != "dns" && form != "ssh" {
		form, rest = "dns", value
	}
	if low := strings.ToLower(rest); !strings.HasPrefix(low, "0s") && !strings.HasPrefix(low, "0x") {
		if form == "ssh" || path.IsAbs(rest) || printable(rest) && !strings.HasPrefix(rest, "%") {
			return r.path("certs", rest), ""
		}
		return "", "the key is looked for in the DNS there, which is not done here"
	}
	data, err := base64.StdEncoding.DecodeString(rest[2:])
	if strings.EqualFold(rest[:2], "0x") {
		data, err = hex.DecodeString(rest[2:])
	}
	if err != nil {
		return "", "it is no public key: it is cut off, or has other characters"
	}
	if form == "ssh" {
		return r.File(stem+".pub", []byte("ssh-rsa "+base64.StdEncoding.EncodeToString(data)+"\n"), false), ""
	}
	key, ok := rfc3110(data)
	if !ok {
		return "", "it is no RSA key in the form of RFC 3110"
	}
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return "", err.Error()
	}
	return r.File(stem+".pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), false), ""
}

// rfc3110 reads an RSA key: the length of the exponent in one octet, or in two behind a zero; the exponent; the modulus.
// https://www.rfc-editor.org/rfc/rfc3110#section-2
func rfc3110(b []byte) (*rsa.PublicKey, bool) {
	if len(b) < 1 {
		return nil, false
	}
	n, b := int(b[0]), b[1:]
	if n == 0 {
		if len(b) < 2 {
			return nil, false
		}
		n, b = int(b[0])<<8|int(b[1]), b[2:]
	}
	if n == 0 || len(b) < n {
		return nil, false
	}
	e, modulus := new(big.Int).SetBytes(b[:n]), new(big.Int).SetBytes(b[n:])
	if e.BitLen() > maxExponent || e.Bit(0) == 0 || e.BitLen() < 2 || modulus.BitLen() < 1024 || modulus.BitLen() > 16384 || modulus.Bit(0) == 0 {
		return nil, false
	}
	return &rsa.PublicKey{N: modulus, E: int(e.Int64())}, true
}
