package config

import (
	"crypto/x509"
	"maps"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"

	"esplanade/ike/credential"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/pki/files"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/policy"
)

// Renewed reads the certificates and keys that the configuration names once more. changed says whether any file has another content; fresh is
// then the configuration with what they come to now, and everything else as it was. errs says what keeps it from taking the place of what
// there is, the whole of it: everything that would be an error when a configuration is loaded, and a certificate that is no longer for the
// identity that its connection shows.
func (c *Config) Renewed() (fresh *Config, changed bool, errs Errors) {
	r := newReader(c.File)
	out := *c
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
	out.Connections = c.Connections
	return &out, !maps.Equal(out.contents, c.contents), sortProblems(r.errs)
}

// ChangedFiles are the names of the files with certificates and keys that have another content in fresh, are new in it, or gone.
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
	slices.Sort(names)
	return names
}

// bound reports whether one of the pairs has a certificate for an identity, or is a raw key, which is for every one.
func bound(pairs []credential.Pair, id identity.Identity) bool {
	return slices.ContainsFunc(pairs, func(p credential.Pair) bool { return len(p.Chain) == 0 || pki.Binds(p.Chain[0], id) })
}

// makeSet reads the certificates and keys, and finds out what each connection proves itself with and what it accepts. It gives connections
// that write no identity the one of their certificate.
func (c *Config) makeSet(r *reader) *credential.Set {
	s := newShelf(r, filepath.Dir(c.File))
	s.collect(c)
	common := s.common(c)
	s.known = common.intermediates
	all := map[string]credential.Connection{}
	for at, n := range c.Connections {
		var one credential.Connection
		local, remote := n.Rounds()
		for i, a := range local {
			var pairs []credential.Pair
			if a.Method == policy.AuthPubkey {
				if !a.Has("id") {
					n = n.withLocalID(i, identity.Identity{}) // what it was before may have been the name of another certificate
				}
				now := n.inRound(i, 0)
				var id identity.Identity
				if pairs, id = s.pairs(now); now.Local.ID.Any() {
					now.Local.ID = id
					n = n.withLocalID(i, id)
				}
				c.Connections[at] = n
			}
			one.Own = append(one.Own, pairs)
		}
		for i, a := range remote {
			var accepted credential.Accepted
			if a.Method == policy.AuthPubkey {
				accepted = s.accepted(n.inRound(0, i), common)
			}
			one.Accept = append(one.Accept, accepted)
		}
		all[n.Name] = one
	}
	for i := range s.listed {
		s.listed[i].cas = s.known
	}
	for i := range s.uses {
		s.uses[i].known = s.known
	}
	c.uses, c.lists, c.watch = s.uses, s.listed, slices.Compact(slices.Sorted(slices.Values(s.watch)))
	c.contents = s.contents
	return credential.NewSet(all, s.issued(c, all, common)...)
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
}

func (s *shelf) common(c *Config) (out common) {
	cred := c.Credentials
	for _, n := range cred.each("x509ca", cred.X509CA) {
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
		s.errorf(a.At("auth"), "write cacerts = \"FILE\" into ["+a.Source.name+"], or x509ca = \"FILE\" into [credentials]",
			"nothing says which CAs %s accepts of its peer", n.Source.name)
	}
	rules := all.rules
	rules.Policy = a.Revocation
	return credential.Accepted{Trust: t, Rules: rules}
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

// pairs are what a connection's side here can prove itself with, the best first, and the identity of the first if it is a certificate's.
func (s *shelf) pairs(n *Connection) (out []credential.Pair, id identity.Identity) {
	a := n.Local
	errs := len(s.errs)
	for _, name := range a.each("certs", a.Certs) {
		for _, f := range s.certificates(name) {
			if p, ok := s.pair(f); ok {
				out = append(out, p)
				s.uses = append(s.uses, certUse{named: f.named, path: f.path, role: ownRole, conn: n, cert: f.certs[0], chain: p.Chain})
			} else {
				s.noKey(n, f)
			}
		}
	}
	for _, name := range a.each("pubkeys", a.Pubkeys) {
		for _, k := range s.publicKeys(name) {
			if key, ok := s.keyFor(k); ok {
				out = append(out, credential.Pair{Signer: key.signer, Key: k, Name: key.path, Line: name.at.FileLine()})
			} else {
				s.errorf(name.at, s.wantKey(), "there is no private key for the public key %s of %s", quote(name.text), n.Source.name)
			}
		}
	}
	if !a.Has("certs") && !a.Has("pubkeys") {
		if own, ok := s.acmeIdentity(); ok && a.ID.Any() {
			named := *n
			named.Local.ID = own
			out, id = s.pairsOf(&named), own
		} else {
			out = s.pairsOf(n)
		}
		switch {
		case len(out) > 0 || len(s.errs) > errs:
		case s.awaits(a.ID) || s.awaits(id):
			s.awaitsACME(n)
		default:
			s.nothing(n)
		}
	}
	if len(out) > 0 && len(out[0].Chain) > 0 && id.Any() {
		id = subjectOf(out[0].Chain[0])
	}
	return out, id
}

// pair makes a pair of a certificate's file if there is a private key for its first one.
func (s *shelf) pair(f ownCert) (credential.Pair, bool) {
	public, err := pki.PublicKey(f.certs[0])
	if err != nil {
		return credential.Pair{}, false
	}
	key, ok := s.keyFor(public)
	if !ok {
		return credential.Pair{}, false
	}
	return credential.Pair{Chain: chainOf(f.certs, s.above()), Signer: key.signer, Key: public, Name: f.path, Line: f.at.FileLine()}, true
}

// above are the certificates of CAs that are there to complete a chain of this gateway's own.
func (s *shelf) above() (out []*x509.Certificate) {
	for _, f := range s.own {
		out = append(out, authoritiesIn(f.certs)...)
	}
	return out
}

// pairsOf are the pairs of [credentials] and of bundles that the identity of a connection can be proved with: all of them for %any.
func (s *shelf) pairsOf(n *Connection) (out []credential.Pair) {
	for _, f := range s.own {
		p, ok := s.pair(f)
		if !ok || !n.Local.ID.Any() && !pki.Binds(f.certs[0], n.Local.ID) || slices.ContainsFunc(out, func(o credential.Pair) bool { return o.Chain[0].Equal(f.certs[0]) }) {
			continue
		}
		out = append(out, p)
		s.uses = append(s.uses, certUse{named: f.named, path: f.path, role: ownRole, conn: n, cert: f.certs[0], chain: p.Chain})
	}
	return out
}

// note keeps certificates for [Config.CertificateRemarks].
func (s *shelf) note(f ownCert, role certRole, n *Connection, certs ...*x509.Certificate) {
	for _, c := range certs {
		s.uses = append(s.uses, certUse{named: f.named, path: f.path, role: role, conn: n, cert: c})
	}
}

// maxChain is the longest chain that is built of own certificates.
const maxChain = 16

// chainOf puts the certificates of a file and those from elsewhere into the order in which a chain is sent, without a root: a
// peer that trusts it has it, and one that does not gains nothing by it.
func chainOf(certs, above []*x509.Certificate) []*x509.Certificate {
	chain := []*x509.Certificate{certs[0]}
	pool := append(slices.Clone(certs[1:]), above...)
	for len(chain) < maxChain {
		last := chain[len(chain)-1]
		i := slices.IndexFunc(pool, func(c *x509.Certificate) bool {
			return !slices.ContainsFunc(chain, c.Equal) && signedBy(last, c)
		})
		if i < 0 || selfIssued(pool[i]) {
			break
		}
		chain = append(chain, pool[i])
	}
	return chain
}

// subjectOf is the identity that a certificate gives to whoever writes none: its subject, as with strongSwan, or the first name in its
// subjectAltName where there is no subject.
func subjectOf(c *x509.Certificate) identity.Identity {
	if id, err := identity.FromWire(uint8(identity.DERASN1DN), c.RawSubject); err == nil && len(c.Subject.Names) > 0 {
		return id
	}
	for _, x := range []struct {
		kind identity.Type
		list []string
	}{{identity.FQDN, c.DNSNames}, {identity.RFC822Addr, c.EmailAddresses}} {
		for _, name := range x.list {
			if id, err := identity.FromWire(uint8(x.kind), []byte(name)); err == nil && id.Concrete() {
				return id
			}
		}
	}
	for _, ip := range c.IPAddresses {
		if a, ok := netip.AddrFromSlice(ip); ok {
			return identity.FromAddr(a)
		}
	}
	return identity.Identity{}
}

// noKey reports a certificate of this side without its private key.
func (s *shelf) noKey(n *Connection, f ownCert) {
	if s.failed[f.path] {
		return
	}
	if _, err := pki.PublicKey(f.certs[0]); err != nil {
		s.errorf(f.at, "use a certificate with another key", "%s: the key of %s can't be used: %v", f.key, quote(f.path), err)
		return
	}
	what := "there is no private key for it"
	stem := func(path string) string { return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)) }
	if i := slices.IndexFunc(s.keys, func(k ownKey) bool { return stem(k.path) == stem(f.path) }); i >= 0 {
		what = "the private key in " + quote(s.keys[i].path) + " is another one's"
	} else if len(s.keys) > 0 {
		what = "none of the private keys there are is its own"
	}
	s.errorf(f.at, s.wantKey(), "%s: %s is the certificate of %s, and %s", f.key, quote(f.path), quote(f.certs[0].Subject.String()), what)
}

// wantKey is how a private key is named.
func (s *shelf) wantKey() string {
	return `write private = "FILE" into [credentials], or a table [secrets.private.NAME] with file and secret if it has a passphrase`
}

// nothing reports a connection that has to prove itself by a signature and can't.
func (s *shelf) nothing(n *Connection) {
	who := "its identity"
	if !n.Local.ID.Any() {
		who = quote(n.Local.ID.String())
	}
	s.errorf(n.Local.At("auth"), "write certs = \"FILE\" into ["+n.Local.name+"], and the file of its private key into [credentials] private",
		"%s has auth = \"pubkey\", and there is no certificate with a private key for %s", n.Local.name, who)
}
