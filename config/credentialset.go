package config

import (
	"crypto/x509"
	"path/filepath"
	"slices"

	"esplanade/ike/credential"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/pki/files"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
)

// makeSet reads the certificates and keys, and finds out what each connection proves itself with and what it accepts. It gives connections
// that write no identity the one of their certificate.
func (c *Config) makeSet(r *reader) *credential.Set {
	s := newShelf(r, filepath.Dir(c.File))
	s.collect(c)
	common := s.common(c)
	s.known = common.intermediates
	all := map[string]credential.Connection{}
	for at, n := range c.Connections {
		c.Connections[at], all[n.Name] = s.credentials(n, common)
	}
	for i := range s.listed {
		s.listed[i].cas = s.known
	}
	s.uses = s.inView(s.uses)
	c.uses, c.lists, c.watch = s.uses, s.listed, slices.Compact(slices.Sorted(slices.Values(s.watch)))
	c.contents = s.contents
	c.shelf, c.common, c.inventory = s, common, s.inventory(common)
	return credential.NewSet(all, s.issued(c.Connections, all, common)...)
}

// inView are uses of certificates with the CAs that are known by now.
func (s *shelf) inView(uses []certUse) []certUse {
	for i := range uses {
		uses[i].known = s.known
	}
	return uses
}

// credentials finds out what a connection proves itself with and what it accepts. The connection is another one if it gets the identity of its
// certificate.
func (s *shelf) credentials(n *Connection, common common) (*Connection, credential.Connection) {
	var one credential.Connection
	local, remote := n.Rounds()
	for i, a := range local {
		var pairs []credential.Pair
		if a.Method == policy.AuthPubkey || n.showsCertificate(&a) {
			if !a.Has("id") {
				n = n.withLocalID(i, identity.Identity{}) // what it was before may have been the name of another certificate
			}
			now := n.inRound(i, 0)
			var id identity.Identity
			if pairs, id = s.pairs(now); now.Local.ID.Any() {
				now.Local.ID = id
				n = n.withLocalID(i, id)
			}
		}
		one.Own = append(one.Own, pairs)
	}
	for i, a := range remote {
		var accepted credential.Accepted
		if a.Method == policy.AuthPubkey || judgesCertificate(&a) {
			accepted = s.accepted(n.inRound(0, i), common)
		}
		one.Accept = append(one.Accept, accepted)
	}
	return n, one
}

// withLocalID is the connection with another identity of this side in a round.
func (c *Connection) withLocalID(round int, id identity.Identity) *Connection {
	out := *c
	if round == 0 {
		out.Local.ID = id
		return &out
	}
	out.LocalRounds = slices.Clone(out.LocalRounds)
	out.LocalRounds[round-1].ID = id
	return &out
}

// collect reads what is there for all connections: this gateway's keys and certificates.
func (s *shelf) collect(c *Config) {
	for _, f := range c.Secrets.Files {
		if f.File == "" {
			continue
		}
		n := named{key: f.Source.name + ".file", text: f.File, at: f.At("file")}
		if f.Kind == "pkcs12" {
			s.addBundles(n, f.Key.Bytes())
		} else {
			s.addKeys(n, f.Key.Bytes())
		}
	}
	cred := c.Credentials
	for _, n := range cred.each("private", cred.Private) {
		s.addKeys(n, nil)
	}
	for _, n := range cred.each("pkcs12", cred.PKCS12) {
		s.addBundles(n, nil)
	}
	for _, n := range cred.each("x509", cred.X509) {
		s.own = append(s.own, s.certificates(n)...)
	}
	if c.Credentials.ACME.Enabled() {
		s.addACME(&c.Credentials.ACME)
	}
	// Certificates of connections are read before the keys are needed: some have their key in the same file.
	for _, n := range c.Connections {
		local, _ := n.Rounds()
		for _, a := range local {
			for _, name := range a.each("certs", a.Certs) {
				s.certificates(name)
			}
		}
	}
}

// common is what all connections accept that do not say it themselves.
type common struct {
	anchors, intermediates []*x509.Certificate
	rules                  revocation.Rules
	// named are the names of x509ca.
	named []named
}

func (s *shelf) common(c *Config) (out common) {
	cred := c.Credentials
	out.named = cred.each("x509ca", cred.X509CA)
	for _, n := range out.named {
		for _, f := range s.certificates(n) {
			out.anchors = append(out.anchors, f.certs...)
			s.note(f, caRole, nil, f.certs...)
		}
	}
	for _, f := range s.own {
		out.intermediates = append(out.intermediates, authoritiesIn(f.certs)...)
	}
	for _, n := range cred.each("x509ocsp", cred.X509OCSP) {
		for _, f := range s.certificates(n) {
			out.rules.Responders = append(out.rules.Responders, f.certs...)
			s.note(f, responderRole, nil, f.certs...)
		}
	}
	for _, n := range cred.each("x509crl", cred.X509CRL) {
		out.rules.Lists = append(out.rules.Lists, s.revocationLists(n)...)
	}
	out.rules.Authorities = s.authorities(c)
	for _, a := range out.rules.Authorities {
		out.anchors = append(out.anchors, a.CA)
	}
	out.intermediates = append(out.intermediates, out.anchors...)
	return out
}

// revocationLists reads revocation lists.
func (s *shelf) revocationLists(n named) (out []*revocation.List) {
	for _, path := range s.expand(n) {
		data, ok := s.public(n, path, files.MaxCRL)
		if !ok {
			continue
		}
		found, err := files.CRLs(data)
		if err != nil {
			s.wrong(n, path, err)
			continue
		}
		for _, f := range found {
			l, err := revocation.ReadList(path, f.Raw)
			if err != nil {
				s.wrong(n, path, err)
				continue
			}
			out = append(out, l)
			s.listed = append(s.listed, listUse{named: n, path: path, list: f})
		}
	}
	return out
}

// accepted is what a connection's peer has to show.
func (s *shelf) accepted(n *Connection, all common) credential.Accepted {
	a := n.Remote
	t := &pki.Trust{Anchors: all.anchors, Intermediates: all.intermediates, Policies: a.Policies, CA: a.CAID}
	for _, name := range a.each("certs", a.Certs) {
		for _, f := range s.certificates(name) {
			t.Pinned = append(t.Pinned, f.certs[0])
			s.note(f, pinnedRole, n, f.certs[0])
			t.Intermediates = append(slices.Clip(t.Intermediates), authoritiesIn(f.certs[1:])...)
		}
	}
	for _, name := range a.each("pubkeys", a.Pubkeys) {
		t.Keys = append(t.Keys, s.publicKeys(name)...)
	}
	if s.swanctl && len(t.Pinned)+len(t.Keys) == 0 && !a.Has("cacerts") && a.CAID.Any() {
		// strongSwan trusts whatever is in its folder x509, of peers too.
		t.Pinned = s.trustedOfPeers()
	}
	if len(t.Keys) > 1 && !a.ID.Concrete() {
		s.warnf(a.At("pubkeys"), "write a connection with the id of its peer for each key", "%s.pubkeys has several keys, and a key without a certificate says nothing of whose it is: whoever has "+
			"one of them can pass for any other peer of %s", a.Source.name, n.Source.name)
	}
	if a.Has("cacerts") {
		t.Anchors = nil
		for _, name := range a.each("cacerts", a.CACerts) {
			for _, f := range s.certificates(name) {
				t.Anchors = append(t.Anchors, f.certs...)
				s.note(f, caRole, n, f.certs...)
			}
		}
		s.known = append(slices.Clip(s.known), t.Anchors...)
		t.Intermediates = append(slices.Clip(t.Intermediates), t.Anchors...)
	} else if len(t.Keys) > 0 {
		// Whoever is known by a key is not accepted by the certificate of another key.
		t.Anchors = nil
	}
	if len(t.Anchors)+len(t.Pinned)+len(t.Keys) == 0 && len(s.errs) == 0 {
		s.lackf(a.At("auth"), "write cacerts = \"FILE\" into ["+a.Source.name+"], or x509ca = \"FILE\" into [credentials]",
			"nothing says which CAs %s accepts of its peer%s", n.Source.name, s.emptyFolders(append(a.each("cacerts", a.CACerts), all.named...)))
	}
	if a.Revocation != policy.RevocationRelaxed && len(t.Pinned)+len(t.Keys) > 0 {
		s.warnf(a.At("revocation"), "take a certificate or key that is to count no more out of the list", "%s.revocation does not count for what certs and pubkeys name: whether "+
			"that was revoked is not looked for", a.Source.name)
	}
	rules := all.rules
	rules.Policy = a.Revocation
	return credential.Accepted{Trust: t, Rules: rules}
}

// trustedOfPeers are the loaded certificates that peers are known by: not those of this gateway.
func (s *shelf) trustedOfPeers() []*x509.Certificate {
	if p := s.peers; p != nil && p.keys == len(s.keys) && p.trusted == len(s.trusted) {
		return slices.Clone(p.certs)
	}
	return slices.DeleteFunc(slices.Clone(s.trusted), func(c *x509.Certificate) bool {
		public, err := pki.PublicKey(c)
		_, own := s.keyFor(public)
		return err != nil || own
	})
}

// peersOnShelf are the certificates of peers on a shelf as they were with so many keys and trusted certificates, to which others are only added.
type peersOnShelf struct {
	keys, trusted int
	certs         []*x509.Certificate
}

// authoritiesIn are the certificates of CAs among others.
func authoritiesIn(certs []*x509.Certificate) (out []*x509.Certificate) {
	for _, c := range certs {
		if c.IsCA {
			out = append(out, c)
		}
	}
	return out
}

// note keeps certificates for [Config.CertificateRemarks].
func (s *shelf) note(f ownCert, role certRole, n *Connection, certs ...*x509.Certificate) {
	for _, c := range certs {
		s.uses = append(s.uses, certUse{named: f.named, path: f.path, role: role, conn: n, cert: c})
	}
}
