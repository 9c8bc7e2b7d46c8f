package dataplane

import (
	"net/netip"
	"time"
)

// PathState is what is known of the path that an outbound SA takes.
type PathState struct {
	// MTU is the largest outer packet that the path is believed to take, in bytes, and Inner the largest inner packet that fits
	// into one.
	MTU, Inner int
	// BlackHole: larger packets vanish, and no ICMP message says so. Was is what the MTU was before that was found out.
	BlackHole bool
	Was       int
	// TooBig: an ICMP message has said the MTU ("fragmentation needed", Packet Too Big).
	TooBig bool
	// Since is when that was found out, or said; zero if neither is set.
	Since time.Time
}

// toldMTU is what an ICMP message has said of a path.
type toldMTU struct {
	mtu   int
	since int64 // on the engine's clock
}

// PathState gives what is known of the path of a child's outbound SA, and false if it has none.
func (e *Engine) PathState(id uint64) (PathState, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	ch := e.children[id]
	if ch == nil || ch.out == nil {
		return PathState{}, false
	}
	rt := ch.out.route.Load()
	remote := rt.path.Remote.Addr()
	s := PathState{MTU: int(rt.mtu.Load()), Inner: int(ch.inner.Load())}
	if h := e.holes[remote]; h.since != 0 && h.until > e.clock.now() && s.MTU <= h.mtu {
		s.BlackHole, s.Was, s.Since = true, h.was, e.clock.at(h.since)
	} else if t, told := e.told[remote]; told && s.MTU == t.mtu {
		s.TooBig, s.Since = true, e.clock.at(t.since)
	}
	return s, true
}

// noteTooBig keeps what an ICMP message has said of the path to a, one of an installed SA. The mutex is held.
func (e *Engine) noteTooBig(a netip.Addr, mtu int) {
	t, known := e.told[a]
	if known && t.mtu == mtu || !known && len(e.told) >= maxHoles {
		return
	}
	e.told[a] = toldMTU{mtu, e.clock.now()}
}

// forgetTold forgets it when the system knows of a larger MTU by now. The mutex is held.
func (e *Engine) forgetTold(a netip.Addr, mtu int) {
	if t, known := e.told[a]; known && mtu > t.mtu {
		delete(e.told, a)
	}
}

// forgetUntravelled forgets what was said of paths that no SA takes any more. The mutex is held.
func (e *Engine) forgetUntravelled() {
	if len(e.told) == 0 {
		return
	}
	used := make(map[netip.Addr]bool, len(e.told))
	for _, ch := range e.children {
		if ch.out != nil {
			used[ch.out.route.Load().path.Remote.Addr()] = true
		}
	}
	for a := range e.told {
		if !used[a] {
			delete(e.told, a)
		}
	}
}
