package pki

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
)

// The last arcs of the extensions of id-ce, 2.5.29 (RFC 5280, section 4.2), that are looked at here.
const (
	oidKeyUsage        = 15
	oidSubjectAltName  = 17
	oidNameConstraints = 30
)

// extension is the extension of id-ce with this last arc, or nil.
func extension(c *x509.Certificate, arc int) []byte {
	for _, e := range c.Extensions {
		if slices.Equal(e.Id, asn1.ObjectIdentifier{2, 5, 29, arc}) {
			return e.Value
		}
	}
	return nil
}

func hasExtension(c *x509.Certificate, arc int) bool { return extension(c, arc) != nil }
