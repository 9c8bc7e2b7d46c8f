package diag

import (
	"net/netip"
	"time"
)

// strangers are those of one standing.
type strangers struct {
	entries map[key]*entry
	// shares are the lines about them in the current minute, with those about users apart.
	shares [2]share
	minute time.Time
}

// share is a part of the lines. bySource are those of each source: it has no more sources than there are lines.
type share struct {
	lines    int
	bySource map[netip.Addr]int
}

// allow takes a line for the failure of a stranger. user: it has the name of one.
func (s *strangers) allow(now time.Time, k key, user bool) bool {
	if d := now.Sub(s.minute); d >= time.Minute || d < 0 {
		s.minute, s.shares = now, [2]share{}
	}
	if k.standing != refused {
		s.shares[0].lines++
		return s.shares[0].lines <= StrangersPerMinute
	}
	if user {
		return s.shares[1].take(sourceOf(k.remote), UsersPerMinute, UsersPerSource)
	}
	return s.shares[0].take(sourceOf(k.remote), RefusedPerMinute, RefusedPerSource)
}

// take takes a line for a source, of so many in all and of one.
func (s *share) take(source netip.Addr, all, ofSource int) bool {
	if s.lines >= all || s.bySource[source] >= ofSource {
		return false
	}
	if s.bySource == nil {
		s.bySource = map[netip.Addr]int{}
	}
	s.lines++
	s.bySource[source]++
	return true
}

// sourceBits is the length of the prefix of IPv6 that counts as one source: a host can have any address of it.
const sourceBits = 64

// sourceOf is what stands for all addresses that may be those of one host.
func sourceOf(a netip.Addr) netip.Addr {
	if p, err := a.WithZone("").Prefix(sourceBits); err == nil && a.Is6() {
		return p.Addr()
	}
	return a
}
