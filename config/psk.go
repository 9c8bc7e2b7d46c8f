package config

import (
	"slices"

	"esplanade/ike/identity"
)

// How well a key fits an IKE SA. The scores of identities lie below fitPeer.
const (
	fitNobody = 0                         // it names nobody, and so is everybody's
	fitPeer   = 2 * identity.ScorePerfect // times how specifically it names the peer
)

// fit reports whether the key is one for a peer with the identity remote, and how well it fits.
//
// A key that names somebody is for those that it names. That it names this gateway does not make it the key of a peer
// that it does not name: its other holders could be any peer whose own key is missing. So an identity that is this
// gateway's counts for a peer only in a key that names nobody else, which is that of two sides with one name.
func (s *IKESecret) fit(local, remote identity.Identity) (score int, ok bool) {
	if len(s.IDs) == 0 {
		return fitNobody, true
	}
	if remote.Equal(local) && slices.ContainsFunc(s.IDs, func(id identity.Identity) bool { return !id.Equal(local) }) {
		return 0, false
	}
	r, l := best(s.IDs, remote), best(s.IDs, local)
	// strongSwan has it otherwise. Of a key that names nobody but this side, that is what people rely on.
	return r*fitPeer + l, r > 0 || s.swanctl && l > 0 && len(s.IDs) == 1
}

// best is the score of the pattern that names the identity most specifically, 0 if none does.
func best(patterns []identity.Identity, id identity.Identity) (score int) {
	for _, p := range patterns {
		if n, ok := id.Matches(p); ok {
			score = max(score, n)
		}
	}
	return score
}

// fitUnknown is fit for a peer of which only a pattern is known before it answers. What it proves with the key counts
// under the identity that it has then, so that a guess opens no door. A key that names this gateway and somebody who may
// be the peer fits best, then one for everybody, then one that names only somebody who may be the peer.
func (s *IKESecret) fitUnknown(local, remote identity.Identity) (score int, ok bool) {
	if len(s.IDs) == 0 {
		return 1, true
	}
	may := slices.ContainsFunc(s.IDs, func(id identity.Identity) bool {
		return mayMatch(remote, id) && (len(s.IDs) == 1 || !id.Equal(local))
	})
	if n := best(s.IDs, local); n > 0 {
		return 1 + n, may
	}
	return 0, may
}

// PSK finds the pre-shared key of an IKE SA between two identities: of the keys that name the peer the one that names it
// most specifically and, among equals, this gateway; then one that names nobody; then the first in the file. There is none
// for a peer that no key names, unless a key names nobody.
//
// Of the keys of the file and those that were loaded apart from it, the latter count only where none of the file fits.
func (c *Config) PSK(local, remote identity.Identity) (*IKESecret, bool) {
	return c.keyring(false).psk(local, remote)
}

// OfferPSK finds the key with which an initiator proves who it is to a peer that has not said yet who it is. remote is the
// remote identity of the connection. If it is that of one peer, this is PSK.
func (c *Config) OfferPSK(local, remote identity.Identity) (*IKESecret, bool) {
	return c.keyring(false).offer(local, remote)
}

// keyring are keys of several origins, those that count first before the others.
type keyring []ringPart

type ringPart struct {
	index pskIndex
	list  []*IKESecret
}

// keyring is that of a connection: a loaded one looks at what was loaded first, and one of the file at what that has.
func (c *Config) keyring(loaded bool) keyring {
	k := keyring{{c.psks, c.Secrets.IKE[:len(c.Secrets.IKE)-c.loadedPSKs]}}
	if c.loadedPSKs > 0 {
		k = append(k, ringPart{c.morePSKs, c.Secrets.IKE[len(c.Secrets.IKE)-c.loadedPSKs:]})
	}
	if loaded {
		slices.Reverse(k)
	}
	return k
}

func (k keyring) psk(local, remote identity.Identity) (*IKESecret, bool) {
	for _, x := range k {
		if s := x.index.best(local, remote); s != nil {
			return s, true
		}
	}
	return nil, false
}

func (k keyring) offer(local, remote identity.Identity) (*IKESecret, bool) {
	if remote.Concrete() {
		return k.psk(local, remote)
	}
	for _, x := range k {
		if s, ok := bestPSK(x.list, func(s *IKESecret) (int, bool) { return s.fitUnknown(local, remote) }); ok {
			return s, true
		}
	}
	return nil, false
}

// Credential is the key that the two sides of a connection prove themselves with: the connection's own one, if it has one, and else what
// PSK finds, or OfferPSK if guess is set. What is a connection's own is never used for another one, whatever its peer calls itself.
func (c *Config) Credential(connection string, local, remote identity.Identity, guess bool) (*IKESecret, bool) {
	n := c.Connection(connection)
	if n != nil && n.HasOwnKey() {
		return n.ownKey(), true
	}
	ring := c.keyring(n != nil && n.loaded)
	if guess {
		return ring.offer(local, remote)
	}
	return ring.psk(local, remote)
}

// PeerKeys are the pre-shared keys that peers of a connection may have: one, if it is for one peer.
func (c *Config) PeerKeys(n *Connection) (out []*IKESecret) {
	if n.HasOwnKey() {
		return []*IKESecret{n.ownKey()}
	}
	if n.Remote.ID.Concrete() {
		if s, ok := c.keyring(n.loaded).psk(n.Local.ID, n.Remote.ID); ok {
			out = append(out, s)
		}
		return out
	}
	for _, s := range c.Secrets.IKE {
		if _, ok := s.fitUnknown(n.Local.ID, n.Remote.ID); ok {
			out = append(out, s)
		}
	}
	return out
}

func bestPSK(list []*IKESecret, fit func(*IKESecret) (int, bool)) (*IKESecret, bool) {
	var found *IKESecret
	top := -1
	for _, s := range list {
		if n, ok := fit(s); ok && n > top {
			found, top = s, n
		}
	}
	return found, found != nil
}

// mayMatch reports whether an identity that the pattern stands for can match the secret's identity. Of two patterns it is
// enough that they are of one kind.
func mayMatch(pattern, secret identity.Identity) bool {
	if pattern.Concrete() {
		_, ok := pattern.Matches(secret)
		return ok
	}
	if secret.Concrete() {
		_, ok := secret.Matches(pattern)
		return ok
	}
	return pattern.Any() || secret.Any() || patternKind(pattern) == patternKind(secret)
}

// patternKind is the type of the identities that a pattern stands for.
func patternKind(id identity.Identity) identity.Type {
	switch id.Type {
	case identity.IPv4Subnet, identity.IPv4Range:
		return identity.IPv4Addr
	case identity.IPv6Subnet, identity.IPv6Range:
		return identity.IPv6Addr
	}
	return id.Type
}
