package strongswan

import (
	"slices"
	"strconv"
	"strings"

	"esplanade/config/migrate"
	"esplanade/config/tree"
)

// secretKind is a kind of section in secrets.
type secretKind struct {
	name string
	// folder is the one of swanctl's where the file is that the secret opens; "" for what is itself the secret.
	folder string
	// ending is how a file for the secret is called.
	ending string
	// why says why it is not carried over.
	why string
}

func secretKinds() []secretKind {
	return []secretKind{
		{name: "ike", ending: ".psk"}, {name: "ppk", ending: ".ppk"}, {name: "eap", ending: ".password"}, {name: "ntlm", ending: ".ntlm"},
		{name: "private", folder: "private", ending: ".pass"}, {name: "rsa", folder: "rsa", ending: ".pass"}, {name: "ecdsa", folder: "ecdsa", ending: ".pass"},
		{name: "pkcs8", folder: "pkcs8", ending: ".pass"}, {name: "pkcs12", folder: "pkcs12", ending: ".pass"},
		{name: "xauth", why: "XAuth is IKEv1's"}, {name: "token", why: "there are no tokens here"},
	}
}

// secrets converts the section secrets: [secrets.KIND.NAME] for each.
func (c *converter) secrets(e tree.Entry, from *tree.Table) {
	root := c.Root()
	root.Note(e.Comment.Above...)
	into := root.AddSection("secrets")
	for s := range from.All() {
		t, ok := s.Value.Data.(*tree.Table)
		i := slices.IndexFunc(secretKinds(), func(k secretKind) bool { return strings.HasPrefix(s.Name, k.name) })
		switch {
		case !ok:
			c.Leave(into, s.At, s.Name+" = …", "there is no such key in secrets")
		case i < 0:
			c.Leave(into, s.At, s.Name+" { … }", "there is no such kind of secret")
		case secretKinds()[i].why != "":
			into.Note(s.Comment.Above...)
			c.Leave(into, s.At, s.Name+" { … }", secretKinds()[i].why)
		default:
			k := secretKinds()[i]
			kind := into.AddSection(k.name)
			s2 := s
			if s2.Name = strings.TrimLeft(strings.TrimPrefix(s.Name, k.name), "-_"); s2.Name == "" {
				s2.Name = s.Name
			}
			s.Name = c.name(kind, s2, "secrets")
			c.section(kind, s, s.Name, t, func(into, from *tree.Table) *failure { return c.secret(into, from, k, s.Name) })
		}
	}
	into.Note(from.Foot()...)
}

// secret converts a section of secrets.
func (c *converter) secret(into, from *tree.Table, k secretKind, name string) *failure {
	var ids []string
	var idAt tree.Position
	done := false
	for e := range from.All() {
		text, ok := value(e)
		into.Note(e.Comment.Above...)
		switch {
		case !ok:
			c.Leave(into, e.At, e.Name+" { … }", "there is no such section in a secret")
		case e.Name == "secret" && k.folder == "":
			text, f := secretText(e, text)
			if f != nil {
				return f
			}
			c.Secret(into, e, text, name, k.ending)
			done = true
		case e.Name == "secret":
			if text == "" {
				continue
			}
			// A passphrase is taken as it is, and has no form for what is not text.
			if !printable(text) {
				return &failure{e.At, "secret = …", "the passphrase has control characters, or is not UTF-8; give the key another one"}
			}
			c.Secret(into, e, text, name, k.ending)
		case e.Name == "file" && k.folder != "":
			if text == "" || !printable(text) {
				return &failure{e.At, show(e), "it names no file"}
			}
			c.set(into, e, c.file(k.folder, text))
			done = true
		case strings.HasPrefix(e.Name, "id") && k.folder == "":
			if k.name == "ike" {
				if _, err := identityText(text); err != nil {
					return &failure{e.At, show(e), err.Error()}
				}
			} else if !printable(text) {
				return &failure{e.At, show(e), "it has control characters, or is not UTF-8"}
			}
			if len(ids) == 0 {
				idAt = e.At
			}
			ids = append(ids, text)
			into.Add("id", idAt, tree.Strings(ids))
			if e.Comment.Beside != "" {
				into.Beside("id", e.Comment.Beside)
			}
		default:
			c.Leave(into, e.At, e.Name+" = …", "swanctl.conf has no such key in "+k.name)
		}
	}
	switch {
	case !done && k.folder != "":
		return &failure{why: "it names no file"}
	case !done:
		return &failure{why: "it has no secret"}
	case len(ids) == 0 && k.folder == "" && k.name != "ike":
		return &failure{why: "it is nobody's: there is no id"}
	}
	return nil
}

// secretText is a secret as our configuration has it. strongSwan takes what is neither hexadecimal nor Base64 for something, and other
// implementations for something else, so that it is refused here: the check would say no more of it.
func secretText(e tree.Entry, text string) (string, *failure) {
	if text == "" {
		return "", &failure{e.At, "secret =", "it is empty"}
	}
	if low := strings.ToLower(text); strings.HasPrefix(low, "0x") || strings.HasPrefix(low, "0s") {
		if !printable(text) || strconv.Quote(text) != `"`+text+`"` {
			return "", &failure{e.At, "secret = …", "after 0x and 0s there must be hexadecimal digits or Base64"}
		}
		return text, nil
	}
	return migrate.SecretText([]byte(text)), nil
}
