package files

import (
	"crypto/x509"
	"fmt"

	"esplanade/ike/pki"
)

// The most that is read, in bytes and in number.
const (
	// MaxCertificates is for a file with certificates: the bundle of all public CAs is a quarter of a megabyte.
	MaxCertificates = 4 << 20
	// MaxKey is for a file with a key or a bundle.
	MaxKey = 256 << 10
	// MaxCRL is for a file with revocation lists.
	MaxCRL = 32 << 20
	// maxPerFile is the number of certificates, lists or keys.
	maxPerFile = 1024
)

// Certificates reads the certificates of a file, in their order: one in DER, or any number in PEM with any text around them.
// Keys that stand among them, as in a file that has everything, are passed over; everything else is an error. That they are
// wanted, valid or of one chain is not looked at.
func Certificates(data []byte) ([]*x509.Certificate, error) {
	if len(data) > MaxCertificates {
		return nil, tooLarge(MaxCertificates)
	}
	blocks, bad := pemBlocks(data)
	if bad != nil {
		return nil, bad
	}
	var out []*x509.Certificate
	for _, b := range blocks {
		switch {
		case b.kind == KindCertificate:
			c, err := certificate(b.Bytes)
			if err != nil {
				err.What += fmt.Sprintf(" (line %d)", b.line)
				return nil, err
			}
			if len(out) == maxPerFile {
				return nil, &Error{Reason: TooLarge, What: fmt.Sprintf("has more than %d certificates", maxPerFile)}
			}
			out = append(out, c)
		case b.kind.Private(), b.kind == KindSPKI, b.kind == KindParameters:
			// a file with everything
		default:
			return nil, insteadOf(b, aCertificate)
		}
	}
	switch {
	case len(out) > 0:
		return out, nil
	case len(blocks) > 0:
		return nil, insteadOf(blocks[0], aCertificate)
	}
	if is := identifyOther(data); is != KindCertificate {
		return nil, instead(is, aCertificate)
	}
	c, err := certificate(data)
	if err != nil {
		return nil, err
	}
	return []*x509.Certificate{c}, nil
}

// insteadOf is instead for a block of PEM.
func insteadOf(b block, asked string) *Error {
	e := instead(b.kind, asked)
	if b.kind == KindUnknown {
		e.What = fmt.Sprintf("has a block %q of PEM, not %s", printable(b.Type), asked)
	}
	return e
}

func tooLarge(most int) *Error {
	return &Error{Reason: TooLarge, What: fmt.Sprintf("has more than %d bytes", most), Want: "name a file with less in it"}
}

// certificate reads one.
func certificate(der []byte) (*x509.Certificate, *Error) {
	c, err := pki.Parse(der)
	if err != nil {
		return nil, malformed("has a certificate that can't be read: %s", reason(err))
	}
	return c, nil
}
