package dataplane

import (
	"net/netip"
	"sync/atomic"
	"time"
)

// holeReport is what a loop has seen of a black hole: a segment that does not get through.
type holeReport struct {
	mtu    int // of the path at that moment
	key    flowKey
	seq    uint32
	pause  time.Duration // since it was sent last
	packet []byte        // its headers, for the ICMP errors that are about it
}

// holeSearch looks for the largest MTU that gets packets through. TCP would take minutes for that: its pauses double. So the
// gateway lowers the MTU by a step, tells the sender of the segment by an ICMP error, which makes it send the segment again at
// once in pieces that fit, and waits for the other host to acknowledge it; if it does not, the next step is taken. When nothing
// gets through whatever its size the path is down and no black hole: the MTU is what it was.
//
// From the beginning of the stall it takes the pauses of TCP before the report (0.2 + 0.4 + 0.8 s when the round trip is
// short, and 3 s when it is a second) and a holeWait for each of at most three steps: less than ten seconds.
type holeSearch struct {
	watch  *holeWatch
	packet []byte
	wait   int64
	was    int       // MTU at the beginning
	old    *pathHole // what was known of the path before
	due    int64     // when the step has failed
	heard  bool      // the peer was heard while packets vanished, so the path was not down
}

const (
	// holeWaitLeast and holeWaitMost bound the time that a step has: more than a round trip.
	holeWaitLeast, holeWaitMost = 500 * time.Millisecond, 1500 * time.Millisecond
	// holeFutile is how long no search is made after one that found nothing.
	holeFutile = 10 * time.Second
	// maxSearches bounds the searches at a time: each is a comparison for every TCP packet that comes in.
	maxSearches = 16
)

// holeWatch waits for the acknowledgement of a segment. The packet path looks for it.
type holeWatch struct {
	key   flowKey // of the acknowledgements
	seq   uint32
	acked atomic.Bool
}

// acknowledged looks at a TCP packet that has come in: of h, in b.
func (x *holeWatch) acknowledged(b []byte, h *innerHeader) {
	const flagACK = 0x10
	if x.key == h.key && h.first && h.l4+tcpMinHeader <= h.length && b[h.l4+13]&flagACK != 0 &&
		int32(be.Uint32(b[h.l4+8:])-x.seq) > 0 {
		x.acked.Store(true)
	}
}

// holeFound begins a search. It is called with the mutex held.
func (e *Engine) holeFound(remote netip.Addr, r *holeReport) {
	now := e.clock.now()
	step := holeStep(r.mtu, remote.Is6())
	old, known := e.holes[remote]
	switch {
	case e.closed || step == 0 || e.searches[remote] != nil || len(e.searches) >= maxSearches || e.futile[remote] > now,
		e.movedSince(remote, now-int64(r.pause/2)),
		!known && len(e.holes) >= maxHoles, known && old.until > now && old.mtu <= step:
		return
	}
	s := &holeSearch{
		watch: &holeWatch{key: r.key.reversed(), seq: r.seq}, packet: r.packet, was: r.mtu,
		wait:  int64(min(max(r.pause, holeWaitLeast), holeWaitMost)),
		heard: e.heardSince(remote, now-int64(r.pause)),
	}
	if known {
		s.old = &old
	}
	e.searches[remote] = s
	e.watchAcks()
	e.tryStep(remote, s, step, now)
}

// tryStep lowers the MTU of a path to a step, and has the segment sent again.
func (e *Engine) tryStep(remote netip.Addr, s *holeSearch, step int, now int64) {
	s.due = now + s.wait
	e.holes[remote] = pathHole{mtu: step, hold: holeHold, until: now + int64(holeHold)}
	e.updateMTULocked(mtuEvent{remote: remote})
	e.courier.hand(errand{kind: errandSendAgain, quote: s.packet})
}

// hold is how long the MTU that was found is kept.
func (s *holeSearch) hold() time.Duration {
	hold := holeTrial
	if s.heard {
		hold = holeHold
	}
	if s.old != nil { // it was tried again, and is still there
		hold = max(hold, min(2*s.old.hold, holeHoldMost))
	}
	return hold
}

// movedSince reports whether large packets have got through to a peer since then, in whatever tunnel: then it is one host that
// does not answer. The mutex is held.
func (e *Engine) movedSince(remote netip.Addr, then int64) bool {
	for _, ch := range e.children {
		if ch.out == nil || ch.out.route.Load().path.Remote.Addr() != remote {
			continue
		}
		if moved := ch.out.progress.Load(); moved != 0 && moved > then {
			return true
		}
	}
	return false
}

// heardSince reports whether an authentic packet has come in from a peer since then. The mutex is held.
func (e *Engine) heardSince(remote netip.Addr, then int64) bool {
	for _, ch := range e.children {
		if ch.in == nil {
			continue
		}
		if rt := ch.in.route.Load(); rt == nil || rt.path.Remote.Addr() != remote {
			continue
		}
		var sum counterSum
		sum.add(ch.in.cells)
		if sum.last != 0 && sum.last >= then {
			return true
		}
	}
	return false
}

// searchHoles looks at the searches whose step has had its time.
func (e *Engine) searchHoles(now int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	for remote, s := range e.searches {
		if s.due > now {
			continue
		}
		mtu := e.holes[remote].mtu
		if !s.watch.acked.Load() {
			if step := holeStep(mtu, remote.Is6()); step > 0 {
				e.tryStep(remote, s, step, now)
				continue
			}
			e.endFutile(remote, s, now)
		} else {
			h := pathHole{mtu: mtu, hold: s.hold(), was: s.was, since: now}
			if s.old != nil { // it was there all the time
				h.was, h.since = s.old.was, s.old.since
			}
			h.until = now + int64(h.hold)
			e.holes[remote] = h
			e.log.Warn("path MTU black hole detected, lowering MTU",
				"remote", remote, "mtu", mtu, "was", s.was, "for", h.hold)
		}
		delete(e.searches, remote)
		e.watchAcks()
	}
}

// endFutile ends a search that found nothing.
func (e *Engine) endFutile(remote netip.Addr, s *holeSearch, now int64) {
	if s.old != nil {
		e.holes[remote] = *s.old
	} else {
		delete(e.holes, remote)
	}
	for a, until := range e.futile {
		if until <= now {
			delete(e.futile, a)
		}
	}
	e.futile[remote] = now + int64(holeFutile)
	e.log.Info("a connection makes no progress with any packet size, keeping MTU", "remote", remote)
	e.updateMTULocked(mtuEvent{remote: remote})
}

// watchAcks tells the packet path which acknowledgements are waited for.
func (e *Engine) watchAcks() {
	var list []*holeWatch
	for _, s := range e.searches {
		list = append(list, s.watch)
	}
	if len(list) == 0 {
		e.watches.Store(nil)
		return
	}
	e.watches.Store(&list)
}

// nextSearch gives a channel that fires when a search has something due, nil if there is none.
func (e *Engine) nextSearch() <-chan time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	first := int64(0)
	for _, s := range e.searches {
		if first == 0 || s.due < first {
			first = s.due
		}
	}
	if first == 0 {
		return nil
	}
	return time.After(time.Duration(first - e.clock.now()))
}
