package swanctl

import (
	"errors"
	"strings"

	"esplanade/config"
	"esplanade/config/tree"
	"esplanade/ike/pki/files"
)

// The folders of certificates, and what swanctl says of what is in them.
var certFolders = []struct {
	name string
	kind string
	flag config.CertificateFlag
}{
	{"x509", config.TypeX509, config.FlagNone},
	{"x509ca", config.TypeX509, config.FlagCA},
	{"x509ocsp", config.TypeX509, config.FlagOCSP},
	{"x509aa", config.TypeX509, config.FlagAA},
	{"x509ac", config.TypeX509AC, config.FlagNone},
	{"x509crl", config.TypeX509CRL, config.FlagNone},
	{"pubkey", "PUBKEY", config.FlagNone},
}

// keyFolders are the folders of private keys. The names of the sections of secrets with their passphrases begin alike.
var keyFolders = []string{"private", "rsa", "ecdsa", "pkcs8"}

// bundleFolder is the one with keys and certificates together.
const bundleFolder = "pkcs12"

// credentials loads what is in the folders.
func (r *folderReader) credentials(secrets *tree.Table) {
	for _, folder := range certFolders {
		for _, path := range r.files(folder.name) {
			r.certificate(path, folder.kind, folder.flag)
		}
	}
	for _, folder := range keyFolders {
		for _, path := range r.files(folder) {
			r.key(path, r.passphrase(secrets, folder, path))
		}
	}
	for _, path := range r.files(bundleFolder) {
		r.bundle(path, r.passphrase(secrets, bundleFolder, path))
	}
	for _, path := range r.files("bliss") {
		r.warnf(tree.Position{File: path}, "use a key that signs in another way", "BLISS keys are not supported, and this one is left out")
	}
}

// certificate loads a file with a certificate, a revocation list or a public key.
func (r *folderReader) certificate(path, kind string, flag config.CertificateFlag) {
	at := tree.Position{File: path}
	data, err := Disk{}.ReadFile(path, files.MaxCertificates)
	if err == nil {
		err = r.to.certificate(config.Certificate{Type: kind, Flag: flag, Data: data, At: at})
	}
	if err != nil {
		r.leftOut(at, err)
	}
}

// key loads a file with a private key.
func (r *folderReader) key(path string, passphrase []byte) {
	at := tree.Position{File: path}
	data, err := r.private(path, files.MaxKey)
	if err == nil {
		err = r.to.key(data, passphrase, at)
	}
	if err != nil {
		r.leftOut(at, err)
	}
}

// bundle loads a file with a private key and certificates.
func (r *folderReader) bundle(path string, passphrase []byte) {
	at := tree.Position{File: path}
	data, err := r.private(path, files.MaxKey)
	if err == nil {
		err = r.to.bundle(data, passphrase, at)
	}
	if err != nil {
		r.leftOut(at, err)
	}
}

// leftOut warns of a file that can't be used.
func (r *folderReader) leftOut(at tree.Position, err error) {
	what, want := "cannot be read ("+systemError(err)+")", "take the file away, or put another one in its place"
	var fe *files.Error
	if errors.As(err, &fe) {
		what = fe.What
		if fe.Want != "" {
			want = strings.ReplaceAll(fe.Want, "FILE", at.File)
		}
		if fe.Reason == files.NeedsPassphrase {
			want = "write its passphrase into a section such as secrets { private-1 { file = NAME, secret = PASSPHRASE } }, each on a line of its own"
		}
	}
	r.warnf(at, want, "this file is left out: it "+what)
}

// private reads a file that nobody else should be able to use. strongSwan does not mind, and so it is a warning.
func (r *folderReader) private(path string, most int64) ([]byte, error) {
	data, err := config.ReadPrivate(path, most)
	var fe *config.FileError
	if !errors.As(err, &fe) {
		return data, err
	}
	data, readErr := Disk{}.ReadFile(path, most)
	if readErr != nil {
		return nil, err
	}
	r.warnf(tree.Position{File: path}, fe.Want, fe.What)
	return data, nil
}
