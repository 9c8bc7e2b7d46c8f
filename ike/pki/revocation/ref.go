package revocation

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/big"
	"time"

	"esplanade/ike/pki"
)

// Ref names a certificate by its CA and its serial number, as CRLs and OCSP do. It is what is kept of a peer's chain after the peer was let
// in, since it is much smaller than the chain.
type Ref struct {
	// CA is a hash of the CA's name and key.
	CA [sha256.Size]byte
	// Serial is the content of the INTEGER.
	Serial string
	// Subject is the name of the certificate for people. It may be empty.
	Subject string
}

// Refs are those of a chain, end first and anchor last, but that of the anchor.
func Refs(chain []*x509.Certificate) (list []Ref) {
	for i := range len(chain) - 1 {
		list = append(list, Ref{CA: caOf(chain[i+1]), Serial: string(serialOctets(chain[i])), Subject: pki.Subject(chain[i])})
	}
	return list
}

// bare is a Ref without what is for people.
func (r Ref) bare() Ref { return Ref{CA: r.CA, Serial: r.Serial} }

// Number is the serial number for people, as [pki.Serial] writes it.
func (r Ref) Number() string {
	return pki.Serial(&x509.Certificate{SerialNumber: new(big.Int).SetBytes([]byte(r.Serial))})
}

// Withdrawn says that a certificate by which a peer was let in is known as revoked now.
type Withdrawn struct {
	Ref
	// Issuer is the name of its CA.
	Issuer string
	// By, At and Reason are as those of a [State].
	By     string
	At     time.Time
	Reason Reason
}

// Error names the certificate, and what it is known from.
func (w *Withdrawn) Error() string {
	return fmt.Sprintf("the certificate with the serial number %s, issued by %q, was revoked at %s%s, says %s", w.Number(), w.Issuer, stamp(w.At), w.Reason.because(), w.By)
}
