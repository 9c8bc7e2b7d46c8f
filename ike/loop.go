package ike

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/news"
	"esplanade/ike/sa"
)

// input is what the event loop handles at a time: a datagram, or something to be done.
type input struct {
	datagram *datagram
	run      func(g *gateway.Manager, now time.Time)
}

// Bounds of what waits for the event loop.
const (
	inboxSize     = 4096
	strangersSize = 1024
	// maxQueuedOctets bounds the datagrams that wait, whatever their sizes.
	maxQueuedOctets = 8 << 20
	// maxIKEDatagram is the largest IKE message that is taken, pitfall F12: more than any certificate chain needs.
	maxIKEDatagram = 16 << 10
)

// loop is the inbox of the event loop. It has two queues: what anybody can send with a forged address, the requests
// that begin an IKE SA, has one of its own, so that a flood of it neither fills the other nor delays it by more than a
// small batch.
type loop struct {
	inbox     chan input
	strangers chan input
	news      *news.Box
	octets    atomic.Int64 // of the datagrams in both queues
	// dropped counts what was lost for an IKE SA, or because it was too large; overload what was in strangers' place.
	dropped, overload atomic.Uint64
	// wake has a token while there is something to fetch that is in no queue.
	wake  chan struct{}
	done  chan struct{} // closed when the loop has ended
	once  sync.Once
	timer *time.Timer
}

func (l *loop) init() {
	l.inbox, l.strangers = make(chan input, inboxSize), make(chan input, strangersSize)
	l.news = news.NewBox()
	l.done, l.wake = make(chan struct{}), make(chan struct{}, 1)
	l.timer = time.NewTimer(idle)
}

func (l *loop) close() { l.once.Do(func() { close(l.done) }); l.timer.Stop() }

// wakeUp has the event loop look at what is in no queue.
func (l *loop) wakeUp() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// offer hands over an input that may be lost.
func (l *loop) offer(queue chan input, m input) (taken bool) {
	octets := m.datagram.size()
	if l.octets.Add(octets) <= maxQueuedOctets {
		select {
		case queue <- m:
			return true
		default:
		}
	}
	l.octets.Add(-octets)
	if queue == l.strangers {
		l.overload.Add(1)
	} else {
		l.dropped.Add(1)
	}
	return false
}

// handle runs an input that was taken from a queue.
func (d *Daemon) handle(m input) {
	if g := m.datagram; g != nil {
		d.loop.octets.Add(-g.size())
		d.gateway.Receive(time.Now(), sa.Path{Local: g.local, Remote: g.remote}, g.b)
		g.release()
		return
	}
	m.run(d.gateway, time.Now())
}

// post has f run on the event loop; nobody waits for it. It is lost if the loop ends before.
func (d *Daemon) post(f func(g *gateway.Manager, now time.Time)) {
	select {
	case d.loop.inbox <- input{run: f}:
	case <-d.loop.done:
	}
}

// ErrStopped is what callers get from a daemon that has ended, or is about to.
var ErrStopped = errors.New("the daemon has ended")

// The life of a call.
const (
	callWaits int32 = iota
	callRuns
	callGone
)

// Call runs f on the event loop with its gateway and waits for it. With an error, f was not run and will not be.
func (d *Daemon) Call(ctx context.Context, f func(now time.Time, g *gateway.Manager)) error {
	var state atomic.Int32
	done := make(chan struct{})
	m := input{run: func(g *gateway.Manager, now time.Time) {
		if state.CompareAndSwap(callWaits, callRuns) {
			f(now, g)
			close(done)
		}
	}}
	select {
	case d.loop.inbox <- m:
	case <-ctx.Done():
		return ctx.Err()
	case <-d.loop.done:
		return ErrStopped
	}
	var err error
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-d.loop.done:
		err = ErrStopped
	}
	if state.CompareAndSwap(callWaits, callGone) {
		return err
	}
	<-done // it runs at this moment
	return nil
}

// Done is closed when the event loop has ended.
func (d *Daemon) Done() <-chan struct{} { return d.loop.done }

// Queued is how many inputs wait for the event loop.
func (d *Daemon) Queued() int { return len(d.loop.inbox) + len(d.loop.strangers) }

const (
	// batch and strangersBatch are how many inputs are handled before timers are looked at again.
	batch          = 64
	strangersBatch = 16
	// idle is how long the loop sleeps when nothing is due.
	idle = time.Hour
)

// once waits for input or for the next time something is due, until limit at the latest, and handles it.
func (d *Daemon) once(ctx context.Context, limit time.Time) {
	next := d.gateway.NextTimeout()
	if next.IsZero() || !limit.IsZero() && limit.Before(next) {
		next = limit
	}
	wait := idle
	if !next.IsZero() {
		wait = max(time.Until(next), 0)
	}
	d.loop.timer.Reset(wait)
	select {
	case m := <-d.loop.inbox:
		d.handle(m)
	case m := <-d.loop.strangers:
		d.handle(m)
	case <-d.loop.news.Wake():
	case <-d.loop.wake:
		d.fetch()
	case <-d.loop.timer.C:
	case <-ctx.Done():
		return
	}
	d.handleBatch(d.loop.inbox, batch)
	d.handleBatch(d.loop.strangers, strangersBatch)
	d.takeNews()
	now := time.Now()
	d.gateway.Advance(now)
	// A context that has ended means shutdown: what a peer takes down from now on is not brought up again.
	if ctx.Err() == nil {
		d.gateway.Reconcile(now)
	}
}

// fetch gives the gateway what is in no queue.
func (d *Daemon) fetch() {
	now := time.Now()
	for _, f := range d.routing.takeFailures() {
		d.gateway.RoutesFailed(now, f.holder, f.ts, f.err)
	}
	for _, p := range d.routing.takePlaced() {
		d.gateway.Placed(now, p.holder, p.by, p.err)
	}
	d.fetchCompleted()
}

// handleBatch handles what waits in a queue, up to n inputs.
func (d *Daemon) handleBatch(queue chan input, n int) {
	for range n {
		select {
		case m := <-queue:
			d.handle(m)
		default:
			return
		}
	}
}
