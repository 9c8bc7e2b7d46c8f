package config

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"esplanade/ike/pki"
	"esplanade/ike/pki/files"
)

// shelf reads the files with certificates and keys that a configuration names, each once. What is wrong with one is reported at the
// place where its name stands.
type shelf struct {
	*reader
	dir   string // of the configuration
	certs map[string][]*x509.Certificate
	// failed are the files that have been reported.
	failed map[string]bool
	// keyLost: a file that should have a private key could not be read.
	keyLost bool
	// keys are all private keys there are, in the order in which they were found.
	keys []ownKey
	// own are this gateway's certificates that [credentials] and bundles have, each with those that stood in its file.
	own []ownCert
	// cas are certificates of CAs that were loaded, and trusted those that peers are known by, wherever they do not say by which.
	cas, trusted []*x509.Certificate
	// peers are those of trusted that are not this gateway's own; nil before they were looked for.
	peers *peersOnShelf
	// known are the CAs that are known here, whatever for.
	known []*x509.Certificate
	// uses and listed are the certificates and lists that are used.
	uses   []certUse
	listed []listUse
	// contents are the hashes of the files that were read.
	contents map[string][sha256.Size]byte
	// acme is the table [credentials.acme]; nil if there is none.
	acme *ACME
	// watch are the names of all files and folders that were looked at, and the patterns.
	watch []string
}

// ownKey is a private key with where it was found.
type ownKey struct {
	named
	path   string
	signer crypto.Signer
	public crypto.PublicKey
}

// ownCert is a certificate with where it was found.
type ownCert struct {
	named
	path string
	// certs are those of its file, the end one first.
	certs []*x509.Certificate
}

func newShelf(r *reader, dir string) *shelf {
	return &shelf{reader: r, dir: dir, certs: map[string][]*x509.Certificate{}, failed: map[string]bool{}, contents: map[string][sha256.Size]byte{}}
}

// expand gives the files that a name stands for. The name of a folder stands for the files in it, and one with *, ? or [ for all that
// match, in alphabetical order; hidden files and folders within are passed over. A name alone must be one that is there.
func (s *shelf) expand(n named) (paths []string) {
	if n.at.File == OriginVICI {
		// What it is, is not shown: it may be anything.
		s.errorf(n.at, "send it as swanctl does", "%s is no certificate or key in PEM or DER: a command brings that itself, and names no file", n.key)
		return nil
	}
	path := beside(s.dir, n.text)
	s.watch = append(s.watch, path)
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		entries, err := os.ReadDir(path)
		if err != nil {
			s.errorf(n.at, "let the user that runs esplanade read it", "%s: %s", n.key, fileReason(path, err))
			return nil
		}
		for _, e := range entries {
			paths = append(paths, filepath.Join(path, e.Name()))
		}
	case err == nil:
		return []string{path}
	case strings.ContainsAny(n.text, "*?["):
		if paths, err = filepath.Glob(path); err != nil {
			s.errorf(n.at, "write a pattern such as \"certs/*.pem\"", "%s is %s, which is no pattern", n.key, quote(n.text))
			return nil
		}
		if len(paths) == 0 {
			s.warnf(n.at, "put the file there, or remove the pattern", "%s: there is no file %s", n.key, quote(path))
		}
	default:
		s.missing(n, path, err)
		return nil
	}
	slices.Sort(paths)
	return slices.DeleteFunc(paths, func(p string) bool {
		info, err := os.Stat(p)
		return strings.HasPrefix(filepath.Base(p), ".") || err == nil && info.IsDir()
	})
}

// missing reports a file that is not there, or can't be looked at.
func (s *shelf) missing(n named, path string, err error) {
	want := "write the name of a file, of a folder, or a pattern; names are looked for beside the configuration"
	switch {
	case errors.Is(err, fs.ErrPermission):
		want = "let the user that runs esplanade read it"
	case errors.Is(err, fs.ErrNotExist):
		if near, ok := neighbour(path); ok {
			want = fmt.Sprintf("did you mean %s?", quote(filepath.Join(filepath.Dir(n.text), near)))
		}
	}
	s.errorf(n.at, want, "%s: %s", n.key, fileReason(path, err))
}

// neighbour is the file in the same folder whose name is most like that of one that is not there.
func neighbour(path string) (string, bool) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return "", false
	}
	var names []string
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ".") && len(names) < maxNeighbours {
			names = append(names, e.Name())
		}
	}
	return nearest(filepath.Base(path), names)
}

// maxNeighbours is how many files are compared with the name of one that is not there.
const maxNeighbours = 1000

// public reads a file that others may read.
func (s *shelf) public(n named, path string, most int64) ([]byte, bool) {
	f, info, err := OpenRegular(path)
	if err != nil {
		s.unreadable(n, path, err)
		return nil, false
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) != min(info.Size(), most+1) {
		err = &FileError{fmt.Sprintf("%s says that it has %d bytes, and has others", quote(path), info.Size()), "if it was being written, try again"}
	}
	if err != nil {
		s.unreadable(n, path, err)
		return nil, false
	}
	s.contents[path] = sha256.Sum256(data)
	return data, true
}

// private reads a file that others must not read.
func (s *shelf) private(n named, path string) ([]byte, bool) {
	data, err := ReadPrivate(path, files.MaxKey)
	if err != nil {
		if other := s.noSecret(path); other != nil {
			s.wrong(n, path, other) // another mode would not make it a key
		} else {
			s.unreadable(n, path, err)
		}
		return nil, false
	}
	s.contents[path] = sha256.Sum256(data)
	if folder := replaceable(path); folder != "" {
		s.warnf(n.at, fmt.Sprintf("chmod o-w %s", folder), "%s: everybody can put another file in the place of %s: others can write to the directory %s",
			n.key, quote(path), quote(folder))
	}
	return data, true
}

// noSecret is what is wrong with a file that others may read, and that has nothing they must not: a certificate, for instance.
func (s *shelf) noSecret(path string) error {
	f, _, err := OpenRegular(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, files.MaxKey+1))
	if err != nil || len(data) > files.MaxKey || files.HasPrivateKey(data) {
		return nil
	}
	public := []files.Kind{files.KindCertificate, files.KindSPKI, files.KindRequest}
	if !slices.Contains(public, files.Identify(data)) {
		return nil
	}
	_, err = files.PrivateKey(data, nil)
	return err
}

// emptyFolders says of names of folders and patterns that stand for no file that they do.
func (s *shelf) emptyFolders(names []named) (text string) {
	for _, n := range names {
		if len(s.expand(n)) == 0 {
			text += ": there is no file in " + quote(beside(s.dir, n.text)) + ", which " + n.key + " names"
		}
	}
	return text
}

// unreadable reports a file that can't be read, once.
func (s *shelf) unreadable(n named, path string, err error) {
	if s.failed[path] {
		return
	}
	s.failed[path] = true
	var wrong *FileError
	switch {
	case errors.As(err, &wrong):
		s.errorf(n.at, wrong.Want, "%s: %s", n.key, wrong.What)
	default:
		s.missing(n, path, err)
	}
}

// wrong reports what is wrong with the content of a file.
func (s *shelf) wrong(n named, path string, err error) {
	if s.failed[path] {
		return
	}
	s.failed[path] = true
	var e *files.Error
	if !errors.As(err, &e) {
		s.errorf(n.at, "", "%s: %s: %v", n.key, quote(path), err)
		return
	}
	if e.Reason == files.NeedsPassphrase && strings.HasPrefix(n.key, "credentials.") {
		kind := map[bool]string{true: "pkcs12", false: "private"}[n.key == "credentials.pkcs12"]
		e = &files.Error{Reason: e.Reason, What: e.What, Want: "remove it here, and write a table [secrets." + kind + ".NAME] with file and secret, its passphrase"}
	}
	s.errorf(n.at, strings.ReplaceAll(e.Want, "FILE", path), "%s: %s %s", n.key, quote(path), e.What)
}

// isContent reports whether what stands in the place of a name is a certificate or a key itself, as swanctl's load-conn sends them.
func isContent(text string) bool {
	if strings.Contains(text, "-----BEGIN ") {
		return true
	}
	is := files.Identify([]byte(text))
	return (is == files.KindCertificate || is == files.KindSPKI) && text[0] == 0x30
}

// certificates reads the certificates that a name stands for, those of each file by themselves.
func (s *shelf) certificates(n named) (out []ownCert) {
	if isContent(n.text) {
		list, err := files.Certificates([]byte(n.text))
		if err != nil {
			s.wrong(n, "a certificate", err)
			return nil
		}
		return []ownCert{{named: n, path: n.at.String(), certs: list}}
	}
	for _, path := range s.expand(n) {
		list, ok := s.certs[path]
		if !ok {
			list = s.readCertificates(n, path)
			s.certs[path] = list
		}
		if len(list) > 0 {
			out = append(out, ownCert{named: n, path: path, certs: list})
		}
	}
	return out
}

// readCertificates reads a file. A private key that it has as well counts, and must be kept from others then.
func (s *shelf) readCertificates(n named, path string) []*x509.Certificate {
	data, ok := s.public(n, path, files.MaxCertificates)
	if !ok {
		return nil
	}
	list, err := files.Certificates(data)
	if err != nil {
		s.wrong(n, path, err)
		return nil
	}
	if files.HasPrivateKey(data) {
		if data, ok = s.private(n, path); ok {
			s.addKey(n, path, data, nil)
		}
	}
	return list
}

// publicKeys reads the public keys that a name stands for.
func (s *shelf) publicKeys(n named) (out []crypto.PublicKey) {
	read := func(path string, data []byte) {
		list, err := files.PublicKeys(data)
		if err != nil {
			s.wrong(n, path, err)
		}
		out = append(out, list...)
	}
	if isContent(n.text) {
		read("a public key", []byte(n.text))
		return out
	}
	for _, path := range s.expand(n) {
		if data, ok := s.public(n, path, files.MaxKey); ok {
			read(path, data)
		}
	}
	return out
}

// addKeys reads the private keys that a name stands for.
func (s *shelf) addKeys(n named, pass []byte) {
	before := len(s.errs)
	for _, path := range s.expand(n) {
		if data, ok := s.private(n, path); ok {
			s.addKey(n, path, data, pass)
		}
	}
	s.keyLost = s.keyLost || len(s.errs) > before
}

func (s *shelf) addKey(n named, path string, data, pass []byte) {
	if slices.ContainsFunc(s.keys, func(k ownKey) bool { return k.path == path }) {
		return
	}
	signer, err := files.PrivateKey(data, pass)
	if err != nil {
		s.wrong(n, path, err)
		return
	}
	if files.Identify(data) == files.KindLegacyEncrypted {
		s.warnf(n.at, strings.ReplaceAll("openssl pkcs8 -topk8 -v2 aes-256-cbc -in FILE -out FILE.new", "FILE", path),
			"%s: %s is encrypted in the old way of PEM, in which passphrases are tried fast", n.key, quote(path))
	}
	s.keys = append(s.keys, ownKey{named: n, path: path, signer: signer, public: signer.Public()})
}

// addBundles reads the PKCS #12 bundles that a name stands for.
func (s *shelf) addBundles(n named, pass []byte) {
	before := len(s.errs)
	defer func() { s.keyLost = s.keyLost || len(s.errs) > before }()
	for _, path := range s.expand(n) {
		data, ok := s.private(n, path)
		if !ok {
			continue
		}
		b, err := files.PKCS12(data, pass)
		if err != nil {
			s.wrong(n, path, err)
			continue
		}
		s.keys = append(s.keys, ownKey{named: n, path: path, signer: b.Key, public: b.Key.Public()})
		s.own = append(s.own, ownCert{named: n, path: path, certs: b.Certs})
	}
}

// keyFor finds the private key of a public one.
func (s *shelf) keyFor(public crypto.PublicKey) (ownKey, bool) {
	for _, k := range s.keys {
		if pki.SameKey(k.public, public) {
			return k, true
		}
	}
	return ownKey{}, false
}
