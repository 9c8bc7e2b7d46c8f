package ca

import (
	"crypto/rand"
	"crypto/x509"
	"errors"
	"math/big"
	"time"
)

// DefaultCRLValidity is how long a CRL counts where nobody says: peers that insist on one refuse everybody afterwards.
const DefaultCRLValidity = 30 * Day

// CRL makes the revocation list of the CA (RFC 5280 section 5), as DER. Its number has to be greater than that of each one before
// (section 5.2.3).
func (a *Authority) CRL(now time.Time, revoked Revoked, number *big.Int, validity time.Duration) ([]byte, error) {
	if validity <= 0 {
		return nil, errors.New("a CRL is valid for a time that is greater than 0")
	}
	t := &x509.RevocationList{Number: number, ThisUpdate: now.Add(-skew).UTC(), NextUpdate: now.Add(validity).UTC()}
	for _, r := range revoked {
		t.RevokedCertificateEntries = append(t.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: r.Serial, RevocationTime: r.At.UTC(), ReasonCode: int(r.Reason)})
	}
	return x509.CreateRevocationList(rand.Reader, t, a.Certificate, a.Key)
}
