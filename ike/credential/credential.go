package credential

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"hash"
	"iter"
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
	issued      []revocation.Own
}

// NewSet makes a set. What is given is not changed any more. issued are this gateway's own certificates whose issuers are known.
func NewSet(connections map[string]Connection, issued ...revocation.Own) *Set {
	return &Set{connections: connections, issued: issued}
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
func (s *Set) Lists() (list []*revocation.List) {
	for a := range s.accepted() {
		for _, l := range a.Rules.Lists {
			if !slices.Contains(list, l) {
				list = append(list, l)
			}
		}
	}
	return list
}

// Authorities: see [Set.Lists].
func (s *Set) Authorities() (list []*x509.Certificate) {
	seen := map[*x509.Certificate]bool{}
	for a := range s.accepted() {
		if a.Trust == nil {
			continue
		}
		for _, c := range slices.Concat(a.Trust.Anchors, a.Trust.Intermediates) {
			if !seen[c] {
				seen[c] = true
				list = append(list, c)
			}
		}
	}
	return list
}

// accepted is what the peers of all connections have to show.
func (s *Set) accepted() iter.Seq[Accepted] {
	return func(yield func(Accepted) bool) {
		if s == nil {
			return
		}
		for _, c := range s.connections {
			for _, a := range c.Accept {
				if !yield(a) {
					return
				}
			}
		}
	}
}

// Own are the pairs of a local table of a connection, the best first. It may be called on nil.
func (s *Set) Own(connection string, index int) []Pair {
	if s == nil {
		return nil
	}
	if own := s.connections[connection].Own; index < len(own) {
		return own[index]
	}
	return nil
}

// Accepted is what a peer has to show by a remote table of a connection. Trust is nil if there is nothing. It may be called on nil.
func (s *Set) Accepted(connection string, index int) Accepted {
	if s == nil {
		return Accepted{}
	}
	if list := s.connections[connection].Accept; index < len(list) {
		return list[index]
	}
	return Accepted{}
}

// Mark identifies what a connection has. It says nothing of the keys to whoever does not have them: public keys and certificates are
// in it, and no more. It may be called on nil, as AcceptedMark may.
func (s *Set) Mark(connection string) [sha256.Size]byte {
	h := sha256.New()
	if s != nil {
		c := s.connections[connection]
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
		c := s.connections[connection]
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
