package ike

import (
	"net/netip"
	"sync"
)

// datagram is an IKE message on its way to the event loop.
type datagram struct {
	local, remote netip.AddrPort
	b             []byte
	// borrowed: b is used for another datagram as soon as this one was handled. Only what asks for a new IKE SA is in such
	// memory: of that nothing is kept until it was found worth a copy, and there may be any number of it.
	borrowed bool
}

// maxBorrowed is the largest request for a new IKE SA that is put into borrowed memory: more than one with any proposals,
// and a key exchange of today, has.
const maxBorrowed = 2 << 10

// lent is the memory that may be borrowed. What waits in the queue bounds how much there is.
var lent = sync.Pool{New: func() any { return &datagram{b: make([]byte, 0, maxBorrowed), borrowed: true} }}

// copyDatagram copies a datagram of somebody who has an IKE SA.
func copyDatagram(local, remote netip.AddrPort, b []byte) *datagram {
	return &datagram{local: local, remote: remote, b: append([]byte(nil), b...)}
}

// borrowDatagram copies a datagram of a stranger.
func borrowDatagram(local, remote netip.AddrPort, b []byte) *datagram {
	if len(b) > maxBorrowed {
		return copyDatagram(local, remote, b)
	}
	g := lent.Get().(*datagram)
	g.local, g.remote, g.b = local, remote, append(g.b[:0], b...)
	return g
}

// release gives borrowed memory back.
func (g *datagram) release() {
	if g.borrowed {
		lent.Put(g)
	}
}

// size is how much memory of the queues it takes; nothing if there is none.
func (g *datagram) size() int64 {
	if g == nil {
		return 0
	}
	return int64(cap(g.b))
}
