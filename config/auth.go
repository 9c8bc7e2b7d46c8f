package config

import (
	"crypto/x509"
	"slices"

	"esplanade/ike/identity"
	"esplanade/ike/policy"
)

// Auth is a table [connections.NAME.local] or [connections.NAME.remote], or what stands for one that is not written; there may be several
// of a side, see readRounds.
type Auth struct {
	Source
	// Round orders several tables of a side; those of one number go by the order of the file.
	Round int `key:"round" reload:"reestablish"`
	// Method is the word after auth. Where it is not written it follows from what is: see inferMethods.
	Method policy.Auth `key:"auth" reload:"reestablish"`
	// ID is the identity: that of this gateway, or the pattern for the peer's. Default %any, which for this gateway
	// stands for the subject of its certificate if it has one, and else for the address it sends from.
	ID identity.Identity `key:"id" reload:"reestablish"`
	// Certs are files with certificates: of this gateway, the own one first in each file, or those of which the peer must have one.
	Certs []string `key:"certs" reload:"live"`
	// Pubkeys are files with public keys without certificates: of this gateway, or those of which the peer must have one.
	Pubkeys []string `key:"pubkeys" reload:"live"`
	// CACerts are files with the CAs that are accepted of the peer. Default those of [credentials] and [authorities.NAME].
	CACerts []string `key:"cacerts" reload:"live" only:"remote"`
	// CAID is the identity of a CA that must be in the peer's chain. Default the zero Identity, any.
	CAID identity.Identity `key:"ca_id" reload:"live" only:"remote"`
	// Policies are those of which the peer's chain must have one. Default none, any.
	Policies []x509.OID `key:"cert_policy" reload:"live" only:"remote"`
	// Revocation says what becomes of a peer when it can't be found out whether its certificate was revoked. Default relaxed.
	Revocation policy.Revocation `key:"revocation" reload:"live" only:"remote"`
	// EAPID is, of this side, the name that it gives itself within EAP, "" for that of ID; of the peer, a pattern for the user's. Default %any.
	EAPID identity.UserPattern `key:"eap_id" reload:"reestablish"`
	// AAAID is the identity that the certificate of the server within EAP must have. Default the zero Identity, that of the gateway.
	AAAID identity.Identity `key:"aaa_id" reload:"reestablish" only:"local"`
	// KnownUsers: the name in the certificate of a user of EAP-TLS may be that of a user of this gateway, whose groups, addresses and lock it has then. Default true.
	KnownUsers bool `key:"known_users" reload:"live" only:"remote"`
	// Groups are those of which the user must be in one. Default none, any.
	Groups []string `key:"groups" reload:"live" only:"remote"`
}

// byCertificates reports whether the table has a key that only certificates or public keys give a meaning.
func (a Auth) byCertificates() bool {
	return slices.ContainsFunc([]string{"certs", "pubkeys", "cacerts", "ca_id", "cert_policy", "revocation"}, a.Has)
}

func readAuth(t *table, side string) (a Auth) {
	a.Method = readMethod(t, side)
	text, at := t.str("id", "%any")
	if id, err := identity.Parse(text); err != nil {
		t.identityError(at, "id", err)
	} else {
		a.ID = id
		if side == "local" && !id.Any() && !id.Concrete() {
			t.errorf(at, "use this gateway's own identity, not a pattern", "%s is %s, a pattern", t.name("id"), quote(text))
		}
	}
	round, _ := t.integer("round", 0, 0, 1000)
	a.Round = int(round)
	a.Certs = readNames(t, "certs")
	a.Pubkeys = readNames(t, "pubkeys")
	a.EAPID = readEAPID(t, side)
	if side == "remote" {
		a.CACerts = readNames(t, "cacerts")
		a.CAID = readCAID(t, "ca_id")
		a.Policies = readPolicies(t)
		a.Revocation, _ = choice(t, "revocation", policy.RevocationRelaxed, wordsOf[policy.Revocation]())
		a.Groups = readGroups(t)
		a.KnownUsers = t.boolean("known_users", true)
	} else {
		a.AAAID = readCAID(t, "aaa_id")
	}
	a.Source = t.done()
	return a
}

// readCAID reads the identity of a certificate that is not the peer's own, of which parts may be "*".
func readCAID(t *table, key string) (id identity.Identity) {
	text, at := t.str(key, "")
	if !t.isString(key) {
		return id
	}
	id, err := identity.Parse(text)
	if err != nil {
		t.identityError(at, key, err)
	}
	return id
}

// readPolicies reads object identifiers in dots.
func readPolicies(t *table) (out []x509.OID) {
	items, ok := t.list("cert_policy")
	if ok && len(items) == 0 {
		t.emptyList("cert_policy", "leave it out for any policy")
	}
	for _, it := range items {
		oid, err := x509.ParseOID(it.text)
		if err != nil {
			t.errorf(it.at, `write numbers and dots, such as "1.3.6.1.4.1.36906.1.1"`, "an element of %s is %s, which is no object identifier", t.name("cert_policy"), quote(it.text))
			continue
		}
		out = append(out, oid)
	}
	return out
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
		if !n.Local.ID.Any() || n.Local.Method != policy.AuthPSK || n.HasOwnKey() {
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
