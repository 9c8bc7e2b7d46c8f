package pool

import (
	"maps"
	"net/netip"
	"slices"
)

// rewind begins with the first address of the pool again.
func (s *shelf) rewind() {
	s.span, s.next = 0, netip.Addr{}
	if len(s.spans) > 0 {
		s.next = s.spans[0].First
	}
}

// giveBack has an address be one that was perhaps never given.
func (s *shelf) giveBack(a netip.Addr) {
	if i, ok := s.find(a); ok && (!s.next.IsValid() || a.Less(s.next)) {
		s.span, s.next = i, a
	}
}

// fresh is the first address that was never given and is nobody's own, and leaves it where it is. Each address is passed over once, but for
// those that were given back.
func (b *Book) fresh(s *shelf) (netip.Addr, bool) {
	for s.next.IsValid() {
		if !b.used(s.next) {
			return s.next, true
		}
		if s.next != s.spans[s.span].Last {
			s.next = s.next.Next()
			continue
		}
		s.next = netip.Addr{}
		if s.span++; s.span < len(s.spans) {
			s.next = s.spans[s.span].First
		}
	}
	return netip.Addr{}, false
}

// used reports whether an address was given, or is somebody's own.
func (b *Book) used(a netip.Addr) bool {
	_, own := b.reserved[a]
	return own || b.leases[a] != nil
}

// append puts a lease that has gone offline at the end of the list.
func (s *shelf) append(l *lease) {
	l.previous, l.following = s.last, nil
	if s.last != nil {
		s.last.following = l
	} else {
		s.first = l
	}
	s.last = l
	s.offline++
}

// remove takes an offline lease out of the list.
func (s *shelf) remove(l *lease) {
	if l.previous != nil {
		l.previous.following = l.following
	} else {
		s.first = l.following
	}
	if l.following != nil {
		l.following.previous = l.previous
	} else {
		s.last = l.previous
	}
	l.previous, l.following = nil, nil
	s.offline--
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
