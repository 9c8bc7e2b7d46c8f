package ike

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"esplanade/ike/news"
	"esplanade/ike/sa"
)

// message is one input of the event loop: a datagram, or something to be done.
type message struct {
	datagram *datagram
	run      func(d *Daemon, now time.Time)
}

// Bounds of what waits for the event loop.
const (
	inboxSize     = 4096
	strangersSize = 1024
	// maxQueuedOctets bounds the datagrams that wait, whatever their sizes.
	maxQueuedOctets = 8 << 20
)

// loop is the inbox of the event loop. It has two queues: what anybody can send with a forged address, the requests
// that begin an IKE SA, has one of its own, so that a flood of it neither fills the other nor delays it by more than a
// small batch.
type loop struct {
	inbox     chan message
	strangers chan message
	news      *news.Box
	octets    atomic.Int64 // of the datagrams in both queues
	// dropped counts what was lost for an IKE SA, or because it was too large; overload what was in strangers' place.
	dropped, overload atomic.Uint64
	done              chan struct{} // closed when the loop has ended
	once              sync.Once
	timer             *time.Timer
}

func (l *loop) init() {
	l.inbox, l.strangers = make(chan message, inboxSize), make(chan message, strangersSize)
	l.news = news.NewBox()
	l.done = make(chan struct{})
	l.timer = time.NewTimer(idle)
}

func (l *loop) close() { l.once.Do(func() { close(l.done) }); l.timer.Stop() }

// offer hands over an input that may be lost.
func (l *loop) offer(queue chan message, m message) (taken bool) {
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
func (d *Daemon) handle(m message) {
	d.compared = 0
	if g := m.datagram; g != nil {
		d.loop.octets.Add(-g.size())
		d.receive(time.Now(), sa.Path{Local: g.local, Remote: g.remote}, g.b)
		g.release()
		return
	}
	m.run(d, time.Now())
}

// post has f run on the event loop; nobody waits for it. It is lost if the loop ends before.
func (d *Daemon) post(f func(d *Daemon, now time.Time)) {
	select {
	case d.loop.inbox <- message{run: f}:
	case <-d.loop.done:
	}
}

// errStopped is what commands get from a daemon that has ended, or is about to.
var errStopped = errors.New("the daemon has ended")

// The life of a call.
const (
	callWaits int32 = iota
	callRuns
	callGone
)

// call runs f on the event loop and waits for it. With an error, f was not run and will not be.
func (d *Daemon) call(ctx context.Context, f func(now time.Time)) error {
	var state atomic.Int32
	done := make(chan struct{})
	m := message{run: func(_ *Daemon, now time.Time) {
		if state.CompareAndSwap(callWaits, callRuns) {
			f(now)
			close(done)
		}
	}}
	select {
	case d.loop.inbox <- m:
	case <-ctx.Done():
		return ctx.Err()
	case <-d.loop.done:
		return errStopped
	}
	var err error
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-d.loop.done:
		err = errStopped
	}
	if state.CompareAndSwap(callWaits, callGone) {
		return err
	}
	<-done // it runs at this moment
	return nil
}

const (
	// batch and strangersBatch are how many inputs are handled before timers are looked at again.
	batch          = 64
	strangersBatch = 16
	// idle is how long the loop sleeps when nothing is due.
	idle = time.Hour
)

// once waits for input or for the next time something is due, until limit at the latest, and handles it.
func (d *Daemon) once(ctx context.Context, limit time.Time) {
	next := earliest(d.nextTimeout(), limit)
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
	case <-d.loop.timer.C:
	case <-ctx.Done():
		return
	}
	d.handleBatch(d.loop.inbox, batch)
	d.handleBatch(d.loop.strangers, strangersBatch)
	d.takeNews()
	now := time.Now()
	d.advance(now)
	// A context that has ended means shutdown: what a peer takes down from now on is not brought up again.
	if !d.stopping && ctx.Err() == nil {
		d.refreshNames(now)
		d.reconcile(now)
	}
	d.checkWaits()
}

// handleBatch handles what waits in a queue, up to n inputs.
func (d *Daemon) handleBatch(queue chan message, n int) {
	for range n {
		select {
		case m := <-queue:
			d.handle(m)
		default:
			return
		}
	}
}

// advance does what is due at the IKE SAs, each at most once.
func (d *Daemon) advance(now time.Time) {
	d.table.refused.expire(now)
	for n := d.table.timers.len(); n > 0; n-- {
		e, ok := d.table.timers.due(now)
		if !ok {
			return
		}
		d.compared = 0
		if !e.review.IsZero() && !now.Before(e.review) {
			e.review = time.Time{}
			d.reviewRedundant(now, e)
		}
		e.m.Advance(now)
		d.advanceHandover(now, e)
		d.advanceRetired(now, e)
		d.drain(now, e)
	}
}

func (d *Daemon) nextTimeout() time.Time {
	t := earliest(d.table.timers.next(), d.table.refused.next())
	if d.stopping {
		return t
	}
	return earliest(earliest(t, d.wakes.next()), d.names.next)
}

// earliest returns the earlier of two times, of which zero stands for never.
func earliest(a, b time.Time) time.Time {
	switch {
	case a.IsZero():
		return b
	case b.IsZero() || a.Before(b):
		return a
	}
	return b
}
