package config

import (
	"slices"
	"strings"

	"esplanade/ike/identity"
	"esplanade/ike/policy"
)

// readMethod reads auth. It is none where that is not written: see inferMethods.
func readMethod(t *table, side string) policy.Auth {
	list := authWords(side)
	want := "write auth = " + words(list)
	word, at := t.strAs("auth", "", want)
	m, known := valueOf(list, word)
	switch {
	case t.broken:
		return policy.AuthPSK // whatever: it is no table
	case !t.src.Has("auth"):
	case known:
		return m
	case isConstraint(word):
		t.valueNotSupported("auth", `write auth = "pubkey": which keys and hashes are good enough can't be limited`)
	case strings.HasPrefix(word, "eap-") && strings.Contains(word, ":"):
		word, _, _ = strings.Cut(word, ":")
		t.valueNotSupported("auth", "write auth = "+quote(word)+": which keys and hashes are good enough can't be limited")
	case isLaterAuth(word):
		t.valueNotSupported("auth", want)
	case word != "" || t.isString("auth"):
		if _, is := policy.Parse[policy.Auth](word); is {
			want = "it is for remote: a gateway asks for it; write \"eap\" for a side that answers"
		} else if near, ok := nearest(word, namesOf(list)); ok {
			want = "did you mean " + quote(near) + "? It is one of " + words(list)
		}
		t.errorf(at, want, "%s is %s", t.name("auth"), quote(word))
	}
	return 0
}

// authWords are the methods that a side can have. The last two are a server's: this side asks a RADIUS server, or has several methods
// to choose from.
func authWords(side string) (list []enum[policy.Auth]) {
	for _, w := range wordsOf[policy.Auth]() {
		if side == "remote" || w.value != policy.AuthEAPRADIUS && w.value != policy.AuthEAPDynamic {
			list = append(list, w)
		}
	}
	return list
}

// isConstraint recognises swanctl's ways to say which keys, and which hashes, are good enough.
func isConstraint(word string) bool {
	return slices.ContainsFunc([]string{"pubkey-", "rsa", "ecdsa", "ed25519", "ed448", "ike:"}, func(p string) bool { return strings.HasPrefix(word, p) })
}

// isLaterAuth recognises swanctl's methods that this version does not have.
func isLaterAuth(word string) bool {
	return slices.ContainsFunc([]string{"bliss", "eap-sim", "eap-aka", "eap-tnc", "eap-pt-tls", "xauth", "null", "any"}, func(p string) bool { return strings.HasPrefix(word, p) })
}

// readEAPID reads eap_id. For this side it is a name, and for the other a pattern.
func readEAPID(t *table, side string) (p identity.UserPattern) {
	text, at := t.str("eap_id", "%any")
	if !t.isString("eap_id") {
		return p
	}
	p, reason, want := identity.ParseUserPattern(text)
	switch {
	case reason != "":
		t.errorf(at, want, "%s is %s: %s", t.name("eap_id"), quote(text), reason)
	case side == "local" && !p.Concrete():
		t.errorf(at, "write the name of the user, or leave it out for that of id", "%s is %s, a pattern", t.name("eap_id"), quote(text))
	}
	return p
}

// readGroups reads the names of groups of users.
func readGroups(t *table) (out []string) {
	items, ok := t.texts("groups")
	if ok && len(items) == 0 {
		t.emptyList("groups", "leave it out for users of any group, or of none")
	}
	for _, it := range items {
		if it.text == "" || it.text != strings.TrimSpace(it.text) || strings.ContainsRune(it.text, ',') {
			t.errorf(it.at, "write the name of a group", "an element of %s is %s", t.name("groups"), quote(it.text))
			continue
		}
		if !slices.Contains(out, it.text) {
			out = append(out, it.text)
		}
	}
	return out
}

// byEAP reports whether the table has a key that only EAP gives a meaning.
func (a Auth) byEAP() bool { return slices.ContainsFunc([]string{"eap_id", "aaa_id", "groups"}, a.Has) }

// inferMethods gives the sides of a connection that do not write auth their method: a side with a key that only EAP has a use for has EAP, one
// with certificates has pubkey, and so has one whose other side has either. The peers of a connection for clients are users, if there are users and it
// has no key of its own. Everything else is psk.
func inferMethods(n *Connection, c *Config, t *table) {
	if a := &n.Remote; t.has("pools") && a.Method == 0 && !a.Has("auth") && !a.byCertificates() && !a.byEAP() && !t.has("secret") && !t.has("secret_file") && !t.broken {
		a.Method = c.usersMethod()
	}
	for _, list := range [][]Auth{n.LocalRounds, n.RemoteRounds} {
		for i := range list {
			switch a := &list[i]; {
			case a.Method != 0 || a.Has("auth"):
			case a.byEAP():
				a.Method = policy.AuthEAP
			case a.byCertificates():
				a.Method = policy.AuthPubkey
			default:
				a.Method = policy.AuthPSK
			}
		}
	}
	sides := []*Auth{&n.Local, &n.Remote}
	for i, a := range sides {
		other := sides[1-i]
		switch {
		case a.Method != 0 || a.Has("auth") || t.broken:
		case a.byEAP():
			a.Method = policy.AuthEAP
		case a.byCertificates(), !other.Has("auth") && (other.byCertificates() || other.byEAP()), other.Method == policy.AuthPubkey && other.Has("auth"), other.Method.EAP():
			a.Method = policy.AuthPubkey
		default:
			a.Method = policy.AuthPSK
		}
	}
}
