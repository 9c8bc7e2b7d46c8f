package dataplane

import (
	"sync/atomic"
	"time"

	"esplanade/ike/selector"
)

// stray is the last packet from the device that no policy selects, for the operator who wonders what is counted. One packet loop writes
// it, any goroutine reads it; neither waits for the other.
type stray struct {
	turn atomic.Uint64 // odd while it is written
	at   atomic.Int64  // of the engine's clock; 0 for never
	key  [5]atomic.Uint64
}

// note remembers a packet.
func (s *stray) note(now int64, k *flowKey) {
	s.turn.Add(1)
	s.at.Store(now)
	for i, v := range [...]uint64{k.srcHi, k.srcLo, k.dstHi, k.dstLo, k.rest} {
		s.key[i].Store(v)
	}
	s.turn.Add(1)
}

// strayTries is how often a reader looks before it gives up: the writer may be at it all the time.
const strayTries = 16

// last is what was noted, if anything was and it can be read whole.
func (s *stray) last() (k flowKey, at int64, ok bool) {
	for range strayTries {
		turn := s.turn.Load()
		at = s.at.Load()
		k = flowKey{s.key[0].Load(), s.key[1].Load(), s.key[2].Load(), s.key[3].Load(), s.key[4].Load()}
		if turn%2 == 0 && s.turn.Load() == turn {
			return k, at, turn > 0
		}
	}
	return k, 0, false
}

// LastStray is the last packet from the device that no policy selects (DropOutNoPolicy), and when it was dropped; false if there was none.
// It may be called from any goroutine.
func (e *Engine) LastStray() (p selector.Packet, at time.Time, ok bool) {
	var newest int64
	for _, w := range append([]*outLoop{e.courier.loop}, e.outLoops...) {
		if k, when, there := w.stray.last(); there && (!ok || when > newest) {
			p, newest, ok = k.packet(), when, true
		}
	}
	return p, e.clock.at(newest), ok
}
