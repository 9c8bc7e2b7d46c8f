package config

import (
	"fmt"
	"slices"
	"strings"

	"esplanade/ike/identity"
	"esplanade/ike/policy"
)

// checkSecrets reports the peers of connections that have no key, and those whose key others have too. What depends on an
// address or on the peer's choice is left to the time when that is known.
func (c *Config) checkSecrets(r *reader) {
	for _, n := range c.Connections {
		if n.Has("secret") || n.Has("secret_file") {
			// One that can't be read has been reported.
			if n.HasOwnKey() && !n.Remote.ID.Concrete() && !n.CanInitiate() {
				r.warnf(n.ownKeyAt(), "write a connection with a key of its own for each peer, or the peer's id", "%s has a key for all of its peers: "+
					"whoever has it can pass for %s", n.Source.name, passesFor(n.Remote.Method == policy.AuthPSK))
			}
			continue
		}
		if n.Local.Method == 0 || n.Remote.Method == 0 {
			continue // a word that is none has been reported, and what the other side has follows from it
		}
		if n.usesPSK() && !c.hasPSK(n) {
			c.reportMissing(r, n)
		} else if n.usesPSK() {
			c.reportOwnOnly(r, n)
		}
	}
	for _, s := range c.Secrets.IKE {
		if t := c.takers(s); len(t.names) > 1 || t.many {
			at := s.table
			if s.Has("id") {
				at = s.At("id")
			}
			r.warnf(at, "write a table [secrets.ike.NAME] with a key of its own for each peer", "secrets.ike.%s is the key of %s: "+
				"whoever has it can pass for %s", s.Name, t, passesFor(t.proves))
		}
	}
}

// hasCertificates reports whether there is anything in the file that only connections with certificates use.
func (c *Config) hasCertificates() bool {
	cred := &c.Credentials
	return len(c.Secrets.Files)+len(cred.X509)+len(cred.X509CA)+len(cred.Private)+len(cred.PKCS12) > 0 || cred.ACME.Enabled()
}

// Vouched says what vouches for the identity that the peer is known by, in a text that is only to be compared: "" for a pre-shared key of
// [secrets], of which there is one for each identity, and else what the configuration names for certificates and keys.
func (n *Connection) Vouched() string {
	_, a := n.LastIDs()
	if a.Method != policy.AuthPubkey {
		return ""
	}
	return fmt.Sprintf("pubkey %q %q %q %q %q", a.CACerts, a.Certs, a.Pubkeys, a.CAID.String(), a.Policies)
}

func (n *Connection) usesPSK() bool {
	return n.Local.Method == policy.AuthPSK || n.Remote.Method == policy.AuthPSK
}

// hasPSK reports whether some secret fits the peer, or may fit when it is known who the peer is.
func (c *Config) hasPSK(n *Connection) bool {
	_, ok := c.Credential(n.Name, n.Local.ID, n.Remote.ID, true)
	return ok
}

// reportMissing reports a connection whose peer has no key. Others go on without it, so that a key that was taken away
// is out of use after a reload: it is an error only where no connection could ever authenticate.
func (c *Config) reportMissing(r *reader, n *Connection) {
	report, only := r.errorf, ""
	if slices.ContainsFunc(c.Connections, c.hasPSK) {
		report = r.warnf
	}
	for _, s := range c.Secrets.IKE {
		if best(s.IDs, n.Local.ID) > 0 {
			report, only = r.warnf, fmt.Sprintf(" (secrets.ike.%s names this gateway, which does not make it this peer's key)", s.Name)
			break
		}
	}
	peer := "its peer"
	if id := n.Remote.ID; !id.Any() {
		peer = quote(id.String())
	}
	want := "write a table [secrets.ike.NAME] with the peer's identity as id and a key of its own"
	if n.Remote.ID.Concrete() {
		want = "write a table [secrets.ike.NAME] with id = [" + peer + "] and a key of its own"
	}
	if c.hasCertificates() && !n.Local.Has("auth") && !n.Remote.Has("auth") {
		want = "if certificates are meant, write auth = \"pubkey\" into [" + n.Local.name + "]; otherwise " + want
	}
	report(n.Local.At("auth"), want+", or secret_file = \"FILE\" into ["+n.Source.name+"]", "there is no secret for %s: none names %s%s",
		n.Source.name, peer, only)
}

// reportOwnOnly warns of a connection whose peers have no key but such as name nobody except this gateway: with one, a peer would
// have to call itself what this gateway does.
func (c *Config) reportOwnOnly(r *reader, n *Connection) {
	keys := c.PeerKeys(n)
	if n.Remote.ID.Concrete() || len(keys) == 0 {
		return
	}
	for _, s := range keys {
		if len(s.IDs) == 0 || slices.ContainsFunc(s.IDs, func(id identity.Identity) bool { return !n.isOwn(id) }) {
			return
		}
	}
	r.warnf(keys[0].At("id"), "write the peer's identity as id", "secrets.ike.%s names nobody but this gateway, and connections.%s has no "+
		"other key: its peer would have to call itself as this gateway does", keys[0].Name, n.Name)
}

// isOwn reports whether an identity is the one by which this side of a connection calls itself.
func (n *Connection) isOwn(id identity.Identity) bool {
	if !n.Local.ID.Any() {
		return id.Equal(n.Local.ID)
	}
	a, ok := id.Addr()
	return ok && slices.ContainsFunc(n.LocalAddrs, func(e Endpoint) bool { return e.Addr() == a })
}

// takers are the peers for which a key is used.
type takers struct {
	names []string
	many  bool // one of the names stands for several peers
	// proves: one of them proves itself with the key. Without, it is only this gateway that does so, to all of them.
	proves bool
}

// passesFor says for whom the holder of a key can pass that several peers have.
func passesFor(peers bool) string {
	if peers {
		return "any other of them"
	}
	return "this gateway to any other of them"
}

func (t *takers) add(name string, many bool) {
	if !slices.Contains(t.names, name) {
		t.names = append(t.names, name)
	}
	t.many = t.many || many
}

// maxTakers is how many peers a message lists.
const maxTakers = 4

// String lists the peers.
func (t takers) String() string {
	if n := len(t.names); n > maxTakers {
		return strings.Join(t.names[:maxTakers], ", ") + fmt.Sprintf(" and %d more", n-maxTakers)
	}
	return joinAnd(t.names)
}

// joinAnd is a list in words.
func joinAnd(list []string) string {
	if n := len(list); n > 1 {
		return strings.Join(list[:n-1], ", ") + " and " + list[n-1]
	}
	return strings.Join(list, "")
}

// takers finds the peers for which a key is used, of all connections.
func (c *Config) takers(s *IKESecret) (t takers) {
	for _, n := range c.Connections {
		before := len(t.names)
		switch remote := n.Remote.ID; {
		case !n.usesPSK() || n.HasOwnKey():
		case remote.Concrete():
			if k, ok := c.PSK(n.Local.ID, remote); ok && k == s {
				pattern := s.namedBy(remote)
				t.add(quote(remote.String())+pattern, pattern != "")
			}
		case len(s.IDs) == 0:
			// A connection with one address to call has one peer, whatever it calls itself.
			single := remote.Any() && n.CanInitiate()
			t.add("all other peers of connections."+n.Name, !single)
		default:
			c.namedTakers(s, n, &t)
		}
		t.proves = t.proves || len(t.names) > before && n.Remote.Method == policy.AuthPSK
	}
	return t
}

// namedTakers adds those whom the key names and a connection with a pattern accepts.
func (c *Config) namedTakers(s *IKESecret, n *Connection, t *takers) {
	for _, id := range s.IDs {
		switch {
		case id.Equal(n.Local.ID) && len(s.IDs) > 1 || !mayMatch(n.Remote.ID, id):
		case !id.Concrete():
			t.add("whoever "+quote(id.String())+" stands for", true)
		default:
			if k, ok := c.PSK(n.Local.ID, id); ok && k == s {
				t.add(quote(id.String()), false)
			}
		}
	}
}

// namedBy is the pattern through which a key fits an identity, as a remark; empty where it names it in full, or nobody.
func (s *IKESecret) namedBy(id identity.Identity) (remark string) {
	for _, p := range s.IDs {
		switch n, ok := id.Matches(p); {
		case ok && n == identity.ScorePerfect:
			return ""
		case ok:
			remark = " (one of those for which " + quote(p.String()) + " stands)"
		}
	}
	return remark
}
