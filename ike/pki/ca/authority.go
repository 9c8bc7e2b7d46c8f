package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"
)

// Authority is a CA with its private key. It is immutable, for any goroutine.
type Authority struct {
	Certificate *x509.Certificate
	Key         crypto.Signer
}

// skew is how much earlier than now a certificate begins to be valid, for peers whose clocks are slow.
const skew = time.Hour

// Root is what a new CA is to be.
type Root struct {
	Name     string // the common name; empty: one with a part of the key's hash, so that no two CAs have the same
	Validity time.Duration
	// PathLen is how many CAs may be below it in a chain; negative: any number.
	PathLen int
	// Permitted are the names that certificates below it may have (RFC 5280 section 4.2.1.10): DNS names with what is below
	// them, e-mail domains written as "@example.org", networks. Empty: all.
	Permitted []string
}

// NewRoot makes the certificate of a new CA, signed by its own key.
func NewRoot(now time.Time, r Root, key crypto.Signer) (*Authority, error) {
	if r.Validity <= 0 {
		return nil, errors.New("the CA has no time in which it is valid")
	}
	id, err := keyID(key)
	if err != nil {
		return nil, err
	}
	if r.Name == "" {
		r.Name = fmt.Sprintf("Esplanade CA %x", id[:4])
	}
	if err := checkCommonName(r.Name); err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: newSerial(), Subject: pkix.Name{CommonName: r.Name},
		NotBefore: now.Add(-skew).UTC(), NotAfter: now.Add(r.Validity).UTC(),
		IsCA: true, BasicConstraintsValid: true, MaxPathLen: r.PathLen, MaxPathLenZero: r.PathLen == 0,
		// RFC 5280 section 4.2.1.3: keyCertSign and cRLSign are what a CA needs that signs CRLs as well.
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: id, AuthorityKeyId: id,
	}
	for _, p := range r.Permitted {
		if err := permit(t, p); err != nil {
			return nil, err
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, err
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &Authority{c, key}, nil
}

// keyID is the identifier of a key: RFC 5280 section 4.2.1.2, the first method, the SHA-1 hash of the public key's bits.
func keyID(key crypto.Signer) ([]byte, error) {
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	bits, err := publicBits(spki)
	if err != nil {
		return nil, err
	}
	id := sha1.Sum(bits)
	return id[:], nil
}

// permit adds a name constraint to a template.
func permit(t *x509.Certificate, text string) error {
	t.PermittedDNSDomainsCritical = true // "Conforming CAs MUST mark this extension as critical" (RFC 5280 section 4.2.1.10)
	if p, err := netip.ParsePrefix(text); err == nil {
		if p != p.Masked() {
			return fmt.Errorf("the network %s has bits set behind its prefix; write %s", text, p.Masked())
		}
		t.PermittedIPRanges = append(t.PermittedIPRanges, &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())})
		return nil
	}
	if len(text) > 1 && text[0] == '@' && isDNS(text[1:]) {
		t.PermittedEmailAddresses = append(t.PermittedEmailAddresses, text[1:])
		return nil
	}
	if !isDNS(text) {
		return fmt.Errorf("%q is no DNS domain, no e-mail domain such as @example.org, and no network such as 10.0.0.0/8", text)
	}
	t.PermittedDNSDomains = append(t.PermittedDNSDomains, text)
	return nil
}

// publicBits are the bits of the public key in a SubjectPublicKeyInfo.
func publicBits(spki []byte) ([]byte, error) {
	var info struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(spki, &info); err != nil {
		return nil, err
	}
	return info.Key.RightAlign(), nil
}
