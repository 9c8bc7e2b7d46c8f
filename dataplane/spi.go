package dataplane

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
)

// An SPI that AllocateSPI gives out:
//
//	 31          20 19                                      0
//	+--------------+-----------------------------------------+
//	|  generation  |                  index                  |
//	+--------------+-----------------------------------------+
//
// The index is the place in the table. Its lowest bits are those of the worker that the kernel steers the SA's packets
// to. The generation is random, never zero, and never the one that the index had before, so that late packets of a
// removed SA do not meet the next one.
const (
	spiIndexBits = 20
	spiIndexMask = 1<<spiIndexBits - 1
	spiLeafBits  = 10
	spiLeafSize  = 1 << spiLeafBits
	spiLeaves    = 1 << (spiIndexBits - spiLeafBits)

	// MaxSPIs is how many SPIs can be allocated at a time.
	MaxSPIs = 1 << spiIndexBits
)

// ErrNoSPI says that all SPIs are in use.
var ErrNoSPI = errors.New("dataplane: all SPIs are in use")

// spiTable finds inbound SAs. Lookups take no lock and may run at any time; everything else is called with the
// engine's mutex held.
type spiTable struct {
	leaves [spiLeaves]atomic.Pointer[spiLeaf]

	// next is the first index that was never given out; free holds those that were and are free again, oldest first.
	next uint32
	free []uint32
	// used has what is given out, by index.
	used map[uint32]uint32
	last map[uint32]uint32 // generations of free indexes
}

type spiLeaf [spiLeafSize]atomic.Pointer[inboundSA]

// lookup finds the SA, nil if there is none.
func (t *spiTable) lookup(spi uint32) *inboundSA {
	i := spi & spiIndexMask
	leaf := t.leaves[i>>spiLeafBits].Load()
	if leaf == nil {
		return nil
	}
	sa := leaf[i&(spiLeafSize-1)].Load()
	if sa == nil || sa.spi != spi {
		return nil
	}
	return sa
}

// allocate gives an SPI that is not in use.
func (t *spiTable) allocate() (uint32, error) {
	var index uint32
	switch {
	case len(t.free) > spiReuseDelay || t.next > spiIndexMask && len(t.free) > 0:
		index, t.free = t.free[0], t.free[1:]
	case t.next <= spiIndexMask:
		index = t.next
		t.next++
	default:
		return 0, ErrNoSPI
	}
	var b [4]byte
	if _, err := rand.Read(b[:]); err != nil {
		return 0, fmt.Errorf("dataplane: no random SPI: %w", err)
	}
	const generations = 1<<(32-spiIndexBits) - 1
	gen := binary.BigEndian.Uint32(b[:])%generations + 1
	if gen == t.last[index] {
		gen = gen%generations + 1
	}
	delete(t.last, index)
	spi := gen<<spiIndexBits | index
	if t.used == nil {
		t.used, t.last = make(map[uint32]uint32), make(map[uint32]uint32)
	}
	t.used[index] = spi
	return spi, nil
}

// spiReuseDelay is how many other indexes are given out before one is used again.
const spiReuseDelay = 256

// allocated reports whether the SPI is given out.
func (t *spiTable) allocated(spi uint32) bool {
	s, ok := t.used[spi&spiIndexMask]
	return ok && s == spi
}

// release takes an SPI back, with the SA that it may have.
func (t *spiTable) release(spi uint32) {
	if !t.allocated(spi) {
		return
	}
	i := spi & spiIndexMask
	t.remove(spi)
	delete(t.used, i)
	t.last[i] = spi >> spiIndexBits
	t.free = append(t.free, i)
}

// insert makes the SA found by its SPI, which is allocated.
func (t *spiTable) insert(sa *inboundSA) {
	i := sa.spi & spiIndexMask
	leaf := t.leaves[i>>spiLeafBits].Load()
	if leaf == nil {
		leaf = new(spiLeaf)
		t.leaves[i>>spiLeafBits].Store(leaf)
	}
	leaf[i&(spiLeafSize-1)].Store(sa)
}

// remove makes the SPI's SA not found any more; the SPI stays allocated.
func (t *spiTable) remove(spi uint32) {
	i := spi & spiIndexMask
	if leaf := t.leaves[i>>spiLeafBits].Load(); leaf != nil {
		leaf[i&(spiLeafSize-1)].Store(nil)
	}
}
