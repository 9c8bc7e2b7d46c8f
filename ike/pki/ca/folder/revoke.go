package folder

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"strings"
	"time"

	"esplanade/ike/pki/ca"
)

// Revoke revokes certificates, and puts their files away. Those that are revoked already are left out of the result. The CRL is another
// step: [Folder.Refresh].
func (f *Folder) Revoke(now time.Time, list []*x509.Certificate, reason ca.Reason) (done []*x509.Certificate, err error) {
	revoked, err := f.Revoked()
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		if _, gone := revoked.Find(c.SerialNumber); !gone {
			revoked = append(revoked, ca.Revocation{Serial: c.SerialNumber, At: now, Reason: reason})
			done = append(done, c)
		}
	}
	if len(done) > 0 {
		if err := f.step.replace(f.file(revokedName), revoked.Encode(), modePublic); err != nil {
			return nil, err
		}
	}
	for _, c := range list {
		if err := f.putAwayOf(c); err != nil {
			return done, err
		}
	}
	return done, nil
}

// putAwayOf moves the files away that a certificate has, if those of its name are its own.
func (f *Folder) putAwayOf(c *x509.Certificate) error {
	base := FileName(c.Subject.CommonName)
	there, err := f.certificate(base + crtSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || there.SerialNumber.Cmp(c.SerialNumber) != 0 {
		return err
	}
	return f.putAway(base, c)
}

// Refresh writes a new CRL, with a number that is greater than that of each one before, also where the last one is no longer there.
func (f *Folder) Refresh(now time.Time, validity time.Duration) (*x509.RevocationList, error) {
	a, err := f.Authority()
	if err != nil {
		return nil, err
	}
	revoked, err := f.Revoked()
	if err != nil {
		return nil, err
	}
	number, err := f.nextNumber()
	if err != nil {
		return nil, err
	}
	der, err := a.CRL(now, revoked, number, validity)
	if err != nil {
		return nil, err
	}
	l, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, err
	}
	// The number first: if the CRL is not written then, a number is left out, and none is there twice.
	if err := f.step.replace(f.file(numberName), []byte(number.String()+"\n"), modePublic); err != nil {
		return nil, err
	}
	return l, f.step.replace(f.file(crlName), der, modePublic)
}

// nextNumber is the number of the next CRL.
func (f *Folder) nextNumber() (*big.Int, error) {
	last := new(big.Int)
	if data, err := f.read(numberName); err == nil {
		n, ok := new(big.Int).SetString(strings.TrimSpace(string(data)), 10)
		if !ok || n.Sign() < 0 {
			return nil, f.broken(numberName, fmt.Errorf("%.40q is no number", data))
		}
		last = n
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := f.CRL()
	if err != nil {
		return nil, err
	}
	if l != nil && l.Number != nil && l.Number.Cmp(last) > 0 {
		last = l.Number
	}
	return last.Add(last, big.NewInt(1)), nil
}
