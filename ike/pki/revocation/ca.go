package revocation

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"

	"esplanade/ike/pki"
)

// ca is a CA by its name and its key, whichever certificates it has.
type ca [sha256.Size]byte

func caOf(c *x509.Certificate) ca {
	h := sha256.New()
	h.Write(c.RawSubject) // DER says where it ends
	h.Write(c.RawSubjectPublicKeyInfo)
	var k ca
	h.Sum(k[:0])
	return k
}

func (k ca) text() string { return hex.EncodeToString(k[:16]) }

// issuerOf is the name of a list's CA in a message.
func issuerOf(l *x509.RevocationList) string {
	return pki.Subject(&x509.Certificate{Subject: l.Issuer, RawSubject: l.RawIssuer})
}
