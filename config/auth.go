package config

import (
	"strings"

	"esplanade/ike/identity"
	"esplanade/ike/policy"
)

// Auth is a table [connections.NAME.local] or [connections.NAME.remote], or what stands for one that is not written.
type Auth struct {
	Source
	// Method is the word after auth. Default psk, the one for which there can be a secret.
	Method policy.Auth `key:"auth" reload:"reestablish"`
	// ID is the identity: that of this gateway, or the pattern for the peer's. Default %any, which for this gateway
	// stands for the address it sends from.
	ID identity.Identity `key:"id" reload:"reestablish"`
}

func readAuth(t *table, side string) (a Auth) {
	word, at := t.strAs("auth", "", `write auth = "psk"`)
	switch {
	case t.broken:
	case !t.src.Has("auth"): // there is one method; whether there is a key for it is looked at when all tables are read
		a.Method = policy.AuthPSK
	case word == "psk":
		a.Method = policy.AuthPSK
	case isLaterAuth(word):
		t.valueNotSupported("auth", "write auth = \"psk\"")
	case word != "" || t.isString("auth"):
		want := "write auth = \"psk\""
		t.errorf(at, want, "%s is %s", t.name("auth"), quote(word))
	}
	text, at := t.str("id", "%any")
	if id, err := identity.Parse(text); err != nil {
		t.identityError(at, "id", err)
	} else {
		a.ID = id
		if side == "local" && !id.Any() && !id.Concrete() {
			t.errorf(at, "use this gateway's own identity, not a pattern", "%s is %s, a pattern", t.name("id"), quote(text))
		}
	}
	a.Source = t.done()
	return a
}

// isLaterAuth recognises swanctl's methods that this version does not have.
func isLaterAuth(word string) bool {
	for _, p := range []string{"pubkey", "rsa", "ecdsa", "bliss", "ed25519", "ed448", "eap", "xauth", "ike:", "null", "any"} {
		if strings.HasPrefix(word, p) {
			return true
		}
	}
	return false
}

// identityError reports an error of identity.Parse in the form of this package.
func (t *table) identityError(at Position, key string, err error) {
	if pe, ok := err.(*identity.ParseError); ok {
		t.errorf(at, pe.Want, "%s is %s: %s", t.name(key), quote(pe.Text), pe.Reason)
		return
	}
	t.errorf(at, "", "%s: %v", t.name(key), err)
}

// checkIdentities warns of a gateway that names itself by an address that its peer may not see.
func (c *Config) checkIdentities(r *reader) {
	for _, n := range c.Connections {
		// A key that is the connection's own is asked of whoever answers, whatever that calls itself: so does the other end, if it has
		// one as well.
		if !n.Local.ID.Any() || n.Local.Method == 0 || n.HasOwnKey() {
			continue
		}
		for _, e := range n.LocalAddrs {
			if a := e.Addr(); a.IsPrivate() || !a.IsValid() {
				what := "whatever address it sends from"
				if a.IsValid() {
					what = "its private address " + a.String()
				}
				r.warnf(n.Local.Position(), "write id = \"a-name\" and the same name as the peer's remote id",
					"connections.%s.local has no id: the gateway calls itself by %s, which may not be what the peer expects", n.Name,
					what)
				break
			}
		}
	}
}
