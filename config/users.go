package config

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"esplanade/config/tree"
	"esplanade/ike/aaa"
	"esplanade/ike/eap"
	"esplanade/ike/identity"
)

// Users is the table [users].
type Users struct {
	Source
	// File is the file with the users, "" for none.
	File string `key:"file" reload:"live"`
	// Directory are the users of the file and of [Secrets].EAP, whoever of them is no user of another gateway.
	Directory *Directory `key:"-"`
	// sum is what the file has had in it when it was read; zero: it was not.
	sum [sha256.Size]byte `key:"-"`
}

const (
	// MaxUsersFile is the size of the largest users file, in bytes, and maxUsers how many users there may be.
	MaxUsersFile = 16 << 20
	maxUsers     = 100000
)

func readUsers(t *table, dir string) (u Users) {
	u.File, _ = t.strAs("file", "", "write the name of a file")
	if t.isString("file") && u.File == "" {
		t.errorf(t.at("file"), "write the name of a file", "%s is empty", t.name("file"))
	}
	if u.File != "" {
		u.File = beside(dir, u.File)
	}
	u.Source = t.done()
	return u
}

// readDirectory reads the users file, and adds the users of [secrets.eap.NAME] and [secrets.ntlm.NAME] to those that it has.
func (c *Config) readDirectory(r *reader) {
	d := &Directory{}
	c.Users.sum = [sha256.Size]byte{}
	if c.Users.File != "" {
		d, c.Users.sum = readUsersFile(r, c.Users.File, c.Users.At("file"))
	}
	own := c.ownNames()
	for _, s := range c.Secrets.EAP {
		for i, name := range s.IDs {
			if _, is := own[name]; is {
				continue
			}
			e := &UserEntry{User: aaa.User{Name: name, Groups: s.Groups, Addresses: s.Addresses}, At: s.At(fmt.Sprintf("id[%d]", i)), PlainText: s.Kind == eapKind, secret: s.secret}
			if o := d.add(e); o != nil {
				r.errorf(e.At, "remove one of them", "%s has the user %s, who is there already%s", s.Source.name, quote(name), inLine(o.At))
			}
		}
	}
	d.checkAddresses(r)
	c.Users.Directory = d
}

// checkAddresses reports an address that two users have.
func (d *Directory) checkAddresses(r *reader) {
	owner := map[netip.Addr]*UserEntry{}
	for e := range d.All() {
		for _, a := range e.User.Addresses {
			if o := owner[a]; o != nil {
				r.errorf(e.At, "give each user an address of its own", "%s has the address %s of %s%s", quote(e.User.Name), a, quote(o.User.Name), inLine(o.At))
				continue
			}
			owner[a] = e
		}
	}
}

// readUsersFile reads a users file, which a key at a position names. What is wrong in it is reported at its own places.
func readUsersFile(r *reader, path string, at Position) (*Directory, [sha256.Size]byte) {
	data, err := ReadPrivate(path, MaxUsersFile)
	var wrong *FileError
	switch {
	case errors.As(err, &wrong):
		r.errorf(at, wrong.Want, "users.file: %s", wrong.What)
	case errors.Is(err, fs.ErrPermission):
		r.errorf(at, "let the user that runs esplanade read it", "users.file: %s", fileReason(path, err))
	case err != nil:
		want := "`esplanade user add " + path + " NAME` makes it; relative names are looked for beside the configuration"
		if near, ok := neighbour(path); ok {
			want = fmt.Sprintf("did you mean %s?", quote(filepath.Join(filepath.Dir(path), near)))
		}
		r.errorf(at, want, "users.file: %s", fileReason(path, err))
	}
	if err != nil {
		return &Directory{}, [sha256.Size]byte{}
	}
	if folder := replaceable(path); folder != "" {
		r.warnf(at, fmt.Sprintf("chmod o-w %s", folder), "users.file: everybody can put another file in the place of %s: others can write to the directory %s",
			quote(path), quote(folder))
	}
	d, errs := ParseUsers(path, data)
	r.errs = append(r.errs, errs...)
	return d, sha256.Sum256(data)
}

// ParseUsers reads the text of a users file. Whoever can't be read is left out, and reported.
func ParseUsers(name string, data []byte) (*Directory, Errors) {
	r := newReader(name)
	d := &Directory{}
	if mark := byteOrderMark(data); mark != "" && mark != "UTF-8" || !utf8.Valid(data) {
		r.errorf(Position{File: name, Line: 1, Column: 1}, "save it again as plain text in UTF-8", "it is no text in UTF-8")
		return d, r.errs
	}
	root, err := tree.ParseTOML(name, strings.TrimPrefix(string(data), "\ufeff"))
	if err != nil {
		return d, Errors{usersSyntax(name, err)}
	}
	for e := range root.All() {
		if d.Len() >= maxUsers {
			r.errorf(e.At, "use a RADIUS server", "there are more than %d users", maxUsers)
			break
		}
		if u := readUser(r, root, e); u != nil {
			if o := d.add(u); o != nil {
				r.errorf(u.At, "remove one of them; small and capital letters are the same", "the user %s is there already%s", quote(u.User.Name), inLine(o.At))
			}
		}
	}
	return d, sortProblems(r.errs)
}

// usersSyntax is an error of syntax in a users file. The message of the parser is not shown: it may have a part of a password in it.
func usersSyntax(name string, err error) Problem {
	p := Problem{Position{File: name, Line: 1, Column: 1}, "this is no line of a users file",
		`write NAME = "PASSWORD", or NAME = { password = "PASSWORD", groups = ["GROUP"] }, each user in one line; a name with other characters than letters, digits, "_" and "-" in quotes`}
	var e *tree.SyntaxError
	if errors.As(err, &e) {
		p.Position = e.At
		if strings.Contains(e.What, "already") {
			p.What, p.Want = "this user, or this key, is there twice", "remove one of them"
			if e.First.IsValid() {
				p.Want += ": the first is " + e.First.FileLine()
			}
		}
	}
	return p
}

// userName is what is wrong with the name of a user; "" if nothing is.
func userName(name string) (reason string) {
	switch {
	case name == "":
		return "is empty"
	case len(name) > eap.MaxIdentity:
		return fmt.Sprintf("has %d bytes, and EAP has room for %d", len(name), eap.MaxIdentity)
	case strings.ContainsFunc(name, identity.Controls):
		return "has control characters"
	case strings.HasPrefix(name, "%") || strings.ContainsRune(name, '*'):
		return `is no name, but a pattern`
	case strings.TrimSpace(name) != name:
		return "begins or ends with white space"
	}
	return ""
}

// readUser reads one user; nil for one that can't be used.
func readUser(r *reader, root *tree.Table, e tree.Entry) *UserEntry {
	u := &UserEntry{User: aaa.User{Name: e.Name}, At: e.At}
	errs := len(r.errs)
	if reason := userName(e.Name); reason != "" {
		r.errorf(e.At, "write the name that the user types", "the name %s %s", quote(e.Name), reason)
	}
	if s, is := e.Value.Data.(string); is {
		u.secret, u.PlainText = password(r, e.Value.At, "the password of "+quote(e.Name), s), true
	} else if sub, is := e.Value.Data.(*tree.Table); is {
		top := &table{reader: r, pattern: usersPattern, vals: root, src: Source{table: e.At, keys: map[string]Position{}}}
		readUserTable(&table{reader: r, path: []string{e.Name}, pattern: top.pattern + ".NAME", vals: sub, src: Source{name: e.Name, table: e.At, keys: map[string]Position{}}}, u)
	} else {
		r.errorf(e.Value.At, `write NAME = "PASSWORD", or NAME = { … }`, "the user %s is %s", quote(e.Name), kind(e.Value.Data))
	}
	if len(r.errs) > errs {
		return nil
	}
	return u
}

// usersPattern is what stands for a users file in the patterns of tables.
const usersPattern = "users file"

// readUserTable reads the keys of a user.
func readUserTable(t *table, u *UserEntry) {
	plain, plainAt := t.strAs("password", "", "write it in quotes")
	hash, hashAt := t.strAs("nt_hash", "", "write 32 hexadecimal digits in quotes")
	u.User.Groups = readGroups(t)
	u.User.Addresses = readUserAddresses(t)
	u.Disabled = t.boolean("disabled", false)
	u.Expired = t.boolean("expired", false)
	t.done()
	switch {
	case t.has("password") && t.has("nt_hash"):
		t.errorf(hashAt, "write one of them", "%s has both password and nt_hash", quote(u.User.Name))
	case t.isString("password"):
		u.secret, u.PlainText = password(t.reader, plainAt, t.name("password"), plain), true
	case t.isString("nt_hash"):
		u.secret = ntHash(t.reader, hashAt, t.name("nt_hash"), hash)
	case !t.has("password") && !t.has("nt_hash") && t.vals.Len() == 0:
		t.errorf(t.src.table, `write password = "…", or nt_hash = "…"; or groups, for a user who comes with a certificate`, "%s has no password", quote(u.User.Name))
	}
	u.secret.Locked, u.secret.Expired = u.Disabled, u.Expired
}

// password makes a secret of a password. The messages must not have any of it in them.
func password(r *reader, at Position, name, text string) eap.Secret {
	switch {
	case text == "":
		r.errorf(at, "write one", "%s is empty", name)
	case len(text) > eap.MaxPassword:
		r.errorf(at, fmt.Sprintf("choose one of at most %d bytes", eap.MaxPassword), "%s has %d bytes", name, len(text))
	case !utf8.ValidString(text):
		r.errorf(at, "write it in UTF-8", "%s is no text in UTF-8", name)
	case strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }):
		r.errorf(at, "write a password that can be typed; in double quotes a backslash is written twice", "%s has control characters", name)
	default:
		return eap.Password(text)
	}
	return eap.Secret{}
}

// ntHash reads an NT hash: 32 hexadecimal digits, with 0x before them or without, or 0s and Base64.
func ntHash(r *reader, at Position, name, text string) eap.Secret {
	s := strings.TrimSpace(text)
	if low := strings.ToLower(s); !strings.HasPrefix(low, "0x") && !strings.HasPrefix(low, "0s") {
		s = "0x" + s
	}
	key, err := decodeSecret([]byte(s))
	if b := key.Bytes(); err == nil && len(b) == 16 {
		return eap.NTHash([16]byte(b))
	}
	r.errorf(at, "write the 32 hexadecimal digits of the NT hash, which is the MD4 of the password in UTF-16LE; `esplanade user add --nt-hash` makes it", "%s is no NT hash", name)
	return eap.Secret{}
}

// readUserAddresses reads the addresses of a user, one of each family at most.
func readUserAddresses(t *table) (out []netip.Addr) {
	items, ok := t.list("addresses")
	if ok && len(items) == 0 {
		t.emptyList("addresses", "leave it out for an address of a pool")
	}
	for _, it := range items {
		a, err := netip.ParseAddr(strings.TrimSpace(it.text))
		switch {
		case err != nil || a.Zone() != "" || a.Is4In6():
			t.errorf(it.at, `write an address such as "10.30.0.7" or "fd00::7"`, "an element of %s is %s, which is no address", t.name("addresses"), quote(it.text))
		case noHost(a) || a.IsLoopback() || a.IsLinkLocalUnicast():
			t.errorf(it.at, "write an address that a host can have", "an element of %s is %s", t.name("addresses"), quote(it.text))
		case slices.ContainsFunc(out, func(o netip.Addr) bool { return o.Is6() == a.Is6() }):
			t.errorf(it.at, "write one IPv4 address and one IPv6 address at most", "%s has two addresses of one family", t.name("addresses"))
		default:
			out = append(out, a)
		}
	}
	return out
}
