package files

import (
	"crypto/x509"
	"fmt"
	"strings"
)

// CRLs reads the certificate revocation lists of a file: one in DER, or any number in PEM.
func CRLs(data []byte) ([]*x509.RevocationList, error) {
	if len(data) > MaxCRL {
		return nil, tooLarge(MaxCRL)
	}
	blocks, bad := pemBlocks(data)
	if bad != nil {
		return nil, bad
	}
	var out []*x509.RevocationList
	for _, b := range blocks {
		if b.kind != KindCRL {
			return nil, insteadOf(b, aList)
		}
		l, err := list(b.Bytes)
		if err != nil {
			err.What += fmt.Sprintf(" (line %d)", b.line)
			return nil, err
		}
		if len(out) == maxPerFile {
			return nil, &Error{Reason: TooLarge, What: fmt.Sprintf("has more than %d revocation lists", maxPerFile)}
		}
		out = append(out, l)
	}
	if len(out) > 0 {
		return out, nil
	}
	if is := identifyOther(data); is != KindCRL {
		return nil, instead(is, aList)
	}
	l, err := list(data)
	if err != nil {
		return nil, err
	}
	return []*x509.RevocationList{l}, nil
}

func list(der []byte) (*x509.RevocationList, *Error) {
	l, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, malformed("has a revocation list that can't be read: %s", reason(err))
	}
	return l, nil
}

// reason is what an error of another package says, without that package's name.
func reason(err error) string {
	s := err.Error()
	for _, prefix := range []string{"x509: ", "asn1: ", "ssh: ", "pkcs12: ", "crypto/rsa: ", "crypto/ecdsa: "} {
		s = strings.TrimPrefix(s, prefix)
	}
	return printableText(s)
}

// printableText is the text of an error for one line of a message.
func printableText(s string) string {
	const most = 200
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
	if len(s) > most {
		s = s[:most] + "…"
	}
	return s
}
