package diag

import (
	"net/netip"
	"time"
)

// strangers are those of one standing.
type strangers struct {
	entries map[key]*entry
	// lines are those about them in the current minute, bySource those of each source. It has no more sources than there are lines.
	lines    int
	bySource map[netip.Addr]int
	minute   time.Time
}

// allow takes a line for the failure of a stranger.
func (s *strangers) allow(now time.Time, k key) bool {
	if d := now.Sub(s.minute); d >= time.Minute || d < 0 {
		s.minute, s.lines, s.bySource = now, 0, nil
	}
	if k.standing != refused {
		s.lines++
		return s.lines <= StrangersPerMinute
	}
	source := sourceOf(k.remote)
	if s.lines >= RefusedPerMinute || s.bySource[source] >= RefusedPerSource {
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
