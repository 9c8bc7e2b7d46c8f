package sim

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"
)

// World is one run of the simulation. Make one with [New], play it with [World.Run].
type World struct {
	seed uint64
	rng  *rand.Rand
	now  time.Time
	plan plan

	queue  eventHeap
	nextID uint64 // of events, so that those of one instant keep their order

	// publicLen are the lengths of public values by group.
	publicLen map[uint16]int

	hosts []*Host
	// issuer makes certificates; authorities are the CA of all hosts, and a strange one. Only where somebody signs.
	issuer      issuer
	authorities []*authority
	net         network
	// locked is since when the users have other passwords; zero: they have their own.
	locked   time.Time
	attacker attacker
	check    checker

	// ladder is what happened, for a person; nil when nobody wants to know.
	ladder *strings.Builder
	// broken is the first invariant that did not hold. The run ends there.
	broken error
}

// epoch is when every run begins.
var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// event is something that happens at a time.
type event struct {
	at time.Time
	id uint64
	do func()
}

type eventHeap []event

func (h eventHeap) Len() int { return len(h) }
func (h eventHeap) Less(i, j int) bool {
	if !h[i].at.Equal(h[j].at) {
		return h[i].at.Before(h[j].at)
	}
	return h[i].id < h[j].id
}
func (h eventHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *eventHeap) Push(x any)   { *h = append(*h, x.(event)) }
func (h *eventHeap) Pop() any {
	old := *h
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*h = old[:len(old)-1]
	return e
}

// New makes the world of a seed. With ladder set, [World.Ladder] tells afterwards what happened.
func New(seed uint64, ladder bool) *World {
	w := &World{seed: seed, rng: rand.New(rand.NewPCG(seed, 0x65737061)), now: epoch, publicLen: map[uint16]int{}}
	if ladder {
		w.ladder = &strings.Builder{}
	}
	w.plan = newPlan(seed, w.rng)
	w.net.init(w)
	w.attacker.init(w)
	w.check.init(w)
	w.initCertificates()
	for i, p := range w.plan.hosts {
		w.hosts = append(w.hosts, newHost(w, p, i, map[string]netip.Addr{"a": addrA, "b": addrB, "c": addrC, "d": addrD}[p.name]))
	}
	return w
}

// Run plays the whole life and returns the first violation of an invariant, or nil.
func (w *World) Run() error {
	w.logf("seed %d: %s", w.seed, w.plan.String())
	w.script()
	w.play(w.plan.chaos)
	w.calm()
	w.settle()
	w.shutdown()
	w.dump()
	return w.broken
}

// dump ends a ladder with what both hosts have.
func (w *World) dump() {
	if w.ladder == nil {
		return
	}
	for _, h := range w.hosts {
		for _, s := range h.sas() {
			w.logf("%s has IKE SA %d %s initiator %v %s:%s tasks %v", h.name, s.ID, s.State, s.Initiator, s.SPIi.String()[:4], s.SPIr.String()[:4], s.Tasks)
			for _, c := range s.Children {
				w.logf("%s has child %d %s %s in %08x out %08x policy %d", h.name, c.ID, c.Name, c.State, c.LocalSPI, c.RemoteSPI, c.Policy)
			}
		}
	}
}

// Ladder is what happened, one line an event.
func (w *World) Ladder() string { return w.ladder.String() }

// Stats counts what a run consisted of, so that a test can show that the runs are worth something.
func (w *World) Stats() Stats { return w.check.stats }

func (w *World) logf(format string, args ...any) {
	if w.ladder != nil {
		fmt.Fprintf(w.ladder, "%10.3f  %s\n", w.now.Sub(epoch).Seconds(), fmt.Sprintf(format, args...))
	}
}

// fail records a violation.
func (w *World) fail(format string, args ...any) {
	if w.broken == nil {
		w.broken = fmt.Errorf("at %.3f s: %s", w.now.Sub(epoch).Seconds(), fmt.Sprintf(format, args...))
		w.logf("VIOLATION: %v", w.broken)
	}
}

// after schedules something.
func (w *World) after(d time.Duration, do func()) {
	w.nextID++
	heap.Push(&w.queue, event{w.now.Add(d), w.nextID, do})
}

// play lets d pass.
func (w *World) play(d time.Duration) {
	until := w.now.Add(d)
	for w.broken == nil && w.step(until) {
	}
	if w.broken == nil {
		w.now = until
	}
}

// step does the next thing that happens not later than until. It reports whether there was one.
func (w *World) step(until time.Time) bool {
	at, wake := w.now, (*Host)(nil)
	have := len(w.queue) > 0
	if have {
		at = w.queue[0].at
	}
	for _, h := range w.hosts {
		if t := h.nextTimeout(); !t.IsZero() && (!have || t.Before(at)) {
			have, at, wake = true, t, h
		}
	}
	if !have || at.After(until) {
		return false
	}
	if at.After(w.now) {
		w.now = at
		w.check.instant = 0
	}
	if w.check.instant++; w.check.instant > maxPerInstant {
		w.fail("more than %d events at one instant: something asks to be called again and again", maxPerInstant)
		return false
	}
	if wake != nil {
		wake.turn()
	} else {
		heap.Pop(&w.queue).(event).do()
	}
	w.check.step()
	return true
}

// random gives octets of the seed.
func (w *World) random(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(w.rng.Uint32())
	}
	return b
}

// host finds a host by its name.
func (w *World) host(name string) *Host {
	for _, h := range w.hosts {
		if h.name == name {
			return h
		}
	}
	return nil
}

// at finds the host that has an address at present; nil for none.
func (w *World) at(a netip.Addr) *Host {
	for _, h := range w.hosts {
		if h.has(a) {
			return h
		}
	}
	return nil
}

// chance is true with probability p.
func (w *World) chance(p float64) bool { return p > 0 && w.rng.Float64() < p }

// between gives a duration from lo to hi.
func (w *World) between(lo, hi time.Duration) time.Duration {
	if hi <= lo {
		return lo
	}
	return lo + time.Duration(w.rng.Int64N(int64(hi-lo)))
}
