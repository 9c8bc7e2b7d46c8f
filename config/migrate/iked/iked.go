package iked

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/tree"
)

// Folder is where iked has its files.
const Folder = "/etc/iked"

// Is reports whether a text is one of an iked.conf: a line begins with ikev2.
func Is(text string) bool {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) > 1 && words[0] == "ikev2" && !strings.HasPrefix(words[1], "=") { // which is libreswan's
			return true
		}
	}
	return false
}

// Import makes our configuration of an iked.conf.
func Import(name string, o migrate.Options) (*migrate.Result, error) {
	text, err := o.Read(name)
	if err != nil {
		return nil, err
	}
	l := &lexer{files: o, macros: map[string]string{}}
	if err := l.scan(name, text, nil, true, 1); err != nil {
		return nil, err
	}
	dir := Folder
	if name != migrate.Stdin {
		if dir, err = filepath.Abs(filepath.Join(filepath.Dir(name), "iked")); err != nil {
			return nil, err
		}
	}
	c := &converter{Draft: migrate.NewDraft(name, o), dir: dir, set: settings{mobike: true, dpd: 60}}
	list, foot := statements(l.out)
	if err := c.document(list); err != nil {
		return nil, err
	}
	c.Root().Note(foot...)
	return c.Result(), nil
}

// settings are what set … says for all policies, with iked's defaults.
type settings struct {
	passive, mobike, fragmentation, single bool
	dpd                                    int64
}

// converter makes our tables of statements.
type converter struct {
	*migrate.Draft
	dir      string // iked's folder
	set      settings
	policies int
	byKeys   bool // a connection proves itself by signatures
}

// document converts all statements.
func (c *converter) document(list []statement) *migrate.Error {
	root := c.Root()
	// What is set counts for all policies, wherever it stands. It is noted in its place, below.
	probe := &converter{Draft: migrate.NewDraft("", c.Options), set: c.set}
	for _, s := range list {
		if first := s.words[0]; first.text == "set" && !first.quoted {
			if err := probe.setting(s); err != nil {
				return err
			}
		}
	}
	c.set = probe.set
	for _, s := range list {
		switch first := s.words[0]; {
		case first.quoted || first.kind != tokenWord:
			return migrate.Fail(first.at, "a line begins with ikev2, set, user, include or the name of a macro")
		case first.text == "set":
			root.Note(s.comment.Above...)
			if err := c.setting(s); err != nil {
				return err
			}
		case first.text == "user":
			root.Note(s.comment.Above...)
			if err := c.user(s); err != nil {
				return err
			}
		case first.text == "ikev2":
			p, err := parsePolicy(s)
			if err != nil {
				return err
			}
			if c.policies++; p.name == "" {
				p.name = fmt.Sprintf("policy%d", c.policies) // as iked calls it
			}
			if err := c.policy(p); err != nil {
				return err
			}
		default:
			return migrate.Fail(first.at, "a line begins with ikev2, set, user, include or the name of a macro")
		}
	}
	if c.byKeys {
		c.credentials()
	}
	return nil
}

// setting converts set ….
func (c *converter) setting(s statement) *migrate.Error {
	cur := &cursor{words: s.words, i: 1, at: s.words[0].at}
	t := cur.take()
	on := !strings.HasPrefix(t.text, "no")
	leave := func(why string) { c.Leave(c.Root(), t.at, "set "+t.text, why) }
	switch t.text {
	case "active", "passive":
		c.set.passive = t.text == "passive"
	case "mobike", "nomobike":
		c.set.mobike = on
	case "fragmentation", "nofragmentation":
		c.set.fragmentation = on
	case "enforcesingleikesa", "noenforcesingleikesa":
		c.set.single = on
	case "couple", "vendorid", "novendorid", "stickyaddress", "nostickyaddress", "cert_partial_chain":
		// They are so here, or nobody notices.
	case "decouple":
		leave("negotiated keys are always used")
	case "dpd_check_interval":
		v, err := cur.value(t.text)
		if err != nil {
			return err
		}
		if c.set.dpd, err = seconds(v); err != nil {
			return err
		}
	case "ocsp":
		leave("the addresses of OCSP responders belong to a CA: write ocsp_uris into [authorities.NAME] with its cacert")
	default:
		return migrate.Fail(t.at, "iked.conf has no such setting")
	}
	return nil
}

// user converts user NAME PASSWORD.
func (c *converter) user(s statement) *migrate.Error {
	if len(s.words) != 3 || s.words[1].kind != tokenWord || s.words[2].kind != tokenWord {
		return migrate.Fail(s.words[0].at, `it is written as user "name" "password"`)
	}
	name, password := s.words[1], s.words[2]
	users := c.Root().AddSection("secrets").AddSection("eap")
	if !printable(name.text) || name.text == "" || password.text == "" {
		c.Leave(users, name.at, "user "+quote(strings.ToValidUTF8(name.text, "?")), "the name or the password is empty, or can't be written here")
		return nil
	}
	key := unused(users, migrate.TableName(name.text))
	t := tree.New(name.at.File)
	t.Add("id", name.at, name.text)
	c.Secret(t, tree.Entry{At: password.at}, migrate.SecretText([]byte(password.text)), key, ".password")
	users.Add(key, name.at, t)
	if s.comment.Beside != "" {
		users.Beside(key, s.comment.Beside)
	}
	return nil
}

// unused is a name that a table does not have yet.
func unused(t *tree.Table, name string) string {
	try := name
	for i := 2; ; i++ {
		if _, taken := t.Get(try); !taken {
			return try
		}
		try = fmt.Sprintf("%s-%d", name, i)
	}
}

// printable reports whether a text can be written, and shown.
func printable(s string) bool {
	return strings.ToValidUTF8(s, "") == s && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// credentials names what iked has in its folder. The files stay where they are.
func (c *converter) credentials() {
	t := tree.New(c.dir)
	for _, k := range []struct{ key, folder string }{{"x509", "certs"}, {"x509ca", "ca"}, {"x509crl", "crls"}} {
		if len(c.in(k.folder, "*")) > 0 {
			t.Add(k.key, tree.Position{}, filepath.Join(c.dir, k.folder))
		}
	}
	if key := c.in("private", "local.key"); len(key) > 0 {
		t.Add("private", tree.Position{}, key[0])
	} else {
		c.Note("there is no %s: the private key belongs into [credentials]", filepath.Join(c.dir, "private", "local.key"))
	}
	if t.Len() > 0 {
		c.Root().Note("Certificates and keys stay where iked has them.")
		c.Root().Add("credentials", tree.Position{}, t)
	}
}

// in are the files of a folder of iked's.
func (c *converter) in(folder, name string) []string {
	all, _ := c.Files.Glob(filepath.Join(quoteGlob(c.dir), folder, name)) // there is nothing wrong with the pattern
	return all
}

// quoteGlob is a name as a pattern that fits nothing else.
func quoteGlob(name string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(name)
}

// list is what stands for texts, each of which is there once.
func list(items []string) any { return tree.Strings(slices.Compact(items)) }
