package ike

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// message is one input of the event loop.
type message func(d *Daemon, now time.Time)

// loop is the inbox of the event loop.
type loop struct {
	inbox   chan message
	dropped atomic.Uint64
	done    chan struct{}
	once    sync.Once
	timer   *time.Timer
}

func (l *loop) init() {
	l.inbox, l.done = make(chan message, inboxSize), make(chan struct{})
	l.timer = time.NewTimer(time.Hour)
}

func (l *loop) close() { l.once.Do(func() { close(l.done) }); l.timer.Stop() }

// offer hands over an input that may be lost.
func (l *loop) offer(m message) {
	select {
	case l.inbox <- m:
	default:
		l.dropped.Add(1)
	}
}

// errStopped is what commands get from a daemon that has ended.
var errStopped = errors.New("the daemon has ended")

// call runs f on the event loop and waits for it.
func (d *Daemon) call(ctx context.Context, f func(now time.Time)) error {
	done := make(chan struct{})
	m := func(_ *Daemon, now time.Time) { f(now); close(done) }
	select {
	case d.loop.inbox <- m:
	case <-ctx.Done():
		return ctx.Err()
	case <-d.loop.done:
		return errStopped
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-d.loop.done:
		return errStopped
	}
}

// serve is the event loop.
func (d *Daemon) serve(ctx context.Context) {
	for ctx.Err() == nil {
		d.once(ctx, time.Time{})
	}
}

// batch is how many inputs are handled before timers are looked at again.
const batch = 64

// once waits for input or for the next time something is due, until limit at the latest, and handles it.
func (d *Daemon) once(ctx context.Context, limit time.Time) {
	next := d.nextTimeout()
	if !limit.IsZero() && (next.IsZero() || limit.Before(next)) {
		next = limit
	}
	wait := time.Hour
	if !next.IsZero() {
		wait = max(time.Until(next), 0)
	}
	d.loop.timer.Reset(wait)
	select {
	case m := <-d.loop.inbox:
		m(d, time.Now())
		for n := 1; n < batch; n++ {
			select {
			case m := <-d.loop.inbox:
				m(d, time.Now())
				continue
			default:
			}
			break
		}
	case <-d.loop.timer.C:
	case <-ctx.Done():
		return
	}
	now := time.Now()
	for e := d.table.due(now); e != nil; e = d.table.due(now) {
		e.m.Advance(now)
		d.drain(now, e)
	}
	if !d.stopping {
		d.reconcile(now)
	}
	d.checkWaits()
}

func (d *Daemon) nextTimeout() time.Time {
	t := d.table.nextTimeout()
	if r := d.nextAttempt(); !d.stopping && !r.IsZero() && (t.IsZero() || r.Before(t)) {
		t = r
	}
	return t
}

// The methods below make the daemon the handler of a data plane. They are called from packet loops: they copy what they
// keep and return at once.

// HandleIKE takes an IKE datagram, without the non-ESP marker.
func (d *Daemon) HandleIKE(local, remote netip.AddrPort, datagram []byte) {
	if len(datagram) > maxIKEDatagram {
		d.loop.dropped.Add(1)
		return
	}
	b := append([]byte(nil), datagram...)
	d.loop.offer(func(d *Daemon, now time.Time) { d.receive(now, sa.Path{Local: local, Remote: remote}, b) })
}

// HandleUnreachable takes an ICMP error about something sent to remote.
func (d *Daemon) HandleUnreachable(local, remote netip.AddrPort, errno error) {
	d.loop.offer(func(d *Daemon, now time.Time) {
		for _, e := range d.table.all() {
			if e.m.Path().Remote == remote {
				e.m.Unreachable(now, sa.Path{Local: local, Remote: remote}, errno)
				d.drain(now, e)
			}
		}
	})
}

// Acquire tells that a packet waits for a trap's tunnel.
func (d *Daemon) Acquire(policy uint64, p selector.Packet) {
	d.loop.offer(func(d *Daemon, now time.Time) { d.acquire(now, policy, p) })
}

// InboundActive tells that a CHILD SA has received its first packet.
func (d *Daemon) InboundActive(child uint64) {
	d.loop.offer(func(d *Daemon, now time.Time) {
		d.forChild(now, child, func(m *sa.Machine) { m.InboundActive(now, child) })
	})
}

// PeerMoved tells that packets of a CHILD SA come from another address.
func (d *Daemon) PeerMoved(child uint64, from netip.AddrPort) {
	d.loop.offer(func(d *Daemon, now time.Time) {
		d.forChild(now, child, func(m *sa.Machine) { m.PeerMoved(now, child, from) })
	})
}

// Exhausting tells that a CHILD SA has reached its soft limit.
func (d *Daemon) Exhausting(child uint64) {
	d.loop.offer(func(d *Daemon, now time.Time) {
		d.forChild(now, child, func(m *sa.Machine) { m.Exhausting(now, child) })
	})
}

func (d *Daemon) forChild(now time.Time, child uint64, f func(m *sa.Machine)) {
	if e := d.owner[child]; e != nil {
		f(e.m)
		d.drain(now, e)
	}
}
