package gateway

import (
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// refusals are what is left of attempts that were refused: their answers, for as long as they may be asked for again. Anybody
// can have any number of attempts refused, so that there are so many of them in all and so many of one source; beyond that
// the oldest of whoever has most go.
type refusals struct {
	bySPI  map[wire.SPI]*refusal
	byInit map[initKey]*refusal
	shares shares[*refusal]
	// oldest and newest are the ends of a list by age, which is also the order in which their times are up.
	oldest, newest *refusal
}

// refusal is one of them.
type refusal struct {
	*sa.Refusal
	init       initKey
	until      time.Time
	claim      *claim[*refusal]
	prev, next *refusal
}

const (
	// maxRefusals is how many there are in all. With the kilobyte and a half that one takes, its keys among it, they are
	// 6 MiB. An attempt that is refused when 4096 others were in the last 15 seconds, 273 a second, pushes one out: then
	// the peer asks in vain if its answer was lost, and its attempt times out.
	maxRefusals = 4096
	// maxRefusalsOfSource is how many there are of one source.
	maxRefusalsOfSource = 256
)

func (r *refusals) init() {
	r.bySPI, r.byInit = map[wire.SPI]*refusal{}, map[initKey]*refusal{}
	r.shares.init()
}

func (r *refusals) add(now time.Time, x *sa.Refusal, init initKey) {
	n := &refusal{Refusal: x, init: init, until: x.Until(now), prev: r.newest}
	if r.newest != nil {
		r.newest.next = n
	} else {
		r.oldest = n
	}
	r.newest = n
	r.bySPI[x.LocalSPI()], r.byInit[init] = n, n
	from := init.remote.Addr()
	n.claim = r.shares.add(now, from, n, 1)
	if r.shares.from(from) > maxRefusalsOfSource {
		r.remove(r.shares.oldestFrom(from).x)
	}
	if r.shares.total() > maxRefusals {
		r.remove(r.shares.most().x)
	}
}

func (r *refusals) remove(x *refusal) {
	if x.prev != nil {
		x.prev.next = x.next
	} else {
		r.oldest = x.next
	}
	if x.next != nil {
		x.next.prev = x.prev
	} else {
		r.newest = x.prev
	}
	delete(r.bySPI, x.LocalSPI())
	if r.byInit[x.init] == x {
		delete(r.byInit, x.init)
	}
	r.shares.remove(x.claim)
}

// next is when the first one's time is up, zero for never.
func (r *refusals) next() time.Time {
	if r.oldest == nil {
		return time.Time{}
	}
	return r.oldest.until
}

// expire forgets those whose time is up.
func (r *refusals) expire(now time.Time) {
	for r.oldest != nil && !now.Before(r.oldest.until) {
		r.remove(r.oldest)
	}
}

// repeatRefusal handles a message for an attempt that was refused.
func (g *Manager) repeatRefusal(now time.Time, path sa.Path, r *refusal, b []byte) {
	answer, ignored := r.Again(now, b, path)
	if ignored != nil {
		g.ignored(*ignored)
		return
	}
	for _, b := range answer {
		g.send(path, b)
	}
}
