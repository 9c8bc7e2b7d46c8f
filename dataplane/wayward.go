package dataplane

import (
	"net/netip"
	"time"
)

// WaywardInterval is the shortest time between two calls of Handler.UnknownSPI for one source.
const WaywardInterval = time.Second

// waywardSlots is how many sources are told apart. A flood with forged sources makes as many calls in an interval and no more: 64 a
// second for each socket, each of which is a look-up of an address. A peer whose slot it takes is heard a second later.
const waywardSlots = 64

// wayward is when ESP with an unknown SPI was last reported, by a hash of the source. Owned by one goroutine.
type wayward [waywardSlots]int64

// due reports whether a source may be reported now, and notes that it was.
func (w *wayward) due(source netip.Addr, now int64) bool {
	h := uint32(2166136261) // FNV-1a
	for _, b := range source.As16() {
		h = (h ^ uint32(b)) * 16777619
	}
	last := &w[(h^h>>16)%waywardSlots]
	if *last != 0 && now-*last < int64(WaywardInterval) {
		return false
	}
	*last = now
	return true
}

// unknownSPI tells of an ESP packet that no SA is for. The SPIs up to 255 are reserved, and no SA's.
func (w *inLoop) unknownSPI(d *datagrams, spi uint32) {
	if spi > 255 && w.wayward.due(d.remote.Addr(), w.now) {
		w.e.handler.UnknownSPI(d.local, d.remote, spi)
	}
}
