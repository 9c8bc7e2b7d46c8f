package config

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"esplanade/ike/eap"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/policy"
)

// checkEAP looks at users, and at the connections that are for them, or that are one.
func (c *Config) checkEAP(r *reader) {
	for _, n := range c.Connections {
		local, remote := n.Rounds()
		for i := range remote {
			c.checkRemoteEAP(r, n, i, &remote[i])
		}
		for i := range local {
			c.checkLocalEAP(r, n, i, &local[i])
		}
		c.checkSystemClients(r, n, remote)
	}
	c.checkGroups(r)
	c.checkKnownUsers(r)
}

// checkKnownUsers wants it to be written whose certificates name the users of this gateway, where tables for EAP-TLS accept different CAs: each of them could
// call somebody by the name of another one's user, who has groups and addresses.
func (c *Config) checkKnownUsers(r *reader) {
	var sets []string              // of CAs, in the order of the file
	tables := map[string][]*Auth{} // the first of each, and the first that does not say it
	for _, n := range c.Connections {
		_, remote := n.Rounds()
		for i := range remote {
			a := &remote[i]
			server, ok := c.EAP.Server(n.Name, i)
			if !ok || server.Config == nil || !slices.Contains(server.Config.Methods, eap.TypeTLS) || !a.KnownUsers {
				continue
			}
			set := anchorsOf(c.Set.Accepted(n.Name, i).Trust)
			if tables[set] == nil {
				sets = append(sets, set)
			}
			if list := tables[set]; list == nil || !a.Has("known_users") && list[len(list)-1].Has("known_users") {
				tables[set] = append(list, a)
			}
		}
	}
	for i, set := range sets {
		for _, a := range tables[set] {
			if len(sets) == 1 || a.Has("known_users") {
				continue // where it is written, whoever has written it knows
			}
			other := tables[sets[(i+1)%len(sets)]][0]
			r.errorf(a.At("auth"), "write known_users = true into each of them whose CAs name users of this gateway, and known_users = false into the others, whose users are none of them",
				"%s and %s accept users with certificates of different CAs, and a name would be the same user in both", a.Source.name, other.Source.name)
			return
		}
	}
}

// anchorsOf are the CAs that are trusted, as a text that is only compared.
func anchorsOf(t *pki.Trust) string {
	if t == nil {
		return ""
	}
	var list []string
	for _, ca := range t.Anchors {
		list = append(list, string(ca.Raw))
	}
	slices.Sort(list)
	return strings.Join(slices.Compact(list), "")
}

// uselessEAP reports keys for users in a table of another method. They would seem to keep people out.
func uselessEAP(r *reader, a *Auth) bool {
	if a.Method.EAP() || a.Method == 0 {
		return false
	}
	for _, key := range []string{"eap_id", "aaa_id", "groups", "known_users"} {
		if a.Has(key) {
			r.errorf(a.At(key), "write auth = \"eap\", or remove it", "%s.%s is for users of EAP, and auth is %s", a.Source.name, key, quote(a.Method.String()))
		}
	}
	return true
}

func (c *Config) checkRemoteEAP(r *reader, n *Connection, index int, a *Auth) {
	if uselessEAP(r, a) || !a.Method.EAP() {
		return
	}
	server, ok := c.EAP.Server(n.Name, index)
	only := n.Local.Method.EAP()
	switch {
	case only && n.CanInitiate():
		// This side is the user of a gateway that proves itself by EAP.
	case !ok && len(r.errs) == 0 && !c.awaitsCertificate(n):
		r.lackf(a.At("auth"), "write file = \"FILE\" into [users], a table [secrets.eap.NAME], or cacerts = \"FILE\" into ["+a.Source.name+"]",
			"nothing says which users %s lets in", n.Source.name)
	case ok && server.Config != nil && c.Users.Directory.Len() == 0 && !slices.Contains(server.Config.Methods, eap.TypeTLS):
		r.warnf(a.At("auth"), "write some into "+c.usersPlace(), "there are no users: %s lets nobody in", n.Source.name)
	}
	if only {
		c.checkEAPOnly(r, n, index, a)
	}
	if n.Resumption && index == 0 {
		r.warnf(n.At("resumption"), "remove it", "%s is for users, who prove themselves each time: their IKE SAs are not resumed", n.Source.name)
	}
	if why := bareMethod(a.Method); why != "" {
		r.warnf(a.At("auth"), `write "eap-mschapv2", which all systems have, or "eap-ttls" with it inside`, "%s is %s: %s", a.Source.name+".auth", quote(a.Method.String()), why)
	}
	if e := a.EAPID; ok && server.Config != nil && e.Concrete() && !slices.Contains(server.Config.Methods, eap.TypeTLS) {
		if _, found := c.Users.Directory.Find(e.String()); !found {
			r.warnf(a.At("eap_id"), c.didYouMeanUser(e.String()), "%s.eap_id is %s, and there is no such user", a.Source.name, quote(e.String()))
		}
	}
}

// checkEAPOnly wants a method that proves the gateway as well, where nothing else does (RFC 5998 section 4). That of MSCHAPv2 is too weak for it.
func (c *Config) checkEAPOnly(r *reader, n *Connection, index int, a *Auth) {
	fix := `write auth = "pubkey" into [` + n.Local.Source.name + `], with a certificate, or "eap-tls" on both sides`
	methods, word := []eap.Type(nil), quote(a.Method.String())
	if n.CanInitiate() {
		fix = `write auth = "pubkey" into [` + a.Source.name + `], with cacerts for the gateway's certificate, or "eap-tls" on both sides`
		if client, ok := c.EAP.Client(n.Name, 0); ok {
			methods = client.Methods
		}
	} else if server, ok := c.EAP.Server(n.Name, index); ok && server.Config != nil {
		methods = server.Config.Methods
	}
	if a.Method.TLS() || a.Method.Chosen() {
		if len(methods) == 0 || slices.ContainsFunc(methods, eap.Type.Safe) {
			return
		}
		word = quote(methods[0].String()) + ", which is all that there is something for,"
	}
	r.errorf(a.At("auth"), fix, "%s has a method of EAP on both sides, and %s does not prove the gateway", n.Source.name, word)
}

// awaitsCertificate reports whether what is missing is the certificate of an ACME server, which comes.
func (c *Config) awaitsCertificate(n *Connection) bool {
	return c.Credentials.ACME.Enabled() && len(c.Set.Own(n.Name, 0)) == 0
}

// bareMethod says what is wrong with a method that is no better than the tunnel around it, of which there is none.
func bareMethod(m policy.Auth) string {
	switch m {
	case policy.AuthEAPMD5:
		return "it makes no key, and whoever gets a client to talk to another gateway can try passwords on what it says"
	case policy.AuthEAPGTC:
		return "it makes no key, and a client shows its password to whatever gateway it takes for this one"
	default:
		return ""
	}
}

// usersPlace is where users are to be written.
func (c *Config) usersPlace() string {
	if c.Users.File != "" {
		return quote(c.Users.File)
	}
	return "a file, and file = \"FILE\" into [users]"
}

// didYouMeanUser is the advice for a name that nobody has.
func (c *Config) didYouMeanUser(name string) string {
	var names []string
	for e := range c.Users.Directory.All() {
		if names = append(names, e.User.Name); len(names) == maxNeighbours {
			break
		}
	}
	if near, ok := nearest(name, names); ok {
		return "did you mean " + quote(near) + "?"
	}
	return "add the user to " + c.usersPlace()
}

func (c *Config) checkLocalEAP(r *reader, n *Connection, index int, a *Auth) {
	if uselessEAP(r, a) || !a.Method.EAP() || !n.CanInitiate() {
		return
	}
	client, ok := c.EAP.Client(n.Name, index)
	name := a.UserName()
	switch {
	case len(r.errs) > 0:
	case ok && client.Identity == "" && name == "":
		r.errorf(a.At("auth"), "write eap_id = \"NAME\", the name of the user", "%s has %s and no name of a user", a.Source.name, quote(a.Method.String()))
	case (!ok || client.Secret.None()) && a.Method != policy.AuthEAPTLS && (client == nil || client.TLS == nil || client.TLS.Certificate == nil):
		r.lackf(a.At("auth"), fmt.Sprintf("write a table [secrets.eap.NAME] with id = %s and the password", quote(name)), "there is no password for %s of %s", quote(name), a.Source.name)
	case ok && a.Method.TLS() && client.TLS == nil:
		r.lackf(a.At("auth"), "write cacerts = \"FILE\" into ["+n.Remote.Source.name+"], or x509ca = \"FILE\" into [credentials]",
			"nothing says which CAs %s accepts of the server of %s", n.Source.name, quote(a.Method.String()))
	}
	// Only the first round counts: nothing is said by EAP before the gateway has proved that one.
	if g := &n.Remote; ok && g.ID.Any() && g.Method != policy.AuthPSK && !g.Has("certs") && !g.Has("pubkeys") && (a.AAAID.Any() || !a.Method.TLS()) {
		r.warnf(a.At("auth"), `write id = "NAME", the DNS name in the gateway's certificate, into [`+g.Source.name+"]",
			"nothing says which gateway %s is for: whoever has any certificate of a CA that counts here, as other users may, can pass for the gateway to %s", n.Source.name, quote(name))
	}
	if a.Method == policy.AuthEAPGTC {
		r.warnf(a.At("auth"), `write "eap-mschapv2" if the gateway has it`, "%s.auth is \"eap-gtc\": it shows the password to the gateway", a.Source.name)
	}
}

// checkSystemClients looks at what the systems' own clients need of a gateway.
func (c *Config) checkSystemClients(r *reader, n *Connection, remote []Auth) {
	if !slices.ContainsFunc(remote, func(a Auth) bool { return a.Method.EAP() }) || n.CanInitiate() {
		return
	}
	if n.Local.Method == policy.AuthPSK {
		r.warnf(n.Local.At("auth"), `write certs = "FILE" into [`+n.Local.Source.name+`]`, "%s proves itself with a pre-shared key to users of EAP: no system's own client does that", n.Source.name)
	}
	if !n.Has("pools") && slices.ContainsFunc(n.Children, (*Child).DynamicRemote) {
		r.warnf(n.Position(), "write a table [pools.NAME] with addrs = \"10.30.0.0/24\", and pools = \"NAME\" into ["+n.Source.name+"]",
			"%s is for users and has no pools: clients that ask for an address get none, and most of them hang up then", n.Source.name)
	}
	own := c.Set.Own(n.Name, 0)
	if n.Local.Method != policy.AuthPubkey || len(own) == 0 || len(own[0].Chain) == 0 {
		return
	}
	at := n.Local.At("certs")
	if cert := own[0].Chain[0]; !servesClients(cert) {
		r.warnf(at, "issue it with the extended key usage serverAuth; `esplanade pki issue` and ACME do", "the certificate in %s is not one of a server (extendedKeyUsage serverAuth): Windows and Apple's systems refuse it", quote(own[0].Name))
	} else if len(cert.DNSNames) == 0 && len(cert.IPAddresses) == 0 {
		r.warnf(at, "issue it with the DNS name that clients call", "the certificate in %s has no DNS name: clients look for the name that they call", quote(own[0].Name))
	}
	if id := n.Local.ID; id.Type != identity.FQDN && n.Local.Has("id") {
		r.warnf(n.Local.At("id"), "leave it out, or write the DNS name that clients call", "%s.id is %s, which is no DNS name: iPhones and Android ask for the gateway by its name, and Windows compares it with the certificate",
			n.Local.Source.name, quote(id.String()))
	}
}

// checkGroups warns of groups that nobody is in. Those of RADIUS are not known here.
func (c *Config) checkGroups(r *reader) {
	have := sync.OnceValue(c.Users.Directory.Groups)
	c.checkGroupsOfParts(r, have)
	for _, n := range c.Connections {
		_, remote := n.Rounds()
		for i, a := range remote {
			if s, ok := c.EAP.Server(n.Name, i); !ok || s.Config == nil {
				continue
			}
			c.checkGroupsExist(r, a.Source, a.Groups, have)
		}
	}
}
