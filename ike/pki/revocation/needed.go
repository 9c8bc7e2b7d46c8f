package revocation

import "crypto/x509"

// Kind is a kind of what may have to be fetched.
type Kind uint8

// The kinds.
const (
	// CRL: a list, GET.
	CRL Kind = iota
	// OCSP: an answer, POST of [Needed.Request].
	OCSP

	// delta is a CRL that is a delta.
	delta
)

// String names it.
func (k Kind) String() string {
	if k == OCSP {
		return "OCSP"
	}
	return "CRL"
}

// MaxOctets bounds what is fetched of a kind.
func (k Kind) MaxOctets() int {
	if k == OCSP {
		return maxAnswerOctets
	}
	return maxListOctets
}

// Needed is something that would have to be fetched to know more of a certificate. It is immutable.
type Needed struct {
	Kind Kind
	// URI is where it is. Its scheme is http or https.
	URI string
	// Configured: the operator wrote the URI; it may lead to a private address.
	Configured bool
	// Certificate is the one whose state is asked for, Issuer that of the CA that signed it.
	Certificate, Issuer *x509.Certificate
	// Request is the DER of the OCSPRequest; nil for a CRL.
	Request []byte

	// delta: a delta CRL is expected there.
	delta bool
	// responders are those that the configuration trusts.
	responders []*x509.Certificate
}

// address is the URI, and whether it is the operator's: what is forbidden to an address in a certificate is not to the same one in the
// configuration.
func (n *Needed) address() string {
	if n.Configured {
		return "configured " + n.URI
	}
	return n.URI
}

// Key is what two of them have in common that the same answer is good for. The key of the CA is a part of it: what was fetched for one
// CA is of no use for another.
func (n *Needed) Key() string {
	key := n.Kind.String() + " " + n.address() + " " + string(caOf(n.Issuer).text())
	if n.Kind == OCSP {
		key += " " + string(serialOctets(n.Certificate))
	}
	return key
}
