package dataplane

import "sync"

// memory is the packet buffers of an engine. They are as old as the engine and have no pointers: outside of the heap
// the garbage collector neither counts nor scans them. A nil memory takes them from the heap.
type memory struct {
	mu   sync.Mutex
	maps [][]byte
}

// arena gives zeroed memory that is valid until free.
func (m *memory) arena(n int) []byte {
	if m != nil {
		if b, err := mapMemory(n); err == nil {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.maps = append(m.maps, b)
			return b
		}
	}
	return make([]byte, n)
}

// slots divides an arena of n slots of packetSlot octets.
func (m *memory) slots(n int) [][]byte {
	a := m.arena(n * packetSlot)
	s := make([][]byte, n)
	for i := range s {
		s[i] = a[i*packetSlot : (i+1)*packetSlot : (i+1)*packetSlot]
	}
	return s
}

// free gives the memory back. Nothing may refer to it any more.
func (m *memory) free() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, b := range m.maps {
		unmapMemory(b)
	}
	m.maps = nil
}
