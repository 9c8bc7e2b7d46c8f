package folder

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"esplanade/ike/pki/ca"
)

// Order is a certificate that is to be issued.
type Order struct {
	Request ca.Request // without its Key and CRLs
	Kind    ca.Kind    // of a new key
	Renew   bool       // also where the name has a certificate
}

// Issued is what was done for an order.
type Issued struct {
	Certificate       *x509.Certificate
	CertFile, KeyFile string // of a pair
	Bundle            string // the file of a bundle
	// OldKey: the key was there already. Completed: the certificate as well, since a run was interrupted that had issued it.
	OldKey, Completed bool
}

// FileName is what the files of a name begin with. Whatever a file system or a shell would take for something else becomes "_".
func FileName(name string) string {
	out := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_', r == '@':
			return r
		}
		return '_'
	}, name)
	if out == "" || out[0] == '.' || out[0] == '-' || strings.EqualFold(out, caName) || strings.EqualFold(out, issuedName) || strings.EqualFold(out, "revoked") {
		out = "_" + out
	}
	return out
}

// Pair issues a certificate and writes it and its key. A key that is there without a certificate is used, and a certificate that was
// issued for it already is taken, since an interrupted run has left them.
func (f *Folder) Pair(now time.Time, o Order) (Issued, error) {
	base := FileName(o.Request.CommonName)
	out := Issued{CertFile: f.file(base + crtSuffix), KeyFile: f.file(base + keySuffix)}
	if err := f.setAside(base); err != nil {
		return out, err
	}
	if err := f.wantOwn(base, o.Request.CommonName); err != nil {
		return out, err
	}
	there := f.has(base + crtSuffix)
	if there && !o.Renew {
		return out, f.taken(base+crtSuffix, o.Request.CommonName)
	}
	key, err := f.key(base)
	switch {
	case err == nil:
		out.OldKey = true
		if !there {
			if kind := ca.KindOf(key.Public()); kind != o.Kind {
				return out, fmt.Errorf("%s is there already, a key of another kind (%s) without a certificate; remove it, or ask for its kind", out.KeyFile, kind)
			}
			c, err := f.interrupted(key, o.Request)
			if err != nil {
				return out, err
			}
			if c != nil {
				out.Certificate, out.Completed = c, true
				return out, f.step.create(out.CertFile, ca.EncodeCertificate(c), modePublic)
			}
		}
	case errors.Is(err, fs.ErrNotExist) && there:
		return out, fmt.Errorf("%s is there, and its key %s is not; revoke it, and issue another one", out.CertFile, out.KeyFile)
	case errors.Is(err, fs.ErrNotExist):
		if key, err = f.newKey(base, o.Kind); err != nil {
			return out, err
		}
	default:
		return out, err
	}
	if out.Certificate, err = f.issue(now, o.Request, key); err != nil {
		return out, err
	}
	write := f.step.create
	if there {
		write = f.step.replace
	}
	return out, write(out.CertFile, ca.EncodeCertificate(out.Certificate), modePublic)
}

// BundleOf issues a certificate, and writes it with its key and the certificate of the CA into a bundle that a password opens; the key is
// nowhere else. If the name has a certificate and a key in files, these go into the bundle.
func (f *Folder) BundleOf(now time.Time, o Order, password string, legacy bool) (Issued, error) {
	base := FileName(o.Request.CommonName)
	out := Issued{Bundle: f.file(base + p12Suffix), CertFile: f.file(base + crtSuffix)}
	if err := f.setAside(base); err != nil {
		return out, err
	}
	if err := f.wantOwn(base, o.Request.CommonName); err != nil {
		return out, err
	}
	there := f.has(base + p12Suffix)
	if there && !o.Renew {
		return out, f.taken(base+p12Suffix, o.Request.CommonName)
	}
	key, err := f.key(base)
	switch {
	case err == nil && o.Renew:
		return out, fmt.Errorf("%s is there: renew the pair without --p12, then make the bundle of it", f.file(base+keySuffix))
	case err == nil:
		out.KeyFile, out.OldKey, out.Completed = f.file(base+keySuffix), true, true
		if out.Certificate, err = f.certificate(base + crtSuffix); err != nil {
			return out, fmt.Errorf("the key %s has no certificate (%w); issue it without --p12 first", out.KeyFile, err)
		}
		if !ca.Fits(out.Certificate, key) {
			return out, fmt.Errorf("%s is not the key of %s; revoke the certificate, and issue another one", out.KeyFile, out.CertFile)
		}
	case errors.Is(err, fs.ErrNotExist):
		// A certificate that is there without a bundle is one whose key has gone with an interrupted run.
		if key, err = ca.GenerateKey(o.Kind); err != nil {
			return out, err
		}
		if out.Certificate, err = f.issue(now, o.Request, key); err != nil {
			return out, err
		}
		if err := f.step.replace(out.CertFile, ca.EncodeCertificate(out.Certificate), modePublic); err != nil {
			return out, err
		}
	default:
		return out, err
	}
	data, err := ca.Bundle(key, out.Certificate, f.ca, password, legacy)
	if err != nil {
		return out, err
	}
	write := f.step.create
	if there {
		write = f.step.replace
	}
	return out, write(out.Bundle, data, modeSecret)
}

// taken is the error about a file that is there.
func (f *Folder) taken(file, name string) error {
	return fmt.Errorf("%s is there already; --renew issues another certificate in its place, and `esplanade pki revoke %s` ends it", f.file(file), shellWord(name))
}

// wantOwn refuses a name whose files are those of another: two names may differ only in what no file name has.
func (f *Folder) wantOwn(base, name string) error {
	c, err := f.certificate(base + crtSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && c.Subject.CommonName != name {
		err = fmt.Errorf("%s is the certificate of %q, and the files of %q would have the same names; choose another name", f.file(base+crtSuffix), c.Subject.CommonName, name)
	}
	return err
}

// shellWord is a word of a command line.
func shellWord(s string) string {
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_@") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// newKey makes a key and its file.
func (f *Folder) newKey(base string, kind ca.Kind) (crypto.Signer, error) {
	key, err := ca.GenerateKey(kind)
	if err != nil {
		return nil, err
	}
	data, err := ca.EncodeKey(key)
	if err != nil {
		return nil, err
	}
	return key, f.step.create(f.file(base+keySuffix), data, modeSecret)
}

// issue makes a certificate and records it: from then on it is in the list.
func (f *Folder) issue(now time.Time, r ca.Request, key crypto.Signer) (*x509.Certificate, error) {
	a, err := f.Authority()
	if err != nil {
		return nil, err
	}
	r.Key = key.Public()
	if r.CRLs, err = f.uris(); err != nil {
		return nil, err
	}
	c, err := a.Issue(now, r)
	if err != nil {
		return nil, err
	}
	return c, f.record(c)
}

// interrupted is the certificate that was issued for a key whose file of a certificate is not there. One that asks for something else
// than the order does is not it.
func (f *Folder) interrupted(key crypto.Signer, r ca.Request) (*x509.Certificate, error) {
	all, err := f.Issued()
	if err != nil {
		return nil, err
	}
	revoked, err := f.Revoked()
	if err != nil {
		return nil, err
	}
	for _, c := range slices.Backward(all) {
		if _, gone := revoked.Find(c.SerialNumber); !gone && ca.Fits(c, key) && ca.RoleOf(c) == r.Role && hasNames(c, r.Names) {
			return c, nil
		}
	}
	return nil, nil
}

// hasNames reports whether a certificate has the names of an order.
func hasNames(c *x509.Certificate, n ca.Names) bool {
	for _, ip := range n.IPs {
		if !slices.ContainsFunc(c.IPAddresses, func(x net.IP) bool { return bytes.Equal(x, ip.AsSlice()) }) {
			return false
		}
	}
	has := func(list []string, want []string) bool {
		return !slices.ContainsFunc(want, func(s string) bool { return !slices.Contains(list, s) })
	}
	return len(c.IPAddresses) == len(n.IPs) && has(c.DNSNames, n.DNS) && has(c.EmailAddresses, n.Emails)
}

// uris are the places from which the CRL can be fetched.
func (f *Folder) uris() ([]string, error) {
	data, err := f.read(urisName)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
		return nil, err
	}
	return strings.Fields(string(data)), nil
}

// setAside moves the files of a certificate away that was revoked, as revoking it would have, had it not been interrupted.
func (f *Folder) setAside(base string) error {
	revoked, err := f.Revoked()
	if err != nil {
		return err
	}
	c, err := f.certificate(base + crtSuffix)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	if _, gone := revoked.Find(c.SerialNumber); !gone {
		return nil
	}
	return f.putAway(base, c)
}

// putAway moves the files of a name into the folder for what was revoked. The certificate goes last: as long as it is there, the next
// run finds that it has to go on.
func (f *Folder) putAway(base string, c *x509.Certificate) error {
	if err := os.Mkdir(f.file(revokedDir), modeFolder); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	for _, suffix := range []string{p12Suffix, keySuffix, crtSuffix} {
		if err := f.step.move(f.file(base+suffix), f.file(filepath.Join(revokedDir, ca.FormatSerial(c.SerialNumber)+suffix))); err != nil {
			return err
		}
	}
	return nil
}
