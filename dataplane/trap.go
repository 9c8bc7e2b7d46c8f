package dataplane

import (
	"sync"
	"sync/atomic"
	"time"
)

// AcquireInterval is the shortest time between two calls of Handler.Acquire for one policy.
const AcquireInterval = time.Second

// trap is where the packets of a policy wait that has no SA for them.
type trap struct {
	policy uint64
	limit  int

	// acquired is when Acquire was last called, on the engine's clock.
	acquired atomic.Int64
	// waiting is len(packets), to be read without the lock.
	waiting atomic.Int32

	mu      sync.Mutex
	packets []superPacket // copies
	// drained is the gen of the policy table with which packets last left the ring. Whoever looked the trap up in an
	// older table has to look again: otherwise its packet would wait for an SA that is there already.
	drained uint64
	closed  bool // the trap is removed
}

// waitResult says what became of a packet that was to wait.
type waitResult uint8

const (
	waitQueued waitResult = iota // it waits
	waitFull                     // there was no room
	waitRetry                    // the policy table has changed: look again
)

// add lets a copy of the packet wait. gen is that of the policy table in which the trap was found.
func (t *trap) add(s *superPacket, gen uint64) waitResult {
	// A flood on a policy without a tunnel does not contend for the lock.
	if int(t.waiting.Load()) >= t.limit {
		return waitFull
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.closed || gen < t.drained:
		return waitRetry
	case len(t.packets) >= t.limit:
		return waitFull
	}
	n := s.end - s.start
	c := *s
	c.buf, c.start, c.end = make([]byte, headroom+n+tailroom), headroom, headroom+n
	copy(c.buf[headroom:], s.bytes())
	t.packets = append(t.packets, c)
	t.waiting.Store(int32(len(t.packets)))
	return waitQueued
}

// drain takes all packets out; gen is that of the policy table which is in force now.
func (t *trap) drain(gen uint64, remove bool) []superPacket {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.packets
	t.packets = nil
	t.waiting.Store(0)
	t.drained = gen
	t.closed = t.closed || remove
	return p
}

// mayAcquire reports whether it is time to call Acquire, and notes that it was.
func (t *trap) mayAcquire(now int64) bool {
	last := t.acquired.Load()
	return (last == 0 || now-last >= int64(AcquireInterval)) && t.acquired.CompareAndSwap(last, now)
}
