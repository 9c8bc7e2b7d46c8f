package config

import (
	"fmt"
	"slices"
	"strings"

	"esplanade/ike/eap"
	"esplanade/ike/policy"
)

// EAPServer is what checks the users of a connection.
type EAPServer struct {
	// Config is that of a server of EAP in this gateway. Nil: a RADIUS server is it.
	Config *eap.ServerConfig
	// Realm names what vouches for the users: whoever is let in by one connection is let in by another one with the same text.
	Realm string
}

// EAPSet is what the users of all connections are checked with, and what this side proves itself with as a user. It is never changed, and may be
// used by any goroutine. A nil *EAPSet has nothing.
type EAPSet struct {
	servers map[eapKey]EAPServer
	clients map[eapKey]*eap.ClientConfig
	users   *Directory
	// more has those of other connections; nil for none.
	more func(connection string) eapPart
}

// eapPart is what one connection has, by its remote and its local tables.
type eapPart struct {
	servers map[int]EAPServer
	clients map[int]*eap.ClientConfig
}

// eapKey is one table of a side of a connection.
type eapKey struct {
	connection string
	index      int
}

// Server is what checks the users of a connection by one of its remote tables.
func (s *EAPSet) Server(connection string, index int) (EAPServer, bool) {
	if s == nil {
		return EAPServer{}, false
	}
	v, ok := s.servers[eapKey{connection, index}]
	if !ok && s.more != nil {
		v, ok = s.more(connection).servers[index]
	}
	return v, ok
}

// Client is what this side proves itself with by one of the local tables of a connection.
func (s *EAPSet) Client(connection string, index int) (*eap.ClientConfig, bool) {
	if s == nil {
		return nil, false
	}
	v, ok := s.clients[eapKey{connection, index}]
	if !ok && s.more != nil {
		v, ok = s.more(connection).clients[index]
	}
	return v, ok
}

// Users are the users of this gateway. It may be called on nil.
func (s *EAPSet) Users() *Directory {
	if s == nil {
		return nil
	}
	return s.users
}

// makeEAP makes the set of what has been read: users, passwords, certificates.
func (c *Config) makeEAP() *EAPSet { return c.makeEAPOf(c.Connections) }

func (c *Config) makeEAPOf(conns []*Connection) *EAPSet {
	s := &EAPSet{servers: map[eapKey]EAPServer{}, clients: map[eapKey]*eap.ClientConfig{}, users: c.Users.Directory}
	for _, n := range conns {
		p := c.makeEAPPart(n)
		for i, v := range p.servers {
			s.servers[eapKey{n.Name, i}] = v
		}
		for i, v := range p.clients {
			s.clients[eapKey{n.Name, i}] = v
		}
	}
	return s
}

// makeEAPPart is what one connection has.
func (c *Config) makeEAPPart(n *Connection) (p eapPart) {
	local, remote := n.Rounds()
	for i := range remote {
		if v, ok := c.eapServer(n, i, &remote[i]); ok {
			if p.servers == nil {
				p.servers = map[int]EAPServer{}
			}
			p.servers[i] = v
		}
	}
	for i := range local {
		if v, ok := c.eapClient(n, i, &local[i]); ok {
			if p.clients == nil {
				p.clients = map[int]*eap.ClientConfig{}
			}
			p.clients[i] = v
		}
	}
	return p
}

// usesEAP reports whether the rounds of a connection have EAP.
func (n *Connection) usesEAP() bool {
	local, remote := n.Rounds()
	is := func(a Auth) bool { return a.Method.EAP() }
	return slices.ContainsFunc(local, is) || slices.ContainsFunc(remote, is)
}

// eapServer is what checks the users of a table.
func (c *Config) eapServer(n *Connection, index int, a *Auth) (EAPServer, bool) {
	switch {
	case !a.Method.EAP():
		return EAPServer{}, false
	case a.Method == policy.AuthEAPRADIUS:
		return EAPServer{Realm: "radius"}, true
	}
	conf := &eap.ServerConfig{AskIdentity: true, Users: c.Users.Directory, TLS: c.tlsServer(n, index, a), Inner: innerMethods(a)}
	conf.Methods = c.serverMethods(a, conf.TLS)
	if len(conf.Methods) == 0 && a.Method.Chosen() && len(c.RADIUS.Servers) > 0 {
		return EAPServer{Realm: "radius"}, true
	}
	return EAPServer{Config: conf, Realm: eapRealm(conf.Methods, a)}, len(conf.Methods) > 0
}

// eapRealm says what vouches for the users of a table.
func eapRealm(methods []eap.Type, a *Auth) string {
	parts := []string{"users"}
	for _, m := range methods {
		parts = append(parts, m.String())
	}
	if slices.Contains(methods, eap.TypeTLS) {
		// All that certificates are judged by: whom a table lets in that asks for less is not let in by one that asks for more.
		parts = append(parts, fmt.Sprintf("%q %q %q %q %s %t", a.CACerts, a.Certs, a.CAID.String(), a.Policies, a.Revocation, a.KnownUsers))
	}
	return strings.Join(parts, " ")
}

// serverMethods are the methods that the users of a table may have, the one that is offered first before all others. Without a word for one
// of them they are those that make a key: with passwords if there are any, with certificates if the table says whose count.
func (c *Config) serverMethods(a *Auth, with *eap.TLSServer) (out []eap.Type) {
	if t, ok := eapType(a.Method); ok {
		if a.Method.TLS() && (with == nil || t == eap.TypeTLS && with.Judge == nil) {
			return nil // which has been reported
		}
		return []eap.Type{t}
	}
	users := c.Users.Directory.Len() > 0
	for _, m := range []struct {
		t  eap.Type
		ok bool
	}{{eap.TypeMSCHAPv2, users}, {eap.TypeTLS, with != nil && with.Judge != nil}, {eap.TypePEAP, users && with != nil}, {eap.TypeTTLS, users && with != nil}} {
		if m.ok {
			out = append(out, m.t)
		}
	}
	return out
}

// eapType is the method of EAP that a word stands for; ok is false for a word that leaves the choice.
func eapType(a policy.Auth) (t eap.Type, ok bool) {
	switch a {
	case policy.AuthEAPMD5:
		return eap.TypeMD5, true
	case policy.AuthEAPGTC:
		return eap.TypeGTC, true
	case policy.AuthEAPMSCHAPv2:
		return eap.TypeMSCHAPv2, true
	case policy.AuthEAPTLS:
		return eap.TypeTLS, true
	case policy.AuthEAPTTLS:
		return eap.TypeTTLS, true
	case policy.AuthEAPPEAP:
		return eap.TypePEAP, true
	default:
		return 0, false
	}
}

// innerMethods are those that a user may have within a tunnel, which nobody reads along.
func innerMethods(a *Auth) []eap.Type {
	if a.Method == policy.AuthEAPPEAP {
		return []eap.Type{eap.TypeMSCHAPv2, eap.TypeGTC}
	}
	return []eap.Type{eap.TypeMSCHAPv2, eap.TypeGTC, eap.TypeMD5}
}

// eapClient is what this side proves itself with by a table.
func (c *Config) eapClient(n *Connection, index int, a *Auth) (*eap.ClientConfig, bool) {
	if !a.Method.EAP() {
		return nil, false
	}
	conf := &eap.ClientConfig{Identity: a.UserName(), TLS: c.tlsClient(n, index, a), Inner: innerMethods(a)}
	if conf.TLS != nil && conf.TLS.Certificate != nil && !a.Has("eap_id") && !a.Has("id") {
		conf.Identity = nameIn(conf.TLS.Certificate.Leaf)
	}
	if s, ok := c.ownSecret(conf.Identity); ok && conf.Identity != "" {
		conf.Secret = s.secret
	}
	conf.Methods = clientMethods(a, conf)
	return conf, len(conf.Methods) > 0
}

// clientMethods are the methods that this side takes of a gateway. Without a word for one of them they are none that show the password, or that
// prove nothing of the gateway.
func clientMethods(a *Auth, c *eap.ClientConfig) (out []eap.Type) {
	if t, ok := eapType(a.Method); ok {
		return []eap.Type{t}
	}
	password := !c.Secret.None()
	for _, m := range []struct {
		t  eap.Type
		ok bool
	}{{eap.TypeTLS, c.TLS != nil && c.TLS.Certificate != nil}, {eap.TypeMSCHAPv2, password}, {eap.TypePEAP, password && c.TLS != nil}, {eap.TypeTTLS, password && c.TLS != nil}} {
		if m.ok {
			out = append(out, m.t)
		}
	}
	return out
}
