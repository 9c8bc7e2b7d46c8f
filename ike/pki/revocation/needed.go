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
)

// String names it.
func (k Kind) String() string {
	if k == OCSP {
		return "OCSP"
	}
	return "CRL"
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
	// Request is the DER of the OCSPRequest.
	Request []byte
}
