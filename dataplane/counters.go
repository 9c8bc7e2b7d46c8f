package dataplane

import (
	"sync/atomic"
	"time"
)

// Counters is what has gone through the SAs of one child. Octets are those of inner packets, headers included.
type Counters struct {
	InBytes, InPackets   uint64
	OutBytes, OutPackets uint64
	// LastIn and LastOut are when the last batch went through, zero if none did.
	LastIn, LastOut time.Time
	// LastOnPath is when the last batch came in with a packet from the address that the SA's path says.
	LastOnPath time.Time
	// Asking is how many of the packets out ask for an answer: see [asksForAnswer].
	Asking uint64
}

// counterCell is one goroutine's share of an SA's counters: only it writes, so that no cache line travels between
// CPUs per packet; readers add the cells up.
type counterCell struct {
	packets, bytes atomic.Uint64
	last           atomic.Int64 // nanoseconds on the engine's clock; 0: never
	onPath         atomic.Int64 // the same, of packets from where the path says
	asking         atomic.Uint64
	_              [24]byte
}

func (c *counterCell) add(packets, bytes int, now int64) {
	c.packets.Add(uint64(packets))
	c.bytes.Add(uint64(bytes))
	c.last.Store(now)
}

// counterSum adds up cells.
type counterSum struct {
	packets, bytes uint64
	last, onPath   int64
	asking         uint64
}

func (s *counterSum) add(cells []counterCell) {
	for i := range cells {
		s.packets += cells[i].packets.Load()
		s.bytes += cells[i].bytes.Load()
		s.last = max(s.last, cells[i].last.Load())
		s.onPath = max(s.onPath, cells[i].onPath.Load())
		s.asking += cells[i].asking.Load()
	}
}

// clock tells nanoseconds since the engine was made, on the monotonic clock. A loop reads it once for each batch.
type clock struct{ start time.Time }

func newClock() clock { return clock{time.Now()} }

// now is at least 1, so that 0 can stand for "never".
func (c clock) now() int64 { return max(1, int64(time.Since(c.start))) }

// at gives the wall time of a reading, and the zero time for "never".
func (c clock) at(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return c.start.Add(time.Duration(n))
}
