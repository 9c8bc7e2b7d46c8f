package pool

import (
	"net/netip"
	"slices"
	"time"
)

// Request is a client that has asked for addresses.
type Request struct {
	// Owner is a key of the identity and of what vouches for it, which is only compared. Name is the identity for people.
	Owner, Name string
	// Holder is the IKE SA that is to have the addresses, and keeps its number when it is rekeyed. Remote is where its peer is.
	Holder uint64
	Remote netip.AddrPort
	// Pools are the names of those that the addresses come from, in order.
	Pools []string
	// Asked are the addresses that are asked for, 0.0.0.0 or :: for any.
	Asked []netip.Addr
	// Own are addresses that are this client's own: static ones, and those of RADIUS.
	Own []netip.Addr
	// Device tells devices of one owner apart; "" where there is nothing to tell. Replaces says which other IKE SAs of the owner come to an
	// end.
	Device   string
	Replaces Replacing
}

// Replacing says which IKE SAs of an owner a new one takes the place of.
type Replacing uint8

// The ways to replace IKE SAs.
const (
	ReplacesNone   Replacing = iota
	ReplacesDevice           // those of the same device, which has started again
	ReplacesAll              // all of them: the owner may have only one
)

// Grant is what a client was given.
type Grant struct {
	// Addrs are the addresses, in the order in which they were asked for.
	Addrs []netip.Addr
	// Attributes are those of the pools of the addresses.
	Attributes Attributes
	// Changes are to be kept. Durable: they have to be before the client learns of its addresses.
	Changes []Change
	Durable bool
	// Displaced are the IKE SAs that have one of the addresses as well, and have to end. One that its peer reauthenticates, from where it is,
	// is not among them: the peer ends it.
	Displaced []uint64
}

// Grant gives a client addresses. It gets what can be had: the error, one of the types of this package, is that of the first family of which there
// is none, and there is one only if there is no address at all. "The responder sends INTERNAL_ADDRESS_FAILURE only if no addresses can
// be assigned." https://www.rfc-editor.org/rfc/rfc7296#section-3.15.4
func (b *Book) Grant(now time.Time, r Request) (Grant, error) {
	var g Grant
	var failed error
	for _, name := range r.Pools {
		if b.pools[name] == nil {
			return g, &UnknownError{Owner: r.Name, Pool: name, Known: slices.Clone(b.order)}
		}
	}
	count := map[bool]int{}
	for _, asked := range r.Asked {
		six := asked.Is6()
		own := slices.IndexFunc(r.Own, func(a netip.Addr) bool { return a.Is6() == six })
		if own < 0 && !b.serves(r.Pools, six) {
			continue // "the responder simply ignores the type of address it does not support", section 3.15.4
		}
		if count[six]++; count[six] > maxAsked || own >= 0 && count[six] > 1 {
			continue
		}
		var l *lease
		var err error
		if own >= 0 {
			l, err = b.own(r, r.Own[own])
		} else {
			l, err = b.choose(r, asked)
		}
		if err != nil {
			if failed == nil {
				failed = err
			}
			continue
		}
		b.give(now, l, r, own >= 0, &g)
	}
	for _, name := range r.Pools {
		if s := b.pools[name]; len(s.spans) == 0 || slices.ContainsFunc(g.Addrs, s.Contains) {
			g.Attributes = g.Attributes.Plus(s.attrs)
		}
	}
	switch {
	case len(g.Addrs) > 0:
		return g, nil
	case failed == nil:
		failed = &EmptyError{Owner: r.Name, Six: len(r.Asked) > 0 && r.Asked[0].Is6()}
	}
	return Grant{}, failed
}

// serves reports whether any of the pools has addresses of a family.
func (b *Book) serves(pools []string, six bool) bool {
	return slices.ContainsFunc(pools, func(name string) bool { s := b.pools[name]; return len(s.spans) > 0 && s.Is6() == six })
}

// own is the lease of an address that is the client's own.
func (b *Book) own(r Request, a netip.Addr) (*lease, error) {
	l := b.leases[a]
	switch {
	case l == nil:
		return b.lease(a, b.shelfOf(a), r.Owner, r.Name), nil
	case l.owner.key == r.Owner:
		return l, nil
	case len(l.holders) > 0:
		return nil, &TakenError{Owner: r.Name, Addr: a, By: l.owner.name}
	}
	return b.reassign(l, r), nil
}

// choose finds the lease that a client gets for one address that it has asked for.
func (b *Book) choose(r Request, asked netip.Addr) (*lease, error) {
	var shelves []*shelf
	for _, name := range r.Pools {
		if s := b.pools[name]; len(s.spans) > 0 && s.Is6() == asked.Is6() {
			shelves = append(shelves, s)
		}
	}
	if l := b.former(r, asked, shelves); l != nil {
		return l, nil
	}
	for _, s := range shelves {
		for _, a := range wishes(s, asked) {
			if !b.used(a) && s.offline < maxOffline {
				return b.lease(a, s, r.Owner, r.Name), nil
			}
		}
	}
	for _, s := range shelves {
		if a, ok := b.fresh(s); ok && s.offline < maxOffline {
			return b.lease(a, s, r.Owner, r.Name), nil
		}
	}
	for _, s := range shelves {
		for l := s.first; l != nil; l = l.following {
			if _, own := b.reserved[l.addr]; !own {
				return b.reassign(l, r), nil
			}
		}
	}
	e := &EmptyError{Owner: r.Name, Six: asked.Is6()}
	for _, s := range shelves {
		e.Pools = append(e.Pools, s.stats())
	}
	return nil, e
}

// wishes are the addresses of a pool that a client would like to have.
func wishes(s *shelf, asked netip.Addr) []netip.Addr {
	if s.Contains(asked) {
		return []netip.Addr{asked}
	}
	if a, ok := s.near(asked); ok {
		return []netip.Addr{a}
	}
	return nil
}

// former is the lease of an owner that it may have again: the one that is asked for, if nobody else needs it, and otherwise the one that has gone
// offline last. One that is online is for an IKE SA that takes the place of those that have it.
func (b *Book) former(r Request, asked netip.Addr, shelves []*shelf) *lease {
	o := b.owners[r.Owner]
	if o == nil {
		return nil
	}
	var best *lease
	for _, l := range o.leases {
		if l.heldBy(r.Holder) || !slices.Contains(shelves, l.shelf) {
			continue
		}
		if _, own := b.reserved[l.addr]; own {
			continue // it has become somebody's own
		}
		online := len(l.holders) > 0
		if online && !r.replaces(l) && !(l.addr == asked && l.heldFrom(r.Remote)) {
			continue // by another device
		}
		if l.addr == asked {
			return l
		}
		if best == nil || online && len(best.holders) == 0 || !l.seen.Before(best.seen) && online == (len(best.holders) > 0) {
			best = l
		}
	}
	return best
}

func (l *lease) heldBy(id uint64) bool {
	return slices.ContainsFunc(l.holders, func(h holder) bool { return h.id == id })
}

// replaces reports whether all IKE SAs that have a lease come to an end.
func (r Request) replaces(l *lease) bool {
	switch r.Replaces {
	case ReplacesAll:
		return true
	case ReplacesDevice:
		return !slices.ContainsFunc(l.holders, func(h holder) bool { return h.device != r.Device })
	default:
		return false
	}
}

// heldFrom reports whether an IKE SA has the lease whose peer is there. That one makes another before it breaks the first.
func (l *lease) heldFrom(remote netip.AddrPort) bool {
	return slices.ContainsFunc(l.holders, func(h holder) bool { return h.remote == remote })
}

// reassign gives an offline lease to another owner.
func (b *Book) reassign(l *lease, r Request) *lease {
	if l.shelf != nil {
		l.shelf.remove(l)
	}
	b.disown(l)
	return b.lease(l.addr, l.shelf, r.Owner, r.Name)
}

// give has a holder have a lease.
func (b *Book) give(now time.Time, l *lease, r Request, own bool, g *Grant) {
	for _, h := range l.holders {
		if h.remote != r.Remote || r.Replaces == ReplacesAll || r.Replaces == ReplacesDevice && h.device == r.Device {
			g.Displaced = append(g.Displaced, h.id)
		}
	}
	if s := l.shelf; s != nil && len(l.holders) == 0 {
		if s.listed(l) {
			s.remove(l)
		}
		s.online++
	}
	l.owner.name, l.seen = r.Name, now
	l.holders = append(l.holders, holder{r.Holder, r.Remote, r.Device})
	b.held[r.Holder] = append(b.held[r.Holder], l)
	g.Addrs = append(g.Addrs, l.addr)
	if l.shelf != nil { // the others need no record: they are somebody's own, whatever was before
		g.Durable = g.Durable || !l.kept
		g.Changes = append(g.Changes, l.record())
	}
}

// Kept says that records are where they survive a restart.
func (b *Book) Kept(list []Change) {
	for _, c := range list {
		if l := b.leases[c.Addr]; l != nil && c.Record != nil && l.owner.key == c.Record.Owner {
			l.kept = true
		}
	}
}

// Moved says where the peer of an IKE SA is from now on: a peer that authenticates again comes from there.
func (b *Book) Moved(id uint64, remote netip.AddrPort) {
	for _, l := range b.held[id] {
		for i := range l.holders {
			if l.holders[i].id == id {
				l.holders[i].remote = remote
			}
		}
	}
}

// listed reports whether a lease is in the list of offline ones.
func (s *shelf) listed(l *lease) bool { return l.previous != nil || l.following != nil || s.first == l }

// Release takes the addresses back that an IKE SA has. What it gives is to be kept, when there is time: until then a restart finds that the
// addresses were given to the same owner. An IKE SA without addresses changes nothing.
func (b *Book) Release(now time.Time, id uint64) (out []Change) {
	for _, l := range b.held[id] {
		l.holders = slices.DeleteFunc(l.holders, func(h holder) bool { return h.id == id })
		if len(l.holders) > 0 {
			continue
		}
		l.seen = now
		if l.shelf == nil {
			out = append(out, b.forget(l))
			continue
		}
		l.shelf.online--
		l.shelf.append(l)
		out = append(out, l.record())
	}
	delete(b.held, id)
	return out
}
