package config

import (
	"crypto/x509"
	"net/netip"
	"slices"
	"strings"

	"esplanade/ike/credential"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
)

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
			} else if !s.keyLost {
				s.lackf(name.at, s.wantKey(), "there is no private key for the public key %s of %s", quote(name.text), n.Source.name)
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
		if n.Remote.Method.EAP() {
			id = gatewayName(out[0].Chain[0])
		}
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
	return append(out, s.cas...)
}

// pairsOf are the pairs of [credentials] and of bundles that the identity of a connection can be proved with: all of them for %any.
func (s *shelf) pairsOf(n *Connection) (out []credential.Pair) {
	for _, f := range s.own {
		if !n.Local.ID.Any() && !pki.Binds(f.certs[0], n.Local.ID) {
			continue // before its key is looked at, which costs much more
		}
		p, ok := s.pair(f)
		if !ok || slices.ContainsFunc(out, func(o credential.Pair) bool { return o.Chain[0].Equal(f.certs[0]) }) {
			continue
		}
		out = append(out, p)
		s.uses = append(s.uses, certUse{named: f.named, path: f.path, role: ownRole, conn: n, cert: f.certs[0], chain: p.Chain})
	}
	return out
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

// gatewayName is the identity of a gateway that users call, who know it by a DNS name and nothing else: the first one of its certificate.
func gatewayName(c *x509.Certificate) identity.Identity {
	for _, name := range c.DNSNames {
		if id, err := identity.FromWire(uint8(identity.FQDN), []byte(name)); err == nil && id.Concrete() && !strings.HasPrefix(name, "*") {
			return id
		}
	}
	return subjectOf(c)
}

// servesClients reports whether a certificate is one of a server, as Windows and Apple's systems want it.
func servesClients(c *x509.Certificate) bool {
	return slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// nothing reports a connection that has to prove itself by a signature and can't.
func (s *shelf) nothing(n *Connection) {
	if s.keyLost {
		return // it is probably in the file that could not be read, which has been reported
	}
	who := "its identity"
	if !n.Local.ID.Any() {
		who = quote(n.Local.ID.String())
	}
	s.lackf(n.Local.At("auth"), "write certs = \"FILE\" into ["+n.Local.name+"], and the file of its private key into [credentials] private",
		"%s has auth = %s, and there is no certificate with a private key for %s", n.Local.name, quote(n.Local.Method.String()), who)
}
