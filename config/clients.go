package config

import (
	"slices"
	"strings"

	"esplanade/ike/policy"
)

// A connection with pools is one for clients: laptops and phones, which call, come from anywhere, and send all that they have into the tunnel. Some
// defaults are others there than between two gateways.

// clientKeys are what a connection for clients has in the place of the defaults. A phone that is asked every 30 seconds whether it is there
// loses its battery; those of Apple and Android do not ask for the certificate, and need it; and the systems' own clients renew their SAs themselves, earlier, and Windows behind NAT refuses to have it done
// for it: https://docs.strongswan.org/docs/6.0/interop/windowsClients.html
func clientKeys() []presetKey {
	return []presetKey{{"dpd_delay", "5m"}, {"rekey_time", "24h"}, {"send_cert", "always"}}
}

// clientChildKeys are those of its children.
func clientChildKeys() []presetKey {
	return []presetKey{{"local_ts", []string{"0.0.0.0/0", "::/0"}}, {"rekey_time", "8h"}}
}

// forClients puts them below what is written, where the connection has pools. It returns those of the children.
func forClients(t *table) (child []presetKey, at Position) {
	e, ok := t.vals.Get("pools")
	if !ok {
		return nil, at
	}
	at = e.At
	keys := clientKeys()
	if t.has("reauth_time") {
		keys = without(keys, "rekey_time")
	}
	t.below(keys, at)
	return clientChildKeys(), at
}

// belowClients puts the keys of a child below what is written in it.
func (t *table) belowClients(keys []presetKey, at Position) {
	if t.has("life_time") {
		keys = without(keys, "rekey_time")
	}
	t.below(keys, at)
}

func without(keys []presetKey, key string) []presetKey {
	return slices.DeleteFunc(slices.Clone(keys), func(k presetKey) bool { return k.key == key })
}

// usersMethod is how the peers of a connection for clients prove themselves if it does not say it: as users, if there are any; 0 if there are
// none.
func (c *Config) usersMethod() policy.Auth {
	switch {
	case c.Users.File != "" || len(c.Secrets.EAP) > 0:
		return policy.AuthEAP
	case len(c.RADIUS.Servers) > 0:
		return policy.AuthEAPRADIUS
	}
	return 0
}

// keyForClients is the kind of the key of an ACME certificate that is not written: for users RSA, since Android's own client takes no other.
func (c *Config) keyForClients() {
	acme := &c.Credentials.ACME
	if acme.Has("key") || !acme.Enabled() {
		return
	}
	if slices.ContainsFunc(c.Connections, func(n *Connection) bool { return n.Remote.Method.EAP() && !n.CanInitiate() }) {
		acme.Key = "rsa3072"
	}
}

// inferredClients says what is different with pools; "" for a connection without.
func (c *Connection) inferredClients() string {
	if !c.Has("pools") {
		return ""
	}
	parts := c.given(clientKeys())
	for _, h := range c.Children {
		for _, s := range h.given(clientChildKeys()) {
			if s += " (children)"; !slices.Contains(parts, s) {
				parts = append(parts, s)
			}
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "pools set " + strings.Join(parts, ", ")
}
