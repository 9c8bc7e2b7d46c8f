package config

import (
	"bytes"
	"fmt"
	"net/netip"
	"path/filepath"
)

// Credentials is the table [credentials]: certificates and keys for all connections. Each list has files, folders and patterns; see
// expand.
type Credentials struct {
	Source
	// X509 are certificates of this gateway, with those of CAs between them and their root.
	X509 []string `key:"x509" reload:"live"`
	// X509CA are the CAs that are accepted of peers by connections that do not say which.
	X509CA []string `key:"x509ca" reload:"live"`
	// X509CRL are revocation lists.
	X509CRL []string `key:"x509crl" reload:"live"`
	// X509OCSP are certificates of OCSP responders that are believed about every CA.
	X509OCSP []string `key:"x509ocsp" reload:"live"`
	// Private are private keys without a passphrase. Those with one are in [Secrets.Files].
	Private []string `key:"private" reload:"live"`
	// PKCS12 are bundles without a passphrase.
	PKCS12 []string `key:"pkcs12" reload:"live"`
	// ACME is a certificate that an ACME server issues.
	ACME ACME `key:"acme" reload:"keys"`
	// FetchAllow are networks that CRLs and OCSP answers are fetched from although they are not of the public Internet, when a
	// certificate names an address in them.
	FetchAllow []netip.Prefix `key:"fetch_allow" reload:"restart"`
	// CacheDir is the directory that keeps what was fetched over a restart; "" for none.
	CacheDir string `key:"cache_dir" reload:"restart"`
}

func readCredentials(t *table, dir string) (c Credentials) {
	c.X509 = readNames(t, "x509")
	c.X509CA = readNames(t, "x509ca")
	c.X509CRL = readNames(t, "x509crl")
	c.X509OCSP = readNames(t, "x509ocsp")
	c.Private = readNames(t, "private")
	c.PKCS12 = readNames(t, "pkcs12")
	c.ACME = readACME(t.sub("acme"), dir)
	c.FetchAllow = readPrefixes(t, "fetch_allow")
	if c.CacheDir, _ = t.strAs("cache_dir", "", "write the name of a directory"); c.CacheDir != "" {
		c.CacheDir = beside(dir, c.CacheDir)
	}
	c.Source = t.done()
	return c
}

// readNames reads a list of names of files. Where each stands is kept with the keys of the table: see [Source.each].
func readNames(t *table, key string) (out []string) {
	items, ok := t.texts(key)
	if ok && len(items) == 0 {
		t.emptyList(key, "leave it out, or write the name of a file")
	}
	for _, it := range items {
		if it.text == "" {
			t.errorf(it.at, "write the name of a file", "an element of %s is empty", t.name(key))
			continue
		}
		t.src.keys[fmt.Sprintf("%s[%d]", key, len(out))] = it.at
		out = append(out, it.text)
	}
	return out
}

// named is the name of a file with what the configuration says about it.
type named struct {
	key  string // in full: "connections.office.local.certs"
	text string
	at   Position
}

// each are the names of a list with their places.
func (s Source) each(key string, names []string) (out []named) {
	for i, text := range names {
		out = append(out, named{key: s.name + "." + key, text: text, at: s.At(fmt.Sprintf("%s[%d]", key, i))})
	}
	return out
}

// FileSecret is one table [secrets.private.NAME], [secrets.rsa.NAME], [secrets.ecdsa.NAME], [secrets.pkcs8.NAME] or
// [secrets.pkcs12.NAME]: a file with a private key, or a bundle, and its passphrase.
type FileSecret struct {
	Source
	// Kind is the second part of the table's name, Name its last.
	Kind string `key:"-"`
	Name string `key:"-"`
	// File is the file with the key.
	File string `key:"file" reload:"live"`
	// Key is the passphrase; none for a file that is not encrypted.
	Key Secret `key:"secret" reload:"live"`
	// SecretFile is the file that the passphrase was read from, "" if it is in the configuration.
	SecretFile string `key:"secret_file" reload:"live"`
}

// fileSecretKinds are the kinds of secrets that are files. It makes no difference which of the first four a key is in: they are
// swanctl's folders.
func fileSecretKinds() []string { return []string{"private", "rsa", "ecdsa", "pkcs8", "pkcs12"} }

func readFileSecret(t *table, kind, dir string) *FileSecret {
	s := &FileSecret{Kind: kind, Name: t.checkName("secret")}
	s.File, _ = t.strAs("file", "", "write the name of a file")
	text, at := t.str("secret", "")
	file, fileAt := t.strAs("secret_file", "", "write the name of a file")
	s.Source = t.done()
	switch inline, external := s.Has("secret"), s.Has("secret_file"); {
	case t.quiet:
	case inline && external:
		t.errorf(s.At("secret_file"), "write one of them", "%s has both secret and secret_file", t.title())
	case external:
		s.Key, s.SecretFile = readPassphraseFile(t, file, fileAt, dir)
	case t.isString("secret"):
		s.Key = passphrase(t, []byte(text), at, "secret")
	}
	if !t.quiet && s.File == "" {
		t.errorf(s.At("file"), `write file = "FILE", the file with the key`, "%s has no file", t.title())
	}
	return s
}

// passphrase makes a passphrase of its text. Unlike a pre-shared key it has no other forms: "0x" begins it like any other text.
func passphrase(t *table, text []byte, at Position, key string) Secret {
	switch {
	case len(text) == 0:
		t.errorf(at, "leave it out for a key that is not encrypted", "%s is empty", t.name(key))
	case len(text) > maxSecret:
		t.errorf(at, fmt.Sprintf("choose one of at most %d bytes", maxSecret), "%s has %d bytes", t.name(key), len(text))
	default:
		return NewSecret(text)
	}
	return Secret{}
}

// readPassphraseFile reads a passphrase from a file, without the end of its line, and returns the name it was found under.
func readPassphraseFile(t *table, name string, at Position, dir string) (Secret, string) {
	if name == "" {
		if t.isString("secret_file") {
			t.errorf(at, "write the name of a file", "%s is empty", t.name("secret_file"))
		}
		return Secret{}, ""
	}
	name = beside(dir, name)
	data, reason, want := readPrivate(name)
	if reason != "" {
		t.errorf(at, want, "%s: %s", t.name("secret_file"), reason)
		return Secret{}, name
	}
	return passphrase(t, bytes.TrimRight(data, "\r\n"), at, "secret_file"), name
}

// beside is the name of a file that stands in a configuration in the folder dir.
func beside(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}
