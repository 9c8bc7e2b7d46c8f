package config

import (
	"net/netip"
	"slices"

	"esplanade/ike/identity"
	"esplanade/ike/pki/files"
)

// addACME takes the certificate that the ACME server has issued, if it has issued one, and reads the CAs of its HTTPS.
func (s *shelf) addACME(a *ACME) {
	s.acme, a.Roots = a, nil
	for _, n := range a.each("cacerts", a.CACerts) {
		for _, f := range s.certificates(n) {
			a.Roots = append(a.Roots, f.certs...)
		}
	}
	path := a.File()
	s.watch = append(s.watch, path)
	f, _, err := OpenRegular(path)
	if err != nil {
		return // the gateway is asking for it, or says why it cannot write there
	}
	f.Close()
	n := named{key: "credentials.acme", text: path, at: a.table}
	data, ok := s.private(n, path)
	if !ok {
		return
	}
	list, err := files.Certificates(data)
	if err != nil {
		s.wrong(n, path, err)
		return
	}
	s.addKey(n, path, data, nil)
	s.own = append(s.own, ownCert{named: n, path: path, certs: list})
}

// issuable are the identities that the certificate of the ACME server has or will have.
func (a *ACME) issuable() (out []identity.Identity) {
	for _, name := range a.Domains {
		if addr, err := netip.ParseAddr(name); err == nil {
			out = append(out, identity.FromAddr(addr))
		} else if id, err := identity.FromWire(uint8(identity.FQDN), []byte(name)); err == nil {
			out = append(out, id)
		}
	}
	return out
}

// acmeIdentity is what a connection calls itself that writes no identity, where the certificate of the ACME server is the only one there is:
// its first name, before there is a certificate and with every one that follows.
func (s *shelf) acmeIdentity() (id identity.Identity, ok bool) {
	if s.acme == nil || slices.ContainsFunc(s.own, func(c ownCert) bool { return c.path != s.acme.File() }) {
		return id, false
	}
	return s.acme.issuable()[0], true
}

// awaits reports whether a certificate for an identity is to come from the ACME server.
func (s *shelf) awaits(id identity.Identity) bool {
	return s.acme != nil && slices.ContainsFunc(s.acme.issuable(), id.Equal)
}

// awaitsACME warns that there is no certificate yet.
func (s *shelf) awaitsACME(n *Connection) {
	s.warnf(n.Local.At("auth"), "it comes up when there is one; `esplanade status` says how that goes", "%s has no certificate yet: esplanade run asks the ACME server for it",
		n.Local.name)
}
