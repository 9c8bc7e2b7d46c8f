package config

import (
	"maps"
	"slices"

	"esplanade/ike/credential"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/policy"
)

// Renewed, of the configuration of a file alone, reads the certificates and keys that it names once more, and its users file. changed reports whether anything that is
// taken up has another content; fresh is then the configuration with what they come to now, and everything else as it was. errs says what keeps
// the certificates, or the users, from taking the place of what there is, the whole of them: everything that would be an error when a configuration
// is loaded, and a certificate that is no longer for the identity that its connection shows. What is wrong with the ones does not keep the others.
func (c *Config) Renewed() (fresh *Config, changed bool, errs Errors) {
	out := *c
	certErrs := out.renewCertificates(c)
	users := newReader(c.File)
	if out.readDirectory(users); len(users.errs) > 0 {
		out.Users = c.Users
	}
	out.EAP = out.makeEAP()
	return &out, !maps.Equal(out.contents, c.contents) || out.Users.sum != c.Users.sum, sortProblems(append(certErrs, users.errs...))
}

// renewCertificates reads the certificates and keys of c once more. What there is stays if anything is wrong with them.
func (out *Config) renewCertificates(c *Config) []Problem {
	r := newReader(c.File)
	out.Connections = slices.Clone(c.Connections)
	out.Set = out.makeSet(r)
	for i, n := range c.Connections {
		id := n.Local.ID
		if n.Local.Method != policy.AuthPubkey || id.Any() || len(r.errs) > 0 {
			continue
		}
		own := out.Set.Own(n.Name, 0)
		switch {
		case !out.Connections[i].Local.ID.Equal(id):
			r.errorf(n.Local.At("certs"), "`esplanade reload` takes it up", "%s calls itself %s by the subject of its certificate, and that in %s is for %s", n.Source.name, quote(id.String()),
				quote(own[0].Name), pki.Names(own[0].Chain[0]))
		case bound(c.Set.Own(n.Name, 0), id) && !bound(own, id):
			r.errorf(n.Local.At("id"), "put a certificate for that identity there", "%s.id is %s, and no certificate is for it any more", n.Local.name, quote(id.String()))
		}
	}
	if len(r.errs) > 0 {
		*out = *c
	}
	out.Connections = c.Connections
	return r.errs
}

// NewUsers reports whether fresh has another users file.
func (c *Config) NewUsers(fresh *Config) bool { return c.Users.sum != fresh.Users.sum }

// ChangedFiles are the names of the files with certificates, keys and users that have another content in fresh, are new in it, or gone.
func (c *Config) ChangedFiles(fresh *Config) (names []string) {
	all := maps.Clone(c.contents)
	maps.Copy(all, fresh.contents)
	for name := range all {
		a, inOld := c.contents[name]
		b, inFresh := fresh.contents[name]
		if a != b || inOld != inFresh {
			names = append(names, name)
		}
	}
	if c.NewUsers(fresh) {
		names = append(names, fresh.Users.File)
	}
	slices.Sort(names)
	return names
}

// bound reports whether one of the pairs has a certificate for an identity, or is a raw key, which is for every one.
func bound(pairs []credential.Pair, id identity.Identity) bool {
	return slices.ContainsFunc(pairs, func(p credential.Pair) bool { return len(p.Chain) == 0 || pki.Binds(p.Chain[0], id) })
}
