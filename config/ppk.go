package config

import (
	"fmt"
	"slices"
)

// maxPPKID is the longest identity of a post-quantum preshared key, in bytes.
const maxPPKID = 255

// PPKSecret is one table [secrets.ppk.NAME]: a post-quantum preshared key, RFC 8784.
type PPKSecret struct {
	Source
	// Name is the table's name.
	Name string `key:"-"`
	// IDs are the identities that the two sides call it by; at least one.
	IDs []string `key:"id" reload:"live"`
	// Key is the key itself.
	Key Secret `key:"secret" reload:"live"`
	// File is the file that it was read from, "" if it is in the configuration.
	File string `key:"secret_file" reload:"live"`
}

// PPK finds the post-quantum preshared key of an identity.
func (c *Config) PPK(id string) (*PPKSecret, bool) {
	i := slices.IndexFunc(c.Secrets.PPK, func(s *PPKSecret) bool { return slices.Contains(s.IDs, id) })
	if i < 0 {
		return nil, false
	}
	return c.Secrets.PPK[i], true
}

// FreePPK reports whether the key of an identity is for connections without ppk_id: no connection names it by one of its
// identities. A key that one has for itself is not another peer's.
func (c *Config) FreePPK(id string) bool {
	s, ok := c.PPK(id)
	return ok && !slices.ContainsFunc(c.Connections, func(n *Connection) bool { return slices.Contains(s.IDs, n.PPKID) })
}

// HasFreePPK reports whether there is a key for connections without ppk_id.
func (c *Config) HasFreePPK() bool {
	return slices.ContainsFunc(c.Secrets.PPK, func(s *PPKSecret) bool { return len(s.IDs) > 0 && c.FreePPK(s.IDs[0]) })
}

// tables are the positions of all secrets.
func (s Secrets) tables() (out []Source) {
	for _, k := range s.IKE {
		out = append(out, k.Source)
	}
	for _, k := range s.PPK {
		out = append(out, k.Source)
	}
	for _, k := range s.Files {
		out = append(out, k.Source)
	}
	for _, k := range s.EAP {
		out = append(out, k.Source)
	}
	return out
}

func readPPKSecret(t *table, dir string) *PPKSecret {
	s := &PPKSecret{Name: t.checkName("secret")}
	s.IDs = readPPKIDs(t)
	s.Source, s.Key, s.File = readKey(t, dir, warnGuessablePPK)
	if !t.quiet && !s.Has("id") {
		t.errorf(s.table, "write id = \"…\", the name that both sides call the key by", "%s has no id", t.title())
	}
	return s
}

// readPPKIDs reads id: a list, or a single string.
func readPPKIDs(t *table) (out []string) {
	items, ok := t.texts("id")
	if ok && len(items) == 0 {
		t.emptyList("id", "write the name that both sides call the key by")
	}
	for _, it := range items {
		if checkPPKID(t, "id", it) {
			out = append(out, it.text)
		}
	}
	return out
}

// checkPPKID reports identities that do not mean the same to every peer: they are sent as octets, and what is not
// printable can't be entered everywhere.
func checkPPKID(t *table, key string, it item) bool {
	switch n := len(it.text); {
	case n == 0:
		t.errorf(it.at, "write a name, such as the two gateways' names", "%s is empty", t.name(key))
		return false
	case n > maxPPKID:
		t.errorf(it.at, fmt.Sprintf("write at most %d", maxPPKID), "%s has %d bytes", t.name(key), n)
		return false
	}
	for _, c := range []byte(it.text) {
		if c <= ' ' || c > '~' {
			t.errorf(it.at, "write letters, digits and ASCII punctuation", "%s is %s, which has a character that a peer may not "+
				"take for the same", t.name(key), quote(it.text))
			return false
		}
	}
	return true
}

// readPPKID reads the name of a connection's key.
func readPPKID(t *table) string {
	text, at := t.str("ppk_id", "")
	if t.isString("ppk_id") && checkPPKID(t, "ppk_id", item{text, at}) {
		return text
	}
	return ""
}

// checkPPKs reports connections that could never have the key they ask for, and names that stand for two keys.
func (c *Config) checkPPKs(r *reader) {
	seen := map[string]*PPKSecret{}
	for _, s := range c.Secrets.PPK {
		for _, id := range s.IDs {
			if o := seen[id]; o != nil && o != s {
				r.errorf(s.At("id"), "give each key names of its own", "secrets.ppk.%s and secrets.ppk.%s%s have the same id %s",
					s.Name, o.Name, inLine(o.At("id")), quote(id))
			}
			seen[id] = s
		}
	}
	for _, n := range c.Connections {
		c.checkPPK(r, n)
	}
	for _, s := range c.Secrets.PPK {
		var t takers
		for _, n := range c.Connections {
			if n.PPKID != "" && slices.Contains(s.IDs, n.PPKID) {
				t.add(n.Remote.peerName("connections."+n.Name), false)
			}
		}
		if len(t.names) > 1 {
			r.warnf(s.At("id"), "write a table [secrets.ppk.NAME] with a key of its own for each peer", "secrets.ppk.%s is the key of %s: "+
				"each of them has that of the others", s.Name, t)
		}
	}
}

// checkPPK reports a connection that could never have the key it asks for.
func (c *Config) checkPPK(r *reader, n *Connection) {
	switch {
	case n.PPKID != "":
		if _, ok := c.PPK(n.PPKID); !ok {
			r.lackf(n.At("ppk_id"), "write a table [secrets.ppk.NAME] with id = "+quote(n.PPKID)+" and the key",
				"there is no key for connections.%s.ppk_id %s", n.Name, quote(n.PPKID))
		}
	case n.Has("ppk_id") || !n.PPKRequired:
		// reported, or nothing is asked for
	case n.CanInitiate():
		r.errorf(n.At("ppk_required"), "write ppk_id = \"…\", or ppk_required = false", "connections.%s requires a PPK and "+
			"does not say which: it could not initiate", n.Name)
	case len(c.Secrets.PPK) == 0:
		r.lackf(n.At("ppk_required"), "write a table [secrets.ppk.NAME] with the id and the key", "connections.%s requires a "+
			"PPK, and there is none", n.Name)
	case !c.HasFreePPK():
		r.warnf(n.At("ppk_required"), "write ppk_id = \"…\", and a table [secrets.ppk.NAME] with a key of its own", "connections.%s "+
			"requires a PPK, and all there are belong to other connections, which name them by ppk_id", n.Name)
	}
}

// minPPKBits is the strength below which a PPK is warned about. A quantum computer halves a key's strength, so that it has
// to be twice that of a pre-shared key.
const minPPKBits = 2 * minSecretBits

func warnGuessablePPK(t *table, at Position, name string, k Secret) {
	if n := strength(k.Bytes()); n < minPPKBits {
		t.warnf(at, "generate a random 32-byte key: `openssl rand -hex 32`",
			"%s is a key of at most %d bits, half of which count against a quantum computer", name, n)
	}
}

// peerName is the identity of a peer for a message, or what it is called by otherwise.
func (a Auth) peerName(otherwise string) string {
	if a.ID.Any() {
		return "the peers of " + otherwise
	}
	return quote(a.ID.String())
}
