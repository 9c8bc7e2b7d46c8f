package gateway

import (
	"crypto/x509"
	"time"

	"esplanade/config"
	"esplanade/ike/auth"
	"esplanade/ike/credential"
	"esplanade/ike/pki/revocation"
)

// credential finds what the machines, and their peers, prove with who they are: the key of today's configuration.
func (g *Manager) credential(q auth.Query) (auth.Credential, bool) {
	s, ok := g.conf.Credential(q.Connection, q.Local, q.Remote, q.Guess)
	if !ok {
		return auth.Credential{}, false
	}
	return auth.Credential{Secret: s.Key.Bytes(), Name: s.FullName(), Line: keyLine(s)}, true
}

// ownPairs and accepted are what the two sides of a connection prove themselves with by signatures.
func (g *Manager) ownPairs(connection string, index int) []credential.Pair {
	return g.credentials.Own(connection, index)
}

func (g *Manager) accepted(connection string, index int) credential.Accepted {
	return g.credentials.Accepted(connection, index)
}

// SetCredentials takes other certificates, keys and rules up. IKE SAs stay as they are: what is proved next is proved with these.
func (g *Manager) SetCredentials(_ time.Time, s *credential.Set) {
	g.credentials = s
	g.tellIssued()
}

// staple is the OCSP answer for a certificate of this side.
func (g *Manager) staple(now time.Time, c *x509.Certificate) []byte {
	if g.o.Staple == nil {
		return nil
	}
	return g.o.Staple(now, c)
}

// revoked finds a certificate that is known as revoked.
func (g *Manager) revoked(now time.Time, refs []revocation.Ref) *revocation.Withdrawn {
	if g.o.Revoked == nil {
		return nil
	}
	return g.o.Revoked(now, refs)
}

// tellIssued says which certificates this side has, and which CRLs of files.
func (g *Manager) tellIssued() {
	if g.o.Issued != nil {
		g.o.Issued(g.credentials.Issued())
	}
	if g.o.Lists != nil {
		g.o.Lists(g.credentials.Lists(), g.credentials.Authorities())
	}
}

// keyLine is where a key or the name of its file stands.
func keyLine(s *config.IKESecret) string {
	for _, key := range []string{"secret_file", "secret"} {
		if s.Has(key) {
			return s.At(key).FileLine()
		}
	}
	return s.Position().FileLine()
}
