package ca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"slices"
	"time"
)

// Verdict is what a native client makes of a certificate as that of a gateway, as far as it can be seen in the certificate.
type Verdict struct {
	Client string
	// Refuses are the reasons for which it refuses it; none: it accepts it.
	Refuses []string
}

// Clients judges a certificate as the native clients do that come with phones and laptops. The rules and where they are from are in
// docs/certificates.md. Whether the client trusts the CA, and calls the gateway by one of the names, is not in the certificate.
func Clients(c *x509.Certificate, now time.Time) []Verdict {
	return []Verdict{
		{"iOS, iPadOS and macOS", slices.Concat(everybody(c, now), apple(c))},
		{"Windows", slices.Concat(everybody(c, now), windows(c))},
		{"Android", slices.Concat(everybody(c, now), android(c))},
	}
}

// everybody are the reasons that all of them have.
func everybody(c *x509.Certificate, now time.Time) (out []string) {
	if now.Before(c.NotBefore) {
		out = append(out, "it is not valid yet")
	}
	if now.After(c.NotAfter) {
		out = append(out, "it has ended")
	}
	if c.KeyUsage != 0 && c.KeyUsage&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0 {
		out = append(out, "its key usage has no digital signature")
	}
	if k, ok := c.PublicKey.(*rsa.PublicKey); ok && k.N.BitLen() < 2048 {
		out = append(out, fmt.Sprintf("its RSA key has %d bits, and 2048 is the least", k.N.BitLen()))
	}
	if len(c.UnhandledCriticalExtensions) > 0 {
		out = append(out, "it has a critical extension that nobody knows")
	}
	return out
}

// appleRules is from when on a certificate has to have been issued for the rules of iOS 13 and macOS 10.15 about usage and validity.
func appleRules() time.Time { return time.Date(2019, time.July, 1, 0, 0, 0, 0, time.UTC) }

// apple are the reasons of Apple's systems: https://support.apple.com/103769.
func apple(c *x509.Certificate) (out []string) {
	if len(c.DNSNames)+len(c.IPAddresses) == 0 {
		out = append(out, "it has no name in the subjectAltName, and the common name does not count")
	}
	if weakHash(c.SignatureAlgorithm) {
		out = append(out, fmt.Sprintf("it is signed with %s, and SHA-2 is the least", c.SignatureAlgorithm))
	}
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P224() {
			out = append(out, "its key is on the curve P-224")
		}
	default:
		out = append(out, "its key is neither RSA nor ECDSA; of others nothing is promised for a server")
	}
	if !c.NotBefore.After(appleRules()) {
		return out
	}
	if !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) {
		out = append(out, "its extended key usage has no serverAuth")
	}
	if valid := c.NotAfter.Sub(c.NotBefore); valid > MaxServerValidity {
		out = append(out, fmt.Sprintf("it is valid for %d days, and %d is the most", valid/Day, MaxServerValidity/Day))
	}
	return out
}

// windows are the reasons of Windows: https://docs.strongswan.org/docs/5.9/interop/windowsCertRequirements.html, and for keys the
// parameter -Signing of New-NetIPsecAuthProposal, which has ECDSA256, ECDSA384 and RSA.
func windows(c *x509.Certificate) (out []string) {
	if !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) {
		out = append(out, "its extended key usage has no serverAuth")
	}
	if len(c.DNSNames) == 0 && c.Subject.CommonName == "" {
		if len(c.IPAddresses) > 0 {
			out = append(out, "its address is no DNS name in addition, where Windows looks for it")
		} else {
			out = append(out, "it has no name in the subjectAltName or as common name")
		}
	}
	switch k := c.PublicKey.(type) {
	case *rsa.PublicKey:
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() && k.Curve != elliptic.P384() {
			out = append(out, "its key is on another curve than P-256 and P-384")
		}
	default:
		out = append(out, "its key is neither RSA nor ECDSA")
	}
	return out
}

// android are the reasons of the client that comes with Android: its IKE module verifies signatures of RSA only
// (IkeAuthDigitalSignPayload), and looks for the identity of the gateway in the subjectAltName.
func android(c *x509.Certificate) (out []string) {
	if _, ok := c.PublicKey.(*rsa.PublicKey); !ok {
		out = append(out, "its key is not RSA, the only one that Android's own client verifies (the strongSwan app knows others)")
	}
	if len(c.DNSNames)+len(c.IPAddresses)+len(c.EmailAddresses) == 0 {
		out = append(out, "it has no name in the subjectAltName")
	}
	return out
}

func weakHash(a x509.SignatureAlgorithm) bool {
	return slices.Contains([]x509.SignatureAlgorithm{x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1}, a)
}
