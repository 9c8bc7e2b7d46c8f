package ike

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/sa"
)

// What an IKE SA asks for and takes long is carried out by workers, so that the event loop goes on meanwhile:
//
//	event loop ── CarryOut ──> peers, strangers ── take ──> workers ── done ──> completed ── fetch ──> event loop
//
// A request waits for its turn in one of two queues, each of which is fair between peers. That of peers that are authenticated, or
// that this side calls, goes first: a flood of strangers delays it by no more than the step that a worker is at, and one turn in
// strangersTurn. What is too much is refused at once. A result is never lost: there are no more of them than there were requests.

const (
	// inPlace is what may be carried out on the event loop: to hand it to another goroutine and back costs about a tenth of that,
	// and the common groups stay below it.
	inPlace = 150 * time.Microsecond

	// maxWaiting bounds the requests that wait for peers, maxWaitingOfPeer those for one of them, and maxWaitingOfAddress those
	// for one address of it. An IKE SA has no more than three of them. The bounds are for memory, a kilobyte or two each: a gateway
	// may begin with thousands of connections, with hundreds to one address. It is their age that bounds the work: what has waited
	// for too long is not begun.
	maxWaiting          = 4096
	maxWaitingOfPeer    = 1024
	maxWaitingOfAddress = 512
	// maxWaitingStrangers and maxWaitingOfStranger are the same for peers that are not authenticated, each of which is an address.
	// How much may be computed for them has a bound of its own: see gateway/budget.go.
	maxWaitingStrangers  = 128
	maxWaitingOfStranger = 8
	// strangersTurn: when strangers wait, one in so many turns is theirs, so that peers that come again and again do not keep
	// others out.
	strangersTurn = 4
	// completedBatch is how many results the event loop takes before it looks for other input.
	completedBatch = 32
)

// workers is how many there are if so many are asked for. Half of the cores are left to the event loop and to the packet loops:
// the scheduler takes a core from a worker after ten milliseconds at the earliest.
func workers(asked int) int {
	switch {
	case asked > 0:
		return asked
	case asked == NoWorkers:
		return 0
	}
	return max(1, runtime.GOMAXPROCS(0)/2)
}

// carryOut does what an IKE SA has asked for.
func carryOut(w sa.Want) sa.Result {
	switch w := w.(type) {
	case sa.KeyExchange:
		return w.CarryOut()
	case sa.Proof:
		return w.CarryOut()
	}
	panic("BUG: a request that nobody carries out")
}

// cost is about how long that takes on one core.
func cost(w sa.Want) time.Duration {
	switch w := w.(type) {
	case sa.KeyExchange:
		return w.Cost()
	case sa.Proof:
		return w.Cost()
	}
	panic("BUG: a request that nobody carries out")
}

// completion is an errand with its result.
type completion struct {
	errand gateway.Errand
	result sa.Result
}

// desk is where errands wait for workers, and their results for the event loop.
type desk struct {
	carryOut func(sa.Want) sa.Result
	wake     func() // has the event loop fetch what is completed
	crew     int    // workers; 0: the event loop carries everything out itself

	working                    sync.WaitGroup
	full, late, worked, atOnce atomic.Uint64 // see Work
	busy                       atomic.Int32

	mu        sync.Mutex
	work      sync.Cond // there is something to do, or the desk is closed
	closed    bool
	peers     *turns
	strangers *turns
	served    int // turns of peers since the last one of a stranger
	completed []completion
}

func newDesk(crew int, carryOut func(sa.Want) sa.Result, wake func()) *desk {
	d := &desk{
		carryOut: carryOut, wake: wake, crew: crew,
		peers:     newTurns(maxWaiting, maxWaitingOfPeer, maxWaitingOfAddress),
		strangers: newTurns(maxWaitingStrangers, maxWaitingOfStranger, maxWaitingOfStranger),
	}
	d.work.L = &d.mu
	return d
}

// start has the workers begin.
func (d *desk) start() {
	for range d.crew {
		d.working.Go(d.serve)
	}
}

// close ends the workers and waits for what they are at, a tenth of a second at most. What waits is dropped.
func (d *desk) close() {
	d.mu.Lock()
	d.closed = true
	d.mu.Unlock()
	d.work.Broadcast()
	d.working.Wait()
}

// put takes an errand: it is carried out at once if it costs little, and refused if too many wait.
func (d *desk) put(x gateway.Errand) (r sa.Result, done bool) {
	if d.crew == 0 || cost(x.Want) < inPlace {
		d.atOnce.Add(1)
		return d.carryOut(x.Want), true
	}
	d.mu.Lock()
	queue := d.peers
	if x.Stranger {
		queue = d.strangers
	}
	taken := queue.add(x)
	d.mu.Unlock()
	if !taken {
		d.full.Add(1)
		return sa.Unfulfilled{Err: &sa.RequestError{Want: x.Want.String(), Reason: "too many others wait"}}, true
	}
	d.work.Signal()
	return nil, false
}

// serve is a worker.
func (d *desk) serve() {
	for {
		x, ok := d.take()
		if !ok {
			return
		}
		if time.Now().After(x.Until) {
			d.late.Add(1)
			continue // the IKE SA has given it up
		}
		d.busy.Add(1)
		r := d.carryOut(x.Want)
		d.busy.Add(-1)
		d.worked.Add(1)
		d.mu.Lock()
		d.completed = append(d.completed, completion{x, r})
		d.mu.Unlock()
		d.wake()
	}
}

// take waits for an errand. ok is false when the desk is closed.
func (d *desk) take() (x gateway.Errand, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for !d.closed {
		first, second := d.peers, d.strangers
		if d.served >= strangersTurn-1 {
			first, second = second, first
		}
		if x, ok = first.take(); !ok {
			x, ok = second.take()
		}
		if ok {
			if d.served++; x.Stranger {
				d.served = 0
			}
			return x, true
		}
		d.work.Wait()
	}
	return gateway.Errand{}, false
}

// fetch takes results, up to a batch. more: there are others.
func (d *desk) fetch() (list []completion, more bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n := min(len(d.completed), completedBatch)
	list, d.completed = d.completed[:n:n], d.completed[n:]
	return list, len(d.completed) > 0
}

// Work is what there is and was of requests that take long.
type Work struct {
	// Workers is how many there are, Busy how many of them carry something out.
	Workers, Busy int
	// Peers and Strangers wait for a worker: requests of peers that are authenticated, or that this side calls, and others.
	Peers, Strangers int
	// AtOnce were carried out by the event loop, since they cost little, and Worked by workers.
	AtOnce, Worked uint64
	// Full were refused since too many others waited. Late had waited for so long that they were of no use any more.
	Full, Late uint64
}

func (d *desk) report() Work {
	d.mu.Lock()
	peers, strangers := d.peers.waiting, d.strangers.waiting
	d.mu.Unlock()
	return Work{Workers: d.crew, Busy: int(d.busy.Load()), Peers: peers, Strangers: strangers, AtOnce: d.atOnce.Load(), Worked: d.worked.Load(), Full: d.full.Load(), Late: d.late.Load()}
}

// Work may be called from any goroutine.
func (d *Daemon) Work() Work { return d.desk.report() }

// finish hands over the result of an errand that no worker has carried out.
func (d *desk) finish(x gateway.Errand, r sa.Result) {
	d.mu.Lock()
	d.completed = append(d.completed, completion{x, r})
	d.mu.Unlock()
	d.wake()
}

// CarryOut implements gateway.Host.
func (h host) CarryOut(x gateway.Errand) (sa.Result, bool) {
	if u, ok := asks(x.Want); ok {
		return h.d.revocations.ask(x, u)
	}
	if r, ok := relaying(x.Want); ok {
		return h.d.relays.ask(x, r)
	}
	return h.d.desk.put(x)
}

// fetchCompleted gives the gateway results of its errands.
func (d *Daemon) fetchCompleted() {
	list, more := d.desk.fetch()
	for _, c := range list {
		d.gateway.Completed(time.Now(), c.errand, c.result)
	}
	if more {
		d.loop.wakeUp()
	}
}
