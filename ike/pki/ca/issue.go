package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Role is what a certificate is for.
type Role uint8

// The roles.
const (
	Server Role = iota // a gateway: phones and laptops ask more of it than other gateways do
	Client
)

func (r Role) String() string {
	if r == Client {
		return "client"
	}
	return "server"
}

// RoleOf is the role of a certificate that has been issued here.
func RoleOf(c *x509.Certificate) Role {
	if slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) {
		return Server
	}
	return Client
}

// Day is a day of validity: 24 hours, whatever the clocks of people do.
const Day = 24 * time.Hour

const (
	// MaxServerValidity is how long the certificate of a server may be valid in all: Apple's systems refuse what is valid for more
	// than 825 days (https://support.apple.com/103769).
	MaxServerValidity = 825 * Day
	// DefaultValidity is how long a certificate is valid where nobody says.
	DefaultValidity = 365 * Day
)

// keyIPsecIKE is id-kp-ipsecIKE, and keyIKEIntermediate what Microsoft and old systems of Apple look for (1.3.6.1.5.5.8.2.2).
func keyIPsecIKE() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 17} }
func keyIKEIntermediate() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 8, 2, 2}
}

// Request is what a certificate is to have.
type Request struct {
	Role       Role
	CommonName string
	Names      Names
	Key        crypto.PublicKey
	Validity   time.Duration // 0: the default, and not beyond the end of the CA
	CRLs       []string      // where the CRL of the CA can be fetched
}

// Issue makes a certificate. What is issued holds to all that a chain is held to below this CA: it is verified before it is returned.
func (a *Authority) Issue(now time.Time, r Request) (*x509.Certificate, error) {
	if err := checkCommonName(r.CommonName); err != nil {
		return nil, err
	}
	end, err := a.end(now, r)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: r.CommonName},
		NotBefore: latest(now.Add(-skew), a.Certificate.NotBefore).UTC(), NotAfter: end.UTC(),
		// RFC 4945 section 5.1.3.2: of an IKE peer's certificate, digitalSignature is what is looked for.
		KeyUsage: x509.KeyUsageDigitalSignature, BasicConstraintsValid: true,
		DNSNames: r.Names.DNS, EmailAddresses: r.Names.Emails, CRLDistributionPoints: r.CRLs,
		// RFC 4945 section 5.1.3.12: with an EKU of another application, "such certificates MUST contain either the keyPurposeID
		// id-kp-ipsecIKE or anyExtendedKeyUsage".
		UnknownExtKeyUsage: []asn1.ObjectIdentifier{keyIPsecIKE()},
	}
	for _, ip := range r.Names.IPs {
		t.IPAddresses = append(t.IPAddresses, ip.AsSlice())
	}
	switch r.Role {
	case Server:
		if r.Names.Empty() {
			return nil, errors.New("the certificate of a server needs a DNS name or an IP address; clients do not look for it elsewhere")
		}
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
		t.UnknownExtKeyUsage = append(t.UnknownExtKeyUsage, keyIKEIntermediate())
		// Windows looks for the address of a gateway among the DNS names (docs.strongswan.org, "Windows Certificate Requirements").
		// Where the CA may not give all DNS names, an address isn't one.
		if len(a.Certificate.PermittedDNSDomains) == 0 {
			for _, ip := range r.Names.IPs {
				t.DNSNames = append(slices.Clip(t.DNSNames), ip.String())
			}
		}
	case Client:
		t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.Certificate, r.Key, a.Key)
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return c, a.verify(now, c)
}

// end is when a certificate ends.
func (a *Authority) end(now time.Time, r Request) (time.Time, error) {
	last := a.Certificate.NotAfter
	if !now.Before(last) {
		return last, fmt.Errorf("the CA %s has ended %s; make a new one", a.Certificate.Subject, last.Format(time.DateTime))
	}
	if now.Add(skew).Before(a.Certificate.NotBefore) {
		return last, fmt.Errorf("the CA %s begins to be valid %s, and the clock of this host says %s; set the clock", a.Certificate.Subject,
			a.Certificate.NotBefore.Format(time.DateTime), now.UTC().Format(time.DateTime))
	}
	switch {
	case r.Validity < 0:
		return last, errors.New("a certificate is valid for a time that is greater than 0")
	case r.Validity == 0:
		return earliest(now.Add(DefaultValidity), last), nil
	case r.Role == Server && r.Validity+skew > MaxServerValidity:
		return last, fmt.Errorf("systems of Apple refuse the certificate of a server that is valid for more than %d days; write at most %d",
			MaxServerValidity/Day, (MaxServerValidity-skew)/Day)
	case now.Add(r.Validity).After(last):
		return last, fmt.Errorf("the CA %s ends %s, before this certificate would; write at most %d days", a.Certificate.Subject,
			last.Format(time.DateTime), last.Sub(now)/Day)
	}
	return now.Add(r.Validity), nil
}

// verify holds a certificate to the CA that has signed it.
func (a *Authority) verify(now time.Time, c *x509.Certificate) error {
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate)
	_, err := c.Verify(x509.VerifyOptions{Roots: roots, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
	var invalid x509.CertificateInvalidError
	if errors.As(err, &invalid) && invalid.Reason == x509.CANotAuthorizedForThisName {
		return fmt.Errorf("the CA %s may not issue that: %s; its name constraints were set when it was made", a.Certificate.Subject, invalid.Detail)
	}
	return err
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
