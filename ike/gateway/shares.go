package gateway

import (
	"container/heap"
	"net/netip"
	"time"
)

// shares files what strangers have begun by where it comes from: by network, in that by source, in that by age. It knows at any
// time who has most, so that a limit which is reached is kept at his cost: a few addresses do not use up what is there
// for all.
type shares[T any] struct {
	all     group[T]
	nets    map[netip.Addr]*group[T]
	sources map[netip.Addr]*group[T]
}

// claim is one thing that is filed.
type claim[T any] struct {
	x          T
	at         time.Time
	weight     int
	of         *group[T] // its source
	prev, next *claim[T] // by age
}

// group is a source, a network of sources, or all networks.
type group[T any] struct {
	key    netip.Addr
	up     *group[T]
	place  int // among up.subs
	weight int
	subs   []*group[T] // a heap, the heaviest first
	// oldest and newest are the ends of a source's claims.
	oldest, newest *claim[T]
}

// Lengths of the prefixes that count as one source and as one network. An IPv6 host can have any address of its /64, and a
// site any of its /48.
const (
	sourceBits6 = 64
	netBits6    = 48
	netBits4    = 24
)

// sourceOf is what an address counts as.
func sourceOf(a netip.Addr) netip.Addr { return masked(a, 32, sourceBits6) }

// netOf is the network that it counts as one of.
func netOf(a netip.Addr) netip.Addr { return masked(a, netBits4, netBits6) }

func masked(a netip.Addr, bits4, bits6 int) netip.Addr {
	a = a.Unmap().WithZone("")
	bits := bits6
	if a.Is4() {
		bits = bits4
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return a // no address: those count as one
	}
	return p.Addr()
}

func (s *shares[T]) init() {
	s.nets, s.sources = map[netip.Addr]*group[T]{}, map[netip.Addr]*group[T]{}
}

// total is the weight of everything, of that of one source.
func (s *shares[T]) total() int { return s.all.weight }

func (s *shares[T]) from(a netip.Addr) int {
	return weightOf(s.sources[sourceOf(a)])
}

// add files something.
func (s *shares[T]) add(now time.Time, from netip.Addr, x T, weight int) *claim[T] {
	n, a := netOf(from), sourceOf(from)
	g := s.sources[a]
	if g == nil {
		up := s.nets[n]
		if up == nil {
			up = &group[T]{key: n, up: &s.all}
			s.nets[n] = up
			heap.Push(&s.all, up)
		}
		g = &group[T]{key: a, up: up}
		s.sources[a] = g
		heap.Push(up, g)
	}
	c := &claim[T]{x: x, at: now, of: g, prev: g.newest}
	if g.newest != nil {
		g.newest.next = c
	} else {
		g.oldest = c
	}
	g.newest = c
	s.weigh(c, weight)
	return c
}

// weigh changes the weight of something.
func (s *shares[T]) weigh(c *claim[T], weight int) {
	by := weight - c.weight
	c.weight = weight
	if by != 0 {
		for g := c.of; g != nil; g = g.up {
			g.weight += by
			g.fix()
		}
	}
}

// remove takes something out.
func (s *shares[T]) remove(c *claim[T]) {
	g := c.of
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		g.oldest = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	} else {
		g.newest = c.prev
	}
	s.weigh(c, 0)
	if g.oldest != nil {
		return
	}
	heap.Remove(g.up, g.place)
	delete(s.sources, g.key)
	if up := g.up; len(up.subs) == 0 {
		heap.Remove(&s.all, up.place)
		delete(s.nets, up.key)
	}
}

// most is the oldest of whoever has most: the source with most in the network with most.
func (s *shares[T]) most() *claim[T] {
	if len(s.all.subs) == 0 {
		return nil
	}
	return s.all.subs[0].subs[0].oldest
}

// oldestFrom is the oldest of a source.
func (s *shares[T]) oldestFrom(a netip.Addr) *claim[T] {
	if g := s.sources[sourceOf(a)]; g != nil {
		return g.oldest
	}
	return nil
}

const (
	// fewClaims is what an honest source has at most for a moment: that much is not taken from it at once.
	fewClaims = 4
	// claimGrace is how long it is left that much. An honest peer goes on within a round trip.
	claimGrace = time.Second
	// staleClaim is when what a peer has begun may give way to a peer that has as much.
	staleClaim = 5 * time.Second
)

// yields is what gives way to a newcomer while there is no room: the oldest of whoever has more than he would have then, of
// all networks or at least of his own, else something stale. It is nil when the newcomer has to wait.
func (s *shares[T]) yields(now time.Time, newcomer netip.Addr) *claim[T] {
	most := s.most()
	if most == nil {
		return nil
	}
	own := s.nets[netOf(newcomer)]
	if most.of.up != own && most.of.up.weight > weightOf(own)+1 && spares(now, most) {
		return most
	}
	if own != nil {
		if g := own.subs[0]; g.weight > weightOf(s.sources[sourceOf(newcomer)])+1 && spares(now, g.oldest) {
			return g.oldest
		}
	}
	if now.Sub(most.at) >= staleClaim {
		return most
	}
	return nil
}

// spares reports whether something can be taken from its source.
func spares[T any](now time.Time, c *claim[T]) bool {
	return c.of.weight > fewClaims || now.Sub(c.at) >= claimGrace
}

func weightOf[T any](g *group[T]) int {
	if g == nil {
		return 0
	}
	return g.weight
}

func (g *group[T]) fix() {
	if g.up != nil {
		heap.Fix(g.up, g.place)
	}
}

// since is the age of a group among those with the same weight.
func (g *group[T]) since() time.Time {
	for len(g.subs) > 0 {
		g = g.subs[0]
	}
	if g.oldest == nil {
		return time.Time{}
	}
	return g.oldest.at
}

// A group is a heap of its subs.

// Len implements heap.Interface.
func (g *group[T]) Len() int { return len(g.subs) }

// Less implements heap.Interface: the heaviest comes first, and the one that is oldest among equals.
func (g *group[T]) Less(i, j int) bool {
	a, b := g.subs[i], g.subs[j]
	if a.weight != b.weight {
		return a.weight > b.weight
	}
	return a.since().Before(b.since())
}

// Swap implements heap.Interface.
func (g *group[T]) Swap(i, j int) {
	g.subs[i], g.subs[j] = g.subs[j], g.subs[i]
	g.subs[i].place, g.subs[j].place = i, j
}

// Push implements heap.Interface.
func (g *group[T]) Push(x any) {
	sub := x.(*group[T])
	sub.place = len(g.subs)
	g.subs = append(g.subs, sub)
}

// Pop implements heap.Interface.
func (g *group[T]) Pop() any {
	last := len(g.subs) - 1
	sub := g.subs[last]
	g.subs[last] = nil
	g.subs = g.subs[:last]
	return sub
}
