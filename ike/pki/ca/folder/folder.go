package folder

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"esplanade/ike/pki/ca"
)

// The names in the folder.
const (
	caName      = "ca"
	crlName     = "ca.crl"
	crtSuffix   = ".crt"
	keySuffix   = ".key"
	p12Suffix   = ".p12"
	issuedName  = "issued"
	revokedName = "revoked.txt"
	revokedDir  = "revoked"
	numberName  = "crl-number"
	urisName    = "crl-uris"
	lockName    = ".lock"
)

// maxFile is how large a file here is at most: all that is written here is far smaller, but for a list of a great many revocations.
const maxFile = 16 << 20

// Folder is a folder with a CA.
type Folder struct {
	path string
	ca   *x509.Certificate
	lock *os.File // nil: only for reading
	step step
}

// Init makes a folder with a new CA. It is there whole or not at all; one that is there already is left alone, unless it is empty.
func Init(path string, a *ca.Authority, crls []string) error { return initFolder(path, a, crls, nil) }

func initFolder(path string, a *ca.Authority, crls []string, s step) (err error) {
	path = filepath.Clean(path)
	if list, err := os.ReadDir(path); err == nil && len(list) > 0 {
		if _, err := os.Lstat(filepath.Join(path, caName+crtSuffix)); err == nil {
			return fmt.Errorf("%s has a CA already; name another folder with --dir, or issue with this one", path)
		}
		return fmt.Errorf("%s is there already, and not empty; name another folder with --dir", path)
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(path), tempPrefix+filepath.Base(path)+"-*") // mode 0700
	if err != nil {
		return err
	}
	defer func() {
		if err != nil && s == nil { // a run that was killed cleans nothing up
			err = errors.Join(err, os.RemoveAll(temp))
		}
	}()
	key, err := ca.EncodeKey(a.Key)
	if err != nil {
		return err
	}
	for _, dir := range []string{issuedName, revokedDir} {
		if err := os.Mkdir(filepath.Join(temp, dir), modeFolder); err != nil {
			return err
		}
	}
	for _, f := range []struct {
		name string
		data []byte
		mode fs.FileMode
	}{
		{caName + keySuffix, key, modeSecret}, {caName + crtSuffix, ca.EncodeCertificate(a.Certificate), modePublic},
		{revokedName, ca.Revoked(nil).Encode(), modePublic}, {urisName, []byte(strings.Join(append(slices.Clone(crls), ""), "\n")), modePublic},
	} {
		if err := s.create(filepath.Join(temp, f.name), f.data, f.mode); err != nil {
			return err
		}
	}
	if err := s.before("rename %s", path); err != nil {
		return err
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) { // an empty folder, or it fails
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return err
	}
	return s.sync(filepath.Dir(path))
}

// Open opens a folder for reading.
func Open(path string) (*Folder, error) {
	f := &Folder{path: filepath.Clean(path)}
	data, err := f.read(caName + crtSuffix)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no CA in %s: make one with `esplanade pki init`, or name its folder with --dir", f.path)
		}
		return nil, err
	}
	if f.ca, err = ca.DecodeCertificate(data); err != nil {
		return nil, f.broken(caName+crtSuffix, err)
	}
	return f, nil
}

// OpenToWrite opens a folder for writing. It waits for a run that is writing; Close lets the next one in.
func OpenToWrite(path string) (*Folder, error) { return openToWrite(path, nil) }

func openToWrite(path string, s step) (*Folder, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	f.step = s
	if f.lock, err = lock(f.file(lockName)); err != nil {
		return nil, err
	}
	if err := errors.Join(s.sweep(f.path), s.sweep(f.file(issuedName))); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// Close gives the lock back.
func (f *Folder) Close() error {
	if f.lock == nil {
		return nil
	}
	return f.lock.Close()
}

// Path is where the folder is.
func (f *Folder) Path() string { return f.path }

// CA is the certificate of the CA, and CAFile where it is.
func (f *Folder) CA() *x509.Certificate { return f.ca }

// CAFile is the file with the certificate of the CA.
func (f *Folder) CAFile() string { return f.file(caName + crtSuffix) }

// CRLFile is the file with the revocation list.
func (f *Folder) CRLFile() string { return f.file(crlName) }

func (f *Folder) file(name string) string { return filepath.Join(f.path, name) }

// has reports whether there is something of that name.
func (f *Folder) has(name string) bool {
	_, err := os.Lstat(f.file(name))
	return err == nil
}

// read reads a file of the folder.
func (f *Folder) read(name string) ([]byte, error) {
	info, err := os.Stat(f.file(name))
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("%s is no file that was written here", f.file(name))
	}
	return os.ReadFile(f.file(name))
}

// broken is the error about a file that somebody else has changed: what is written here is there whole.
func (f *Folder) broken(name string, err error) error {
	return fmt.Errorf("%s cannot be read: %w; put back what was there from a backup", f.file(name), err)
}

// Authority is the CA with its key.
func (f *Folder) Authority() (*ca.Authority, error) {
	key, err := f.key(caName)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%s is not there: the CA can issue and revoke only where its key is", f.file(caName+keySuffix))
		}
		return nil, err
	}
	if !ca.Fits(f.ca, key) {
		return nil, fmt.Errorf("%s is not the key of %s; put back the one that is", f.file(caName+keySuffix), f.CAFile())
	}
	return &ca.Authority{Certificate: f.ca, Key: key}, nil
}
