package config

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"esplanade/config/tree"
	"esplanade/ike/identity"
)

// Secrets are the tables [secrets.KIND.NAME].
type Secrets struct {
	// IKE are the pre-shared keys, in the order of the file.
	IKE []*IKESecret `key:"ike" reload:"tables"`
	// PPK are the post-quantum preshared keys, in the order of the file.
	PPK []*PPKSecret `key:"ppk" reload:"tables"`
	// Files are private keys and bundles, with their passphrases: [secrets.private.NAME] and its like, in the order of the file.
	Files []*FileSecret `key:"private" reload:"tables"`
	// EAP are the passwords of users, and their NT hashes: [secrets.eap.NAME] and [secrets.ntlm.NAME], in the order of the file.
	EAP []*EAPSecret `key:"eap" reload:"tables"`
}

// secretKinds are the kinds of secrets.
func secretKinds() []string {
	return slices.Concat([]string{"ike", "ppk"}, eapKinds(), fileSecretKinds())
}

// IKESecret is one table [secrets.ike.NAME]: a pre-shared key.
type IKESecret struct {
	Source
	// Name is the table's name.
	Name string `key:"-"`
	// Connection is the connection whose own key this is; "" for one of a table of its own.
	Connection string `key:"-"`
	// IDs are the identities that share the key, or patterns for them. None stands for everybody.
	IDs []identity.Identity `key:"id" reload:"live"`
	// Key is the key itself.
	Key Secret `key:"secret" reload:"live"`
	// File is the file that it was read from, "" if it is in the configuration.
	File string `key:"secret_file" reload:"live"`

	// order is its place among the keys of its origin. swanctl: it has strongSwan's meaning; see [IKESecret.fit].
	order   int  `key:"-"`
	swanctl bool `key:"-"`
}

// FullName is the name of the table that has the key: "secrets.ike.office", "connections.office".
func (s *IKESecret) FullName() string { return s.Source.name }

// maxSecret is the longest secret, in bytes. Twice and a half of it is read of a file, for its hexadecimal form.
const maxSecret = 4096

func readSecrets(t *table, dir string) (s Secrets) {
	for _, n := range t.sub("ike").each() {
		s.IKE = append(s.IKE, readIKESecret(n, dir))
	}
	for _, n := range t.sub("ppk").each() {
		s.PPK = append(s.PPK, readPPKSecret(n, dir))
	}
	for _, kind := range eapKinds() {
		for _, n := range t.sub(kind).each() {
			s.EAP = append(s.EAP, readEAPSecret(n, kind, dir))
		}
	}
	slices.SortStableFunc(s.EAP, func(a, b *EAPSecret) int { return before(a.table, b.table) })
	// swanctl tells its secrets apart by what follows the kind in the section's name.
	var handled []string
	for _, kind := range fileSecretKinds() {
		for _, n := range t.open(kind, "private").each() {
			s.Files = append(s.Files, readFileSecret(n, kind, dir))
		}
		handled = append(handled, kind)
	}
	t.know("private")
	for e := range t.vals.All() {
		for _, kind := range secretKinds() {
			if _, isTable := e.Value.Data.(*tree.Table); isTable && e.Name != kind && strings.HasPrefix(e.Name, kind) {
				name := strings.TrimLeft(strings.TrimPrefix(e.Name, kind), "-_")
				t.errorf(e.At, fmt.Sprintf("write [secrets.%s.%s]", kind, name), "unknown kind of secret %s", quote(e.Name))
				handled = append(handled, e.Name)
			}
		}
	}
	t.done(handled...)
	return s
}

func readIKESecret(t *table, dir string) *IKESecret {
	s := &IKESecret{Name: t.checkName("secret")}
	s.IDs = readSecretIDs(t)
	s.Source, s.Key, s.File = readKey(t, dir, warnGuessable)
	return s
}

// strengthCheck warns of a key that is too weak for what it is for.
type strengthCheck func(t *table, at Position, name string, k Secret)

// readKey reads secret or secret_file, and ends the table.
func readKey(t *table, dir string, check strengthCheck) (src Source, key Secret, name string) {
	text, at := t.str("secret", "")
	file, fileAt := t.strAs("secret_file", "", "write the name of a file")
	src = t.done()
	switch inline, external := src.Has("secret"), src.Has("secret_file"); {
	case t.quiet:
	case inline && external:
		t.errorf(src.At("secret_file"), "write one of them", "%s has both secret and secret_file", t.title())
	case external:
		key, name = readKeyFile(t, file, fileAt, dir, check)
	case inline && t.isString("secret"):
		key = decodeKey(t, []byte(text), at, "secret", check)
	case !inline:
		t.errorf(src.table, "write secret_file = \"FILE\" or secret = \"…\"", "%s has no secret", t.title())
	}
	return src, key, name
}

// readSecretIDs reads id: a list, or a single string. Unlike other lists a secret's is often of one.
func readSecretIDs(t *table) (out []identity.Identity) {
	items, ok := t.texts("id")
	if ok && len(items) == 0 {
		t.emptyList("id", "leave it out for a key that everybody shares")
	}
	for _, it := range items {
		id, err := identity.Parse(it.text)
		if err != nil {
			t.identityError(it.at, "id", err)
			continue
		}
		out = append(out, id)
	}
	return out
}

// decodeKey turns the text into the key. The messages must not have any of it in them.
func decodeKey(t *table, text []byte, at Position, key string, check strengthCheck) Secret {
	if isText(text) && len(bytes.TrimSpace(text)) != len(text) {
		t.warnf(at, "remove the space, or write the key in 0x form", "%s begins or ends with white space, which is a part of "+
			"the key", t.name(key))
	}
	if n := len(text); n > 1 && text[0] == text[n-1] && (text[0] == '"' || text[0] == '\'') {
		t.warnf(at, "remove them, unless the peer's key has them, too", "%s is between quotes, which are a part of the key", t.name(key))
	}
	k, err := decodeSecret(text)
	switch {
	case key == "secret" && bytes.ContainsAny(text, "\b\f"):
		t.errorf(at, "write \\\\ for a backslash, or the key in 0x form", "%s has \\b or \\f, which is a control character here and a letter in swanctl.conf",
			t.name(key))
		return Secret{}
	case err != nil:
		t.errorf(at, "write the key as text, as 0x and hexadecimal digits or as 0s and Base64", "%s: %v", t.name(key), err)
		return Secret{}
	case k.Len() > maxSecret:
		t.errorf(at, fmt.Sprintf("choose a key of at most %d bytes", maxSecret), "%s has %d bytes", t.name(key), k.Len())
		return Secret{}
	}
	check(t, at, t.name(key), k)
	return k
}

// isText reports whether the bytes are printable ASCII, white space included.
func isText(b []byte) bool {
	for _, c := range b {
		if c > '~' || c < ' ' && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}

// readKeyFile reads the key from a file, and returns the name it was found under.
func readKeyFile(t *table, name string, at Position, dir string, check strengthCheck) (Secret, string) {
	if name == "" {
		if t.isString("secret_file") {
			t.errorf(at, "write the name of a file", "%s is empty", t.name("secret_file"))
		}
		return Secret{}, ""
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	data, reason, want := readPrivate(name)
	if reason != "" {
		t.errorf(at, want, "%s: %s", t.name("secret_file"), reason)
		return Secret{}, name
	}
	if mark := byteOrderMark(data); mark != "" {
		t.errorf(at, "save it again without, as plain text in UTF-8; if it is part of the key, write that in 0x form",
			"%s: %s begins with the byte order mark of %s, which would be part of the key", t.name("secret_file"), quote(name), mark)
		return Secret{}, name
	}
	if folder := replaceable(name); folder != "" {
		t.warnf(at, fmt.Sprintf("chmod o-w %s", folder), "%s: everybody can put another file in the place of %s: others can write to the directory %s",
			t.name("secret_file"), quote(name), quote(folder))
	}
	// Editors and echo end a file with one line end, which is not meant; a key that ends with one has a 0x form.
	if d, ok := bytes.CutSuffix(data, []byte("\n")); ok {
		data, _ = bytes.CutSuffix(d, []byte("\r"))
	}
	return decodeKey(t, data, at, "secret_file", check), name
}

// byteOrderMark names the encoding whose mark an editor has put before the text, "" if there is none.
func byteOrderMark(data []byte) string {
	switch {
	case bytes.HasPrefix(data, []byte("\xef\xbb\xbf")):
		return "UTF-8"
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")):
		return "UTF-16"
	}
	return ""
}

// readPrivate reads a file that nobody but its owner may read. A reason that is not empty is an error.
func readPrivate(name string) (data []byte, reason, want string) {
	const most = maxSecret*5/2 + 4
	data, err := ReadPrivate(name, most)
	var wrong *FileError
	switch {
	case errors.As(err, &wrong):
		return nil, wrong.What, wrong.Want
	case errors.Is(err, fs.ErrPermission):
		return nil, fileReason(name, err), "let the user that runs esplanade read it"
	case err != nil:
		return nil, fileReason(name, err), "write the name of the file with the key"
	case len(data) == 0:
		return nil, fmt.Sprintf("%s is empty", quote(name)), "write the key into it"
	}
	return data, "", ""
}

// fileReason is the reason of an error that has the file's name in it already.
func fileReason(name string, err error) string {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return fmt.Sprintf("%s: %v", quote(name), pe.Err)
	}
	return fmt.Sprintf("%s: %v", quote(name), err)
}

// warnReadable warns of a configuration that has keys in it and that others can read, or change.
func (c *Config) warnReadable(path string, f *os.File, info fs.FileInfo) {
	err := checkPrivate(path, f, info)
	if err == nil {
		return
	}
	var wrong *FileError
	errors.As(err, &wrong)
	tables := c.Secrets.tables()
	for _, n := range c.Connections {
		tables = append(tables, n.Source)
	}
	for _, s := range tables {
		if s.Has("secret") {
			c.Warnings = sortProblems(append(c.Warnings, Problem{s.At("secret"),
				"the key stands in a file that others can read or change: " + wrong.What, wrong.Want + ", or use secret_file"}))
		}
	}
}
