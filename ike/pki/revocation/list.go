package revocation

import (
	"crypto/x509"
	"fmt"
)

// List is a CRL as it was read from a file. Its signature is verified when it is used for the first time, since only then it is known
// who must have signed it. It is immutable.
type List struct {
	// Name is that of the file.
	Name string
	head *x509.RevocationList
}

// ReadList reads a CRL in DER.
func ReadList(name string, der []byte) (*List, error) {
	head, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, fmt.Errorf("not a CRL: %w", err)
	}
	return &List{Name: name, head: head}, nil
}

// Issuer is the distinguished name of the CA in DER.
func (l *List) Issuer() []byte { return l.head.RawIssuer }
