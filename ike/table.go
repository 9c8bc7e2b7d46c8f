package ike

import (
	"cmp"
	"container/heap"
	"maps"
	"net/netip"
	"slices"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// entry is an IKE SA in the table.
type entry struct {
	m *sa.Machine
	// conn is the connection it belongs to; for a half-open responder the best guess.
	conn *connection
	// init is set while the entry is a half-open responder.
	init *initKey
	// up: it was reported as established and not yet as closed.
	up bool

	due   time.Time
	index int // in the heap, -1 when not in it
}

// initKey finds the half-open responder that an IKE_SA_INIT request was answered by (pitfall M2).
type initKey struct {
	spi    wire.SPI
	remote netip.AddrPort
}

// table holds all IKE SAs and when each has something due.
type table struct {
	bySPI    map[wire.SPI]*entry
	byInit   map[initKey]*entry
	bySource map[netip.Addr]int // half-open responders by the peer's address or prefix
	timers   timerHeap
}

func (t *table) init() {
	t.bySPI, t.byInit, t.bySource = map[wire.SPI]*entry{}, map[initKey]*entry{}, map[netip.Addr]int{}
}

func (t *table) add(m *sa.Machine, c *connection) *entry {
	e := &entry{m: m, conn: c, index: -1}
	t.bySPI[m.LocalSPI()] = e
	return e
}

// addHalfOpen registers a responder that waits for IKE_AUTH.
func (t *table) addHalfOpen(m *sa.Machine, c *connection, remote netip.AddrPort) *entry {
	e := t.add(m, c)
	e.init = &initKey{m.PeerSPI(), remote}
	t.byInit[*e.init] = e
	t.bySource[sourceOf(remote.Addr())]++
	return e
}

// sourceOf is what half-open SAs are counted by: an IPv6 host can have any address of its /64.
func sourceOf(a netip.Addr) netip.Addr {
	if a.Is6() && !a.Is4In6() {
		p, _ := a.Prefix(64)
		return p.Addr()
	}
	return a.Unmap()
}

// settle takes an entry off the half-open ones.
func (t *table) settle(e *entry) {
	if e.init == nil {
		return
	}
	delete(t.byInit, *e.init)
	s := sourceOf(e.init.remote.Addr())
	if t.bySource[s]--; t.bySource[s] <= 0 {
		delete(t.bySource, s)
	}
	e.init = nil
}

func (t *table) remove(e *entry) {
	t.settle(e)
	delete(t.bySPI, e.m.LocalSPI())
	if e.index >= 0 {
		heap.Remove(&t.timers, e.index)
	}
}

// schedule files an entry under the time its machine names.
func (t *table) schedule(e *entry) {
	e.due = e.m.NextTimeout()
	switch {
	case e.due.IsZero() && e.index >= 0:
		heap.Remove(&t.timers, e.index)
	case e.due.IsZero():
	case e.index >= 0:
		heap.Fix(&t.timers, e.index)
	default:
		heap.Push(&t.timers, e)
	}
}

// due returns an entry whose time has come, or nil.
func (t *table) due(now time.Time) *entry {
	if len(t.timers) == 0 || now.Before(t.timers[0].due) {
		return nil
	}
	return t.timers[0]
}

func (t *table) nextTimeout() time.Time {
	if len(t.timers) == 0 {
		return time.Time{}
	}
	return t.timers[0].due
}

// all lists the entries, oldest first.
func (t *table) all() []*entry {
	return slices.SortedFunc(maps.Values(t.bySPI), func(a, b *entry) int { return cmp.Compare(a.m.ID(), b.m.ID()) })
}

// count tells how many IKE SAs of a connection there are that are not closed.
func (t *table) count(cfg *sa.Config) int {
	n := 0
	for _, e := range t.bySPI {
		if e.m.Config() == cfg && e.m.State() != sa.StateClosed {
			n++
		}
	}
	return n
}

// halfOpen tells how many responders wait for IKE_AUTH, in all and from one source.
func (t *table) halfOpen(from netip.Addr) (all, source int) {
	return len(t.byInit), t.bySource[sourceOf(from)]
}

// working tells whether any SA is not closed.
func (t *table) working() bool {
	for _, e := range t.bySPI {
		if e.m.State() != sa.StateClosed {
			return true
		}
	}
	return false
}

// timerHeap orders entries by what is due first.
type timerHeap []*entry

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].due.Before(h[j].due) }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *timerHeap) Push(x any) {
	e := x.(*entry)
	e.index = len(*h)
	*h = append(*h, e)
}
func (h *timerHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	e.index = -1
	return e
}
