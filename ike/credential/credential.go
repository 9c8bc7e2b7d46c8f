package credential

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"hash"
	"slices"

	"github.com/cloudflare/circl/sign/ed448"

	"esplanade/ike/pki"
	"esplanade/ike/pki/revocation"
)

// Pair is a private key of this gateway with what shows whose it is.
type Pair struct {
	redacted
	// Chain is the certificate of the key, and those of the CAs above it as far as they are known, each the issuer of the one before. It
	// may end with the anchor. Nil: a raw public key.
	Chain []*x509.Certificate
	// Signer has the private key. It may be a token.
	Signer crypto.Signer
	// Key is the public key, as [pki.PublicKey] has it.
	Key crypto.PublicKey
	// Name and Line are what it is called in the configuration and where it stands, for people.
	Name, Line string
}

// Authorities are the hashes by which CERTREQ names the CAs of the chain.
func (p Pair) Authorities() (list [][20]byte) {
	for i, c := range p.Chain {
		if i > 0 {
			list = append(list, pki.KeyHash(c))
		}
	}
	return list
}

// Accepted is what a peer has to show.
type Accepted struct {
	Trust *pki.Trust
	Rules revocation.Rules
}

// Connection is what a connection has: for each of its local.NAME tables the pairs that fit its identity, and for each of its
// remote.NAME tables what the peer has to show. Those that ask for another method are empty.
type Connection struct {
	Own    [][]Pair
	Accept []Accepted
}

// Set is the credentials of all connections. It may be used by any goroutine. The zero value has none.
type Set struct {
	connections map[string]Connection
	// more has those of other connections; nil for none.
	more        func(connection string) (Connection, bool)
	issued      []revocation.Own
	lists       []*revocation.List
	authorities []*x509.Certificate
}

// NewSet makes a set. What is given is not changed any more. issued are this gateway's own certificates whose issuers are known.
func NewSet(connections map[string]Connection, issued ...revocation.Own) *Set {
	s := &Set{connections: connections, issued: issued}
	for _, c := range connections {
		s.know(c)
	}
	return s
}

// With is a set with other connections in addition, which more finds by their names; it must find the same each time. added are those of them
// that s did not have, and issued this gateway's own certificates of theirs. What s knows of CRLs and CAs stays, so that the cost is that of what is added. It may be called on nil.
func (s *Set) With(more func(connection string) (Connection, bool), added []Connection, issued ...revocation.Own) *Set {
	out := &Set{more: more}
	if s != nil {
		out.connections, out.issued, out.lists, out.authorities = s.connections, slices.Clip(s.issued), slices.Clip(s.lists), slices.Clip(s.authorities)
	}
	for _, c := range added {
		out.know(c)
	}
	for _, o := range issued {
		if !slices.ContainsFunc(out.issued, func(x revocation.Own) bool { return x.Certificate.Equal(o.Certificate) }) {
			out.issued = append(out.issued, o)
		}
	}
	return out
}

// know adds the CRLs and CAs of a connection. Most connections have those of another one.
func (s *Set) know(c Connection) {
	for _, a := range c.Accept {
		for _, l := range a.Rules.Lists {
			if !slices.Contains(s.lists, l) {
				s.lists = append(s.lists, l)
			}
		}
		if a.Trust == nil {
			continue
		}
		for _, list := range [][]*x509.Certificate{a.Trust.Anchors, a.Trust.Intermediates} {
			for _, c := range list {
				if !slices.Contains(s.authorities, c) {
					s.authorities = append(s.authorities, c)
				}
			}
		}
	}
}

// connection finds what a connection has.
func (s *Set) connection(name string) Connection {
	if c, ok := s.connections[name]; ok || s.more == nil {
		return c
	}
	c, _ := s.more(name)
	return c
}

// Issued are this gateway's own certificates whose issuers are known, with where to ask for their state. It may be called on nil.
func (s *Set) Issued() []revocation.Own {
	if s == nil {
		return nil
	}
	return s.issued
}

// Lists are the CRLs of files, of all connections, and Authorities the CAs that are known for any: whatever a list of them says, it says
// of every peer. They may be called on nil.
func (s *Set) Lists() []*revocation.List {
	if s == nil {
		return nil
	}
	return s.lists
}

// Authorities: see [Set.Lists].
func (s *Set) Authorities() []*x509.Certificate {
	if s == nil {
		return nil
	}
	return s.authorities
}

// Informs reports whether o says something else of own certificates, CRLs or CAs than s. Both may be nil.
func (s *Set) Informs(o *Set) bool {
	return !slices.Equal(s.Lists(), o.Lists()) || !slices.Equal(s.Authorities(), o.Authorities()) ||
		!slices.EqualFunc(s.Issued(), o.Issued(), func(a, b revocation.Own) bool {
			return a.Certificate.Equal(b.Certificate) && a.Issuer.Equal(b.Issuer) && a.Rules.Same(&b.Rules)
		})
}

// Own are the pairs of a local table of a connection, the best first. It may be called on nil.
func (s *Set) Own(connection string, index int) []Pair {
	if s == nil {
		return nil
	}
	if own := s.connection(connection).Own; index < len(own) {
		return own[index]
	}
	return nil
}

// Accepted is what a peer has to show by a remote table of a connection. Trust is nil if there is nothing. It may be called on nil.
func (s *Set) Accepted(connection string, index int) Accepted {
	if s == nil {
		return Accepted{}
	}
	if list := s.connection(connection).Accept; index < len(list) {
		return list[index]
	}
	return Accepted{}
}

// Mark identifies what a connection has. It says nothing of the keys to whoever does not have them: public keys and certificates are
// in it, and no more. It may be called on nil, as AcceptedMark may.
func (s *Set) Mark(connection string) [sha256.Size]byte {
	h := sha256.New()
	if s != nil {
		c := s.connection(connection)
		c.markOwn(h)
		c.markAccepted(h)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

// AcceptedMark identifies what the peers of a connection have to show. Who is accepted by one connection is accepted by every one with the
// same mark.
func (s *Set) AcceptedMark(connection string) [sha256.Size]byte {
	h := sha256.New()
	if s != nil {
		c := s.connection(connection)
		c.markAccepted(h)
	}
	return [sha256.Size]byte(h.Sum(nil))
}

func part(h hash.Hash, kind byte, b []byte) {
	sum := sha256.Sum256(b)
	h.Write([]byte{kind})
	h.Write(sum[:])
}

func certificates(h hash.Hash, kind byte, list []*x509.Certificate) {
	for _, c := range list {
		part(h, kind, c.Raw)
	}
}

func (c *Connection) markOwn(h hash.Hash) {
	for _, own := range c.Own {
		part(h, 0, nil)
		for _, p := range own {
			certificates(h, 1, p.Chain)
			part(h, 2, spki(p.Key))
		}
	}
}

func (c *Connection) markAccepted(h hash.Hash) {
	for _, a := range c.Accept {
		part(h, 3, nil)
		if a.Trust == nil {
			continue
		}
		certificates(h, 4, a.Trust.Anchors)
		certificates(h, 5, a.Trust.Intermediates)
		certificates(h, 6, a.Trust.Pinned)
		for _, k := range a.Trust.Keys {
			part(h, 7, spki(k))
		}
		for _, p := range a.Trust.Policies {
			part(h, 8, []byte(p.String()))
		}
		part(h, 9, []byte(a.Trust.CA.Key()))
		part(h, 10, []byte{byte(a.Rules.Policy)})
		// A list of a file that is there since may have the peer in it.
		for _, l := range a.Rules.Lists {
			sum := l.Sum()
			part(h, 11, sum[:])
		}
		certificates(h, 12, a.Rules.Responders)
	}
}

// spki is a public key in a form that no other key has.
func spki(key crypto.PublicKey) []byte {
	if k, ok := key.(ed448.PublicKey); ok {
		return append([]byte("Ed448"), k...)
	}
	b, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil // a key that proves nothing either
	}
	return b
}
