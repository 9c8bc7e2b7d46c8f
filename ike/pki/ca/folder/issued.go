package folder

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"esplanade/ike/pki/ca"
)

// maxIssued is how many certificates a folder may hold: more take a PKI of another size.
const maxIssued = 100_000

// Issued are all certificates that were issued, the oldest first.
func (f *Folder) Issued() ([]*x509.Certificate, error) {
	list, err := os.ReadDir(f.file(issuedName))
	if err != nil {
		return nil, err
	}
	if len(list) > maxIssued {
		return nil, fmt.Errorf("%s has %d files; a folder may hold %d certificates", f.file(issuedName), len(list), maxIssued)
	}
	var all []*x509.Certificate
	for _, e := range list {
		if filepath.Ext(e.Name()) != crtSuffix || strings.HasPrefix(e.Name(), tempPrefix) {
			continue
		}
		c, err := f.certificate(filepath.Join(issuedName, e.Name()))
		if err != nil {
			return nil, err
		}
		if !bytes.Equal(c.RawIssuer, f.ca.RawSubject) {
			return nil, fmt.Errorf("%s was issued by %s and not by this CA; move it away", f.file(filepath.Join(issuedName, e.Name())), c.Issuer)
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *x509.Certificate) int {
		if c := a.NotBefore.Compare(b.NotBefore); c != 0 {
			return c
		}
		return a.SerialNumber.Cmp(b.SerialNumber)
	})
	return all, nil
}

// Revoked are the revocations.
func (f *Folder) Revoked() (ca.Revoked, error) {
	data, err := f.read(revokedName)
	if err != nil {
		return nil, err // also where it is not there: without it, nobody knows what was revoked
	}
	r, err := ca.DecodeRevoked(data)
	if err != nil {
		return nil, f.broken(revokedName, err)
	}
	return r, nil
}

// CRL is the revocation list that was written last; nil if there is none.
func (f *Folder) CRL() (*x509.RevocationList, error) {
	data, err := f.read(crlName)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l, err := x509.ParseRevocationList(data)
	if err != nil {
		return nil, f.broken(crlName, err)
	}
	return l, nil
}

// ErrUnknown is the error about a name or a serial number of which nothing was issued.
var ErrUnknown = errors.New("nothing was issued for it")

// Find finds what a person calls by a name or a serial number: all certificates of a name that have not ended and are not revoked, or
// the one of a serial number, whatever has become of it.
func (f *Folder) Find(now time.Time, text string) ([]*x509.Certificate, error) {
	all, err := f.Issued()
	if err != nil {
		return nil, err
	}
	revoked, err := f.Revoked()
	if err != nil {
		return nil, err
	}
	var found []*x509.Certificate
	for _, c := range all {
		if _, gone := revoked.Find(c.SerialNumber); !gone && now.Before(c.NotAfter) && isCalled(c, text) {
			found = append(found, c)
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	if serial, ok := ca.ParseSerial(text); ok {
		for _, c := range all {
			if c.SerialNumber.Cmp(serial) == 0 {
				return []*x509.Certificate{c}, nil
			}
		}
	}
	return nil, ErrUnknown
}

// isCalled reports whether a certificate has a name.
func isCalled(c *x509.Certificate, name string) bool {
	same := func(s string) bool { return strings.EqualFold(s, name) }
	return same(c.Subject.CommonName) || slices.ContainsFunc(c.DNSNames, same) || slices.ContainsFunc(c.EmailAddresses, same)
}

// certificate reads a certificate of the folder.
func (f *Folder) certificate(name string) (*x509.Certificate, error) {
	data, err := f.read(name)
	if err != nil {
		return nil, err
	}
	c, err := ca.DecodeCertificate(data)
	if err != nil {
		return nil, f.broken(name, err)
	}
	return c, nil
}

// key reads a private key of the folder.
func (f *Folder) key(base string) (crypto.Signer, error) {
	data, err := f.read(base + keySuffix)
	if err != nil {
		return nil, err
	}
	key, err := ca.DecodeKey(data)
	if err != nil {
		return nil, f.broken(base+keySuffix, err)
	}
	return key, nil
}

// record puts a certificate among those that were issued.
func (f *Folder) record(c *x509.Certificate) error {
	return f.step.create(f.file(issuedFile(c.SerialNumber)), ca.EncodeCertificate(c), modePublic)
}

func issuedFile(serial *big.Int) string {
	return filepath.Join(issuedName, ca.FormatSerial(serial)+crtSuffix)
}
