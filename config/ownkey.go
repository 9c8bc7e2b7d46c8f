package config

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"esplanade/ike/pki"
)

// noKey reports a certificate of this side without its private key. Where a file with keys could not be read, that has been reported, and
// the key is probably in it.
func (s *shelf) noKey(n *Connection, f ownCert) {
	if s.failed[f.path] || s.keyLost {
		return
	}
	if _, err := pki.PublicKey(f.certs[0]); err != nil {
		s.errorf(f.at, "use a certificate with another key", "%s: the key of %s can't be used: %v", f.key, quote(f.path), err)
		return
	}
	for i, c := range f.certs[1:] {
		if public, err := pki.PublicKey(c); err == nil {
			if k, ok := s.keyFor(public); ok {
				s.errorf(f.at, "put the gateway's own certificate first, and those of CAs behind it", "%s: %s begins with the certificate of %s, and the private key in %s is that of "+
					"its certificate number %d, %s", f.key, quote(f.path), quote(f.certs[0].Subject.String()), quote(k.path), i+2, quote(c.Subject.String()))
				return
			}
		}
	}
	what := "there is no private key for it"
	stem := func(path string) string { return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) }
	if i := slices.IndexFunc(s.keys, func(k ownKey) bool { return stem(k.path) == stem(f.path) }); i >= 0 {
		what = "the private key in " + quote(s.keys[i].path) + " is another one's"
	} else if len(s.keys) > 0 {
		what = "none of the private keys there are is its own: " + s.keyNames()
	}
	s.lackf(f.at, s.wantKey(), "%s: %s is the certificate of %s, and %s", f.key, quote(f.path), quote(f.certs[0].Subject.String()), what)
}

// maxKeyNames is how many files an error names.
const maxKeyNames = 4

// keyNames are the files of the private keys there are.
func (s *shelf) keyNames() string {
	var names []string
	for _, k := range s.keys {
		if names = append(names, quote(k.path)); len(names) == maxKeyNames && len(s.keys) > maxKeyNames {
			return strings.Join(names, ", ") + fmt.Sprintf(" and %d more", len(s.keys)-maxKeyNames)
		}
	}
	return strings.Join(names, ", ")
}

// wantKey is how a private key is named, in the words of what the connection is written in.
func (s *shelf) wantKey() string {
	if s.swanctl {
		return "put it into the folder private of swanctl, with a section private-NAME in secrets if it has a passphrase, and load it (swanctl --load-creds)"
	}
	return `write private = "FILE" into [credentials], or a table [secrets.private.NAME] with file and secret if it has a passphrase`
}
