package config

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"

	"esplanade/ike/eap"
	"esplanade/ike/identity"
)

// EAPSecret is one table [secrets.eap.NAME] or [secrets.ntlm.NAME]: the password of a user, or its NT hash. It is that of a user of this
// gateway, or what this side proves itself with as the user of another one.
type EAPSecret struct {
	Source
	// Kind is the second part of the table's name, Name its last.
	Kind string `key:"-"`
	Name string `key:"-"`
	// IDs are the names of the users who have the password.
	IDs []string `key:"id" reload:"live"`
	// Key is the password or the hash, and SecretFile the file that it was read from, "" if it is in the configuration.
	Key        Secret `key:"secret" reload:"live"`
	SecretFile string `key:"secret_file" reload:"live"`
	// Groups are those that the users are in. Default none.
	Groups []string `key:"groups" reload:"live"`
	// Addresses are those that the user is assigned, one of each family at most. Default one of a pool.
	Addresses []netip.Addr `key:"addresses" reload:"live"`

	secret eap.Secret `key:"-"`
}

// The kinds of such tables.
const (
	eapKind  = "eap"
	ntlmKind = "ntlm"
)

// eapKinds are the kinds of secrets of users.
func eapKinds() []string { return []string{eapKind, ntlmKind} }

func readEAPSecret(t *table, kind, dir string) *EAPSecret {
	s := &EAPSecret{Kind: kind, Name: t.checkName("secret")}
	items, ok := t.texts("id")
	if ok && len(items) == 0 {
		t.emptyList("id", "write the name of the user")
	}
	for _, it := range items {
		if reason := userName(it.text); reason != "" {
			t.errorf(it.at, "write the name that the user types", "an element of %s, %s, %s", t.name("id"), quote(it.text), reason)
			continue
		}
		t.src.keys[fmt.Sprintf("id[%d]", len(s.IDs))] = it.at
		s.IDs = append(s.IDs, it.text)
	}
	s.Groups = readGroups(t)
	s.Addresses = readUserAddresses(t)
	if len(s.Addresses) > 0 && len(s.IDs) > 1 {
		t.errorf(t.at("addresses"), "write a table for each user", "%s has addresses, and several users", t.title())
	}
	text, at := t.str("secret", "")
	file, fileAt := t.strAs("secret_file", "", "write the name of a file")
	s.Source = t.done()
	if !t.quiet && len(s.IDs) == 0 && !ok {
		t.errorf(s.table, `write id = "NAME", the name of the user`, "%s has no id", t.title())
	}
	switch inline, external := s.Has("secret"), s.Has("secret_file"); {
	case t.quiet:
	case inline && external:
		t.errorf(s.At("secret_file"), "write one of them", "%s has both secret and secret_file", t.title())
	case external:
		s.read(t, file, fileAt, dir)
	case inline && t.isString("secret"):
		s.decode(t, []byte(text), at, "secret")
	case !inline:
		t.errorf(s.table, `write secret_file = "FILE" or secret = "…"`, "%s has no secret", t.title())
	}
	return s
}

// read reads the password from a file, without the end of its line.
func (s *EAPSecret) read(t *table, name string, at Position, dir string) {
	if name == "" {
		if t.isString("secret_file") {
			t.errorf(at, "write the name of a file", "%s is empty", t.name("secret_file"))
		}
		return
	}
	s.SecretFile = beside(dir, name)
	data, reason, want := readPrivate(s.SecretFile)
	if reason != "" {
		t.errorf(at, want, "%s: %s", t.name("secret_file"), reason)
		return
	}
	if folder := replaceable(s.SecretFile); folder != "" {
		t.warnf(at, fmt.Sprintf("chmod o-w %s", folder), "%s: everybody can put another file in the place of %s: others can write to the directory %s",
			t.name("secret_file"), quote(s.SecretFile), quote(folder))
	}
	s.decode(t, bytes.TrimRight(data, "\r\n"), at, "secret_file")
}

// decode turns the text into what the user proves. swanctl has the forms 0x and 0s for passwords as well.
func (s *EAPSecret) decode(t *table, text []byte, at Position, key string) {
	if s.Kind == ntlmKind {
		if s.secret = ntHash(t.reader, at, t.name(key), string(text)); !s.secret.None() {
			hash, _ := s.secret.NT()
			s.Key = NewSecret(hash[:])
		}
		return
	}
	k, err := decodeSecret(text)
	if err != nil {
		t.errorf(at, "write the password as text, as 0x and hexadecimal digits or as 0s and Base64", "%s: %v", t.name(key), err)
		return
	}
	s.secret, s.Key = password(t.reader, at, t.name(key), string(k.Bytes())), k
}

// Secret is what the users of the table prove.
func (s *EAPSecret) Secret() eap.Secret { return s.secret }

// ownSecret finds what this side proves itself with as the user of another gateway.
func (c *Config) ownSecret(name string) (*EAPSecret, bool) {
	key := identity.FoldUser(name)
	for _, s := range c.Secrets.EAP {
		for _, id := range s.IDs {
			if identity.FoldUser(id) == key {
				return s, true
			}
		}
	}
	return nil, false
}

// ownNames are the names that this side gives itself as the user of other gateways. Whoever knows such a password is no user here: the
// other gateway knows it.
func (c *Config) ownNames() map[string]bool {
	out := map[string]bool{}
	for _, n := range c.Connections {
		if !n.provesByEAP() {
			continue
		}
		local, _ := n.Rounds()
		for _, a := range local {
			if !a.Method.EAP() {
				continue
			}
			for _, s := range c.Secrets.EAP {
				for _, id := range s.IDs {
					if identity.FoldUser(id) == identity.FoldUser(a.UserName()) {
						out[id] = true
					}
				}
			}
		}
	}
	return out
}

// provesByEAP reports whether this side is a user of the other one.
func (n *Connection) provesByEAP() bool {
	return n.Local.Method.EAP() || slices.ContainsFunc(n.LocalRounds, func(a Auth) bool { return a.Method.EAP() })
}

// UserName is the name that this side gives itself within EAP; "" if it has none.
func (a *Auth) UserName() string {
	switch {
	case a.EAPID.Concrete():
		return a.EAPID.String()
	case a.ID.Any():
		return ""
	}
	return plainName(a.ID)
}

// plainName is an identity as EAP has names: the text of a name, and what is shown of any other.
func plainName(id identity.Identity) string {
	switch id.Type {
	case identity.FQDN, identity.RFC822Addr, identity.KeyID:
		return string(id.Data)
	}
	return id.String()
}
