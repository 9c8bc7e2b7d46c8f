package pki

import (
	"crypto/x509"
	"errors"
	"fmt"
)

// Parse reads the DER of one certificate. It refuses what is not DER, trailing bytes, an extension that is there twice
// and what is larger than the limits; the key need not be one that [PublicKey] accepts.
func Parse(der []byte) (*x509.Certificate, error) {
	if len(der) > MaxCertificate {
		return nil, fmt.Errorf("the certificate has %d bytes; at most %d are accepted", len(der), MaxCertificate)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	if len(c.Extensions) > maxExtensions {
		return nil, fmt.Errorf("the certificate has %d extensions; at most %d are accepted", len(c.Extensions), maxExtensions)
	}
	if n := (c.SerialNumber.BitLen() + 8) / 8; n > maxSerial {
		return nil, fmt.Errorf("the serial number has %d bytes; at most %d are accepted", n, maxSerial)
	}
	if c.NotAfter.Before(c.NotBefore) {
		return nil, errors.New("the certificate ends before it begins")
	}
	return c, nil
}
