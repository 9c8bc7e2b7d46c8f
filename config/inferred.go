package config

import (
	"fmt"
	"strings"

	"esplanade/ike/eap"
	"esplanade/ike/identity"
	"esplanade/ike/policy"
)

// checkInferred notes, for each connection that leaves something out, what stands for it: what is not written can't be read again by the
// next operator, nor be compared with the other end.
func (c *Config) checkInferred() {
	for _, n := range c.Connections {
		what := c.inferred(n)
		for _, s := range []string{n.inferredClients(), n.inferredPreset()} {
			if s != "" {
				what = append([]string{s}, what...)
			}
		}
		if len(what) > 0 {
			c.Notes = append(c.Notes, Problem{Position: n.Position(), What: oneLine(n.Source.name + " means: " + strings.Join(what, "; "))})
		}
	}
}

// inferred lists what a connection does not say.
func (c *Config) inferred(n *Connection) (out []string) {
	psk := n.Local.Method == policy.AuthPSK && !n.Local.Has("auth") || n.Remote.Method == policy.AuthPSK && !n.Remote.Has("auth")
	if s, ok := c.Credential(n.Name, n.Local.ID, n.Remote.ID, true); ok && psk {
		at := s.table
		for _, key := range []string{"secret", "secret_file"} {
			if s.Has(key) {
				at = s.At(key)
			}
		}
		out = append(out, fmt.Sprintf("auth is \"psk\", with the key of %s%s", s.FullName(), inLine(at)))
	}
	out = append(out, c.inferredCertificates(n)...)
	if h := n.loneChild(); h != nil && h.Has("local_ts") && !h.below["local_ts"] {
		out = append(out, fmt.Sprintf("child %s has %s%s, start_action %s", quote(h.Name), h.pair(), inLine(h.At("local_ts")), quote(h.StartAction.String())))
	}
	if len(out) == 0 {
		return nil
	}
	if n.Local.ID.Any() {
		out = append(out, "local.id is the address that it sends from")
	}
	switch {
	case !n.Remote.ID.Any():
	case n.Remote.Method.EAP():
		out = append(out, "remote.id is whatever the client calls its device")
	case n.Remote.Method == policy.AuthPubkey:
		out = append(out, "remote.id is whatever the peer's certificate or key is for")
	case n.HasOwnKey():
		out = append(out, "remote.id is whatever the peer with that key calls itself")
	default:
		out = append(out, "remote.id is any that has a key")
	}
	return out
}

// inferredCertificates says what a connection with certificates does not.
func (c *Config) inferredCertificates(n *Connection) (out []string) {
	if n.Local.Method == policy.AuthPubkey {
		own := c.Set.Own(n.Name, 0)
		switch {
		case len(own) == 0:
		case !n.Local.Has("auth"):
			out = append(out, fmt.Sprintf("local.auth is \"pubkey\", with %s", quote(own[0].Name)))
		case !n.Local.Has("certs") && !n.Local.Has("pubkeys"):
			out = append(out, fmt.Sprintf("this side proves itself with %s", quote(own[0].Name)))
		}
		if len(own) > 0 && !n.Local.Has("id") && !n.Local.ID.Any() {
			out = append(out, fmt.Sprintf("local.id is %s, %s of that certificate", quote(n.Local.ID.String()), partOf(n.Local.ID)))
		}
	}
	if n.Remote.Method == policy.AuthPubkey && !n.Remote.Has("auth") {
		out = append(out, "remote.auth is \"pubkey\"")
	}
	if s, ok := c.EAP.Server(n.Name, 0); ok && !n.Remote.Has("auth") {
		out = append(out, fmt.Sprintf("remote.auth is %s", quote(n.Remote.Method.String())))
		if s.Config != nil {
			out[len(out)-1] += ", which is " + methodNames(s.Config.Methods) + " for " + c.whoseUsers()
		}
	}
	return out
}

// loneChild is the child that stands in the connection's own table; nil if there is none.
func (c *Connection) loneChild() *Child {
	if len(c.Children) == 1 && c.Children[0].Source.name == c.Source.name {
		return c.Children[0]
	}
	return nil
}

// partOf says which part of a certificate an identity is.
func partOf(id identity.Identity) string {
	if id.Type == identity.DERASN1DN {
		return "the subject"
	}
	return "the name"
}

// methodNames are methods of EAP as they are written.
func methodNames(list []eap.Type) string {
	var names []string
	for _, t := range list {
		names = append(names, t.String())
	}
	return either(names)
}

// whoseUsers says where the users are written.
func (c *Config) whoseUsers() string {
	n := fmt.Sprintf("the %d users", c.Users.Directory.Len())
	if c.Users.Directory.Len() == 1 {
		n = "the one user"
	}
	if c.Users.File == "" {
		return n + " of [secrets.eap.NAME]"
	}
	return n + " of " + quote(c.Users.File)
}
