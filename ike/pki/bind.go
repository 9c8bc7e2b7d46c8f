package pki

import (
	"bytes"
	"crypto/x509"

	"esplanade/ike/identity"
)

// Binds reports whether a certificate speaks for an identity.
//
//	ID_FQDN                      a dNSName of the subjectAltName, without regard to case
//	ID_RFC822_ADDR               an rfc822Name, without regard to case
//	ID_IPV4_ADDR, ID_IPV6_ADDR   an iPAddress, bit by bit
//	ID_DER_ASN1_DN               the subject, compared as RFC 5280, section 7.1, has it
//
// A name with "*" in a certificate stands for itself: "Substring, wildcard, or regular expression matching MUST NOT be
// performed for this comparison" (https://www.rfc-editor.org/rfc/rfc4945#section-3.1.2). What looks like a name or an
// address in the subject is none: "such entries MUST NOT be interpreted as identity information"
// (https://www.rfc-editor.org/rfc/rfc4945#section-3.1.9).
//
// Other identities have no place in a certificate. Patterns are no identities; see [identity.Identity.Matches].
func Binds(c *x509.Certificate, id identity.Identity) bool {
	switch id.Type {
	case identity.FQDN:
		return holdsName(c.DNSNames, id)
	case identity.RFC822Addr:
		return holdsName(c.EmailAddresses, id)
	case identity.IPv4Addr, identity.IPv6Addr:
		for _, a := range c.IPAddresses {
			if len(id.Data) > 0 && bytes.Equal(a, id.Data) {
				return true
			}
		}
	case identity.DERASN1DN:
		// "Implementations MUST NOT populate ID with the Subject from the end-entity certificate if it is empty",
		// https://www.rfc-editor.org/rfc/rfc4945#section-3.1.5
		return len(c.Subject.Names) > 0 && subjectOf(c).Equal(id)
	}
	return false
}

// IdentityIn is an identity as a certificate that speaks for it writes it, which is how its owner has to send it: "When
// generating this type, implementations MUST populate the contents of ID with the Subject field from the end-entity
// certificate, and MUST do so such that a binary comparison of the two will succeed"
// (https://www.rfc-editor.org/rfc/rfc4945#section-3.1.5). A distinguished name in a configuration doesn't say which string
// types it has. Other identities are returned as they are.
func IdentityIn(c *x509.Certificate, id identity.Identity) identity.Identity {
	if id.Type == identity.DERASN1DN && Binds(c, id) {
		return subjectOf(c)
	}
	return id
}

func holdsName(names []string, id identity.Identity) bool {
	for _, n := range names {
		if n != "" && (identity.Identity{Type: id.Type, Data: []byte(n)}).Equal(id) {
			return true
		}
	}
	return false
}

func subjectOf(c *x509.Certificate) identity.Identity {
	return identity.Identity{Type: identity.DERASN1DN, Data: c.RawSubject}
}

func issuerOf(c *x509.Certificate) identity.Identity {
	return identity.Identity{Type: identity.DERASN1DN, Data: c.RawIssuer}
}

// bindable reports whether identities of the type can be in a certificate at all.
func bindable(t identity.Type) bool {
	switch t {
	case identity.FQDN, identity.RFC822Addr, identity.IPv4Addr, identity.IPv6Addr, identity.DERASN1DN:
		return true
	}
	return false
}
