package ike

import (
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"esplanade/ike/selector"
)

// routing carries out what the event loop wants of the host's routes: in a goroutine of its own, because the kernel may
// take its time. The event loop says what is wanted and goes on. Each holder waits at most once, whatever is wanted of it
// meanwhile, and is brought to what is wanted at the moment its turn comes: the queue is not longer than there are CHILD SAs,
// configured children and addresses of peers, and what came and went before its turn costs nothing. The order is that in
// which the holders were first changed, but that routes are removed only when there are none to add: what takes their place
// is there by then, however many reloads follow each other, and no packet leaves in the clear in between.
type routing struct {
	network Network
	log     *slog.Logger

	mu       sync.Mutex
	change   *sync.Cond // of queue, busy and closed
	queue    []holder
	later    []holder // removals
	busy     bool
	closed   bool
	peers    map[netip.Addr]*exclusion
	routes   map[uint64]*routes // by holder
	assigned assigning
	done     chan struct{}
	// failures are what the event loop has to be told, and wake tells it that there is something.
	failures []routeFailure
	wake     func()
}

// routeFailure says that the routes of a holder could not be added.
type routeFailure struct {
	holder uint64
	ts     *selector.Pair
	err    error
}

// holder is somebody who wants something of the host's network. Its methods are called with the mutex of routing held.
type holder interface {
	// next gives what has to be done now to get to what is wanted; nil for nothing.
	next(r *routing) func()
}

func newRouting(n Network, log *slog.Logger, wake func()) *routing {
	r := &routing{
		network: n, log: log, wake: wake, peers: map[netip.Addr]*exclusion{}, routes: map[uint64]*routes{}, done: make(chan struct{}),
	}
	r.change = sync.NewCond(&r.mu)
	return r
}

// run works until close.
func (r *routing) run() {
	defer close(r.done)
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		for r.idle() && !r.closed {
			r.change.Wait()
		}
		if r.idle() {
			return
		}
		from := &r.queue
		if len(r.queue) == 0 {
			from = &r.later
		}
		h := (*from)[0]
		(*from)[0] = nil
		*from = (*from)[1:]
		work := h.next(r)
		if work != nil {
			r.busy = true
			r.mu.Unlock()
			work()
			r.mu.Lock()
			r.busy = false
		}
		r.change.Broadcast()
	}
}

// flush waits until everything that is wanted has been done.
func (r *routing) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for !r.idle() || r.busy {
		r.change.Wait()
	}
}

// idle reports whether nobody waits for a turn. The mutex is held.
func (r *routing) idle() bool { return len(r.queue)+len(r.later) == 0 }

// close does what is left to do and ends run.
func (r *routing) close() {
	r.mu.Lock()
	r.closed = true
	r.change.Broadcast()
	r.mu.Unlock()
	<-r.done
}

// enqueue gives a holder a turn. The mutex is held.
func (r *routing) enqueue(h holder, queued *bool) {
	if *queued {
		return
	}
	*queued = true
	r.queue = append(r.queue, h)
	r.change.Broadcast()
}

// routes are the routes that one holder wants: a configured child, or a CHILD SA. The zero value wants none.
type routes struct {
	holder uint64
	want   *selector.Pair
	queued bool
	late   bool // its turn is among the removals
	// These belong to the goroutine.
	have  *selector.Pair
	part  *selector.Pair // added, but not whole
	told  *selector.Pair // whose failure was told
	retry *time.Timer    // of another turn; nil before the first failure
}

// routeRetry is how long after a failure routes are tried again: what is in their way may have gone, and without them what
// is protected leaves in the clear.
const routeRetry = 10 * time.Second

// again gives a holder another turn later, if it still wants the same then. It has one such turn before it, however often it
// had one in between.
func (r *routing) again(h *routes, want *selector.Pair) {
	if h.retry != nil {
		h.retry.Stop()
	}
	h.retry = time.AfterFunc(routeRetry, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if h.want == want && !r.closed {
			r.enqueue(h, &h.queued)
		}
	})
}

// setRoutes says which routes a holder wants from now on, nil for none.
func (r *routing) setRoutes(holder uint64, ts *selector.Pair) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.routes[holder]
	if h == nil {
		if ts == nil {
			return
		}
		h = &routes{holder: holder}
		r.routes[holder] = h
	}
	h.want = ts
	r.enqueue(h, &h.queued)
}

// failed notes a failure for the event loop. There is at most one for each holder.
func (r *routing) failed(f routeFailure) {
	r.mu.Lock()
	r.failures = append(slices.DeleteFunc(r.failures, func(x routeFailure) bool { return x.holder == f.holder }), f)
	r.mu.Unlock()
	r.wake()
}

// takeFailures hands over what has failed since.
func (r *routing) takeFailures() []routeFailure {
	r.mu.Lock()
	defer r.mu.Unlock()
	f := r.failures
	r.failures = nil
	return f
}

func (h *routes) next(r *routing) func() {
	want := h.want
	if want == nil && (h.have != nil || h.part != nil) && !h.late {
		h.late = true
		r.later = append(r.later, h)
		return nil
	}
	h.queued, h.late = false, false
	if want == h.have && h.part == nil {
		if want == nil && r.routes[h.holder] == h {
			delete(r.routes, h.holder)
		}
		return nil
	}
	return func() {
		// The new ones first, so that what both have never leaves in the clear; if they are not whole, the old ones stay.
		part := h.part
		h.part = nil
		var err error
		if want != nil && want != h.have {
			err = r.network.AddRoutes(*want)
		}
		if part != nil { // of the last attempt, which counts
			r.complain("remove routes", r.network.RemoveRoutes(*part))
		}
		if want != nil && want != h.have {
			if err != nil {
				h.part = want
				if h.told != want {
					r.failed(routeFailure{h.holder, want, err})
				}
				h.told = want
				r.again(h, want)
				return
			}
		}
		if old := h.have; want != old {
			if h.have = want; old != nil {
				r.complain("remove routes", r.network.RemoveRoutes(*old))
			}
		}
		if want == nil {
			r.forget(h)
		}
	}
}

// forget drops a holder that has nothing, unless it has come to want something meanwhile.
func (r *routing) forget(h *routes) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h.want == nil && r.routes[h.holder] == h {
		delete(r.routes, h.holder)
	}
}

// exclusion is the address of a peer, whose packets stay outside the tunnels.
type exclusion struct {
	addr   netip.Addr
	count  int // of those who want it
	queued bool
	have   bool // belongs to the goroutine
}

// exclude keeps packets to a peer out of the tunnels until unexclude was called as often.
func (r *routing) exclude(a netip.Addr) { r.excludeBy(a, 1) }

func (r *routing) unexclude(a netip.Addr) { r.excludeBy(a, -1) }

func (r *routing) excludeBy(a netip.Addr, by int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	x := r.peers[a]
	if x == nil {
		x = &exclusion{addr: a}
		r.peers[a] = x
	}
	x.count += by
	r.enqueue(x, &x.queued)
}

func (x *exclusion) next(r *routing) func() {
	x.queued = false
	want := x.count > 0
	if !want && !x.have {
		delete(r.peers, x.addr)
	}
	if want == x.have {
		return nil
	}
	return func() {
		if want {
			if err := r.network.Exclude(x.addr); err != nil {
				r.log.Warn("cannot keep packets to the peer out of the tunnel", "peer", x.addr, "error", err)
				return
			}
		} else {
			r.complain("unexclude", r.network.Unexclude(x.addr))
		}
		r.mu.Lock()
		x.have = want
		r.enqueue(x, &x.queued) // it may have changed meanwhile; and one that nobody wants is forgotten
		r.mu.Unlock()
	}
}

func (r *routing) complain(what string, err error) {
	if err != nil {
		r.log.Warn("network configuration", "action", what, "error", err)
	}
}
