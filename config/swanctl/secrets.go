package swanctl

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strings"

	"esplanade/config"
	"esplanade/config/tree"
)

// sharedKinds are the kinds of shared secrets: the name of a section begins with one, and the rest is anything.
var sharedKinds = []string{"eap", "xauth", "ntlm", "ike", "ppk"}

// tokenKind begins the names of the sections of keys on tokens.
const tokenKind = "token"

// kindOf finds the kind that a name begins with; "" for none.
func kindOf(name string, kinds ...string) string {
	for _, kind := range kinds {
		if strings.HasPrefix(name, kind) {
			return kind
		}
	}
	return ""
}

// shared loads the secrets that are not passphrases.
func (r *folderReader) shared(secrets *tree.Table) {
	for e := range secrets.All() {
		s, ok := e.Value.Data.(*tree.Table)
		if !ok {
			r.warnf(e.At, "write a section in its place", "this key is left out: secrets has sections only")
			continue
		}
		r.checkReadable(s)
		kind := kindOf(e.Name, sharedKinds...)
		switch {
		case kind != "":
			r.sharedSecret(kind, e, s)
		case kindOf(e.Name, tokenKind) != "":
			r.warnf(e.At, "put the key into a file in the folder private", "keys on tokens are not supported, and this one is left out")
		case kindOf(e.Name, append(keyFolders, bundleFolder, "bliss")...) == "":
			r.warnf(e.At, "begin its name with ike, eap, ntlm, ppk, private, rsa, ecdsa, pkcs8 or pkcs12",
				"this section is left out: its name does not begin with a kind of secret")
		}
	}
}

// sharedSecret loads one of them.
func (r *folderReader) sharedSecret(kind string, e tree.Entry, s *tree.Table) {
	v, ok := s.Get("secret")
	if !ok {
		r.warnf(e.At, "write secret = …", "this section has no secret, and is left out")
		return
	}
	data, err := decode(string(v.Value.Data.(tree.Text)))
	if err != nil {
		r.errorf(v.Value.At, "write the text itself, 0x and hexadecimal digits, or 0s and Base64", err.Error())
		return
	}
	shared := config.Shared{ID: e.Name, At: e.At, Kind: kind, Data: config.NewSecret(data)}
	for o := range s.All() {
		if text, ok := o.Value.Data.(tree.Text); ok && strings.HasPrefix(o.Name, "id") {
			shared.Owners = append(shared.Owners, string(text))
		}
	}
	if err := r.to.shared(shared); err != nil {
		r.warnf(e.At, "", "this secret is left out: "+err.Error())
	}
}

// decode is what a secret stands for. No error has any of it.
func decode(text string) ([]byte, error) {
	prefix := strings.ToLower(text[:min(2, len(text))])
	switch prefix {
	case "0x":
		digits := strings.ReplaceAll(text[2:], ":", "")
		if len(digits)%2 == 1 {
			digits = "0" + digits
		}
		data, err := hex.DecodeString(digits)
		if err != nil || len(data) == 0 {
			return nil, errors.New("the secret begins with 0x, and what follows are no hexadecimal digits")
		}
		return data, nil
	case "0s":
		data, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(text[2:], "="))
		if err != nil || len(data) == 0 {
			return nil, errors.New("the secret begins with 0s, and what follows is no Base64")
		}
		return data, nil
	}
	return []byte(text), nil
}

// passphrase is the one for a file of a folder: that of the section whose name begins with the folder's, and whose file it is. nil for none.
func (r *folderReader) passphrase(secrets *tree.Table, folder, path string) []byte {
	for e := range secrets.All() {
		s, ok := e.Value.Data.(*tree.Table)
		if !ok || kindOf(e.Name, folder) == "" {
			continue
		}
		file, okFile := textOf(s, "file")
		secret, okSecret := textOf(s, "secret")
		if okFile && okSecret && r.path(folder, file) == path {
			return []byte(secret)
		}
	}
	return nil
}

// textOf is the value of a key.
func textOf(t *tree.Table, key string) (string, bool) {
	e, _ := t.Get(key)
	text, ok := e.Value.Data.(tree.Text)
	return string(text), ok
}

// checkReadable warns once of each file with a secret that others can read, or change.
func (r *folderReader) checkReadable(s *tree.Table) {
	e, ok := s.Get("secret")
	if !ok || r.looked[e.At.File] {
		return
	}
	r.looked[e.At.File] = true
	_, err := config.ReadPrivate(e.At.File, maxBytes)
	var fe *config.FileError
	if errors.As(err, &fe) {
		r.warnf(e.At, fe.Want, "this secret stands in a file that others can use: "+fe.What)
	}
}
