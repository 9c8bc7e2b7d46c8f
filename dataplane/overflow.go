package dataplane

import (
	"sync"

	"esplanade/tun"
)

// What the system drops before the packet loop sees it: packets that come faster than they are taken. They are counted
// where that happens, by the kernel, and asked for when somebody wants to know.

// overflow adds up the drops of sockets. The kernel's counters have 32 bits; they are asked for often enough.
type overflow struct {
	mu   sync.Mutex
	last map[*boundSocket]uint32
	sum  uint64
}

// lost is how many messages were dropped since the sockets are open because their receive buffers were full. A run that
// the kernel has merged is one message.
func (s *socketSet) lost() uint64 {
	s.overflow.mu.Lock()
	defer s.overflow.mu.Unlock()
	if s.overflow.last == nil {
		s.overflow.last = make(map[*boundSocket]uint32, len(s.all))
	}
	for _, b := range s.all {
		if n, ok := b.overflowed(); ok {
			s.overflow.sum += uint64(n - s.overflow.last[b])
			s.overflow.last[b] = n
		}
	}
	return s.overflow.sum
}

// deviceLost is how many packets the device has dropped because its queues were full.
func deviceLost(d tun.Device) uint64 {
	c, ok := d.(tun.DropCounter)
	if !ok {
		return 0
	}
	n, err := c.Dropped()
	if err != nil {
		return 0 // it is being closed
	}
	return n
}
