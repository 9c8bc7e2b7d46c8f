package vici

import (
	"context"
	"errors"
	"sync"
)

// errClosed is returned to those who want to send to a client that is gone.
var errClosed = errors.New("vici: the client is gone")

// outbox is the queue of encoded packets to one client, bounded in number and octets, with what is on its way. Answers wait for room; events
// that nobody asked for at this moment do not, and are dropped when there is none. Safe for concurrent use.
type outbox struct {
	maxPackets, maxBytes int

	mu      sync.Mutex
	packets [][]byte
	bytes   int // of what is queued
	sending int // of what was taken and is not sent yet
	closed  bool
	dropped uint64
	// ready has a token when there may be something to take (or the box is closed), room when there may be room.
	ready, room chan struct{}
	done        chan struct{} // closed with the box
}

func newOutbox(maxPackets, maxBytes int) *outbox {
	return &outbox{
		maxPackets: maxPackets, maxBytes: maxBytes,
		ready: make(chan struct{}, 1), room: make(chan struct{}, 1), done: make(chan struct{}),
	}
}

// offer queues p if there is room, and otherwise drops and counts it. It never blocks.
func (o *outbox) offer(p []byte) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return false
	}
	if !o.fits(p) {
		o.dropped++
		return false
	}
	o.push(p)
	return true
}

// put queues p, waiting for room. It fails when ctx ends or the box is closed. Only one goroutine may wait at a time,
// which is the one that carries out the client's commands.
func (o *outbox) put(ctx context.Context, p []byte) error { return o.putThen(ctx, p, nil) }

// putThen does the same, and calls f, if there is one, before p can be sent and before anything can be queued behind it.
func (o *outbox) putThen(ctx context.Context, p []byte, f func()) error {
	for {
		o.mu.Lock()
		if o.closed {
			o.mu.Unlock()
			return errClosed
		}
		if o.fits(p) {
			o.push(p)
			if f != nil {
				f()
			}
			o.mu.Unlock()
			return nil
		}
		o.mu.Unlock()
		select {
		case <-o.room:
		case <-o.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fits reports whether p may be queued: always when the queue is empty, so that a single packet is never too long.
func (o *outbox) fits(p []byte) bool {
	return len(o.packets) == 0 && o.sending == 0 || len(o.packets) < o.maxPackets && o.bytes+o.sending+len(p) <= o.maxBytes
}

func (o *outbox) push(p []byte) {
	o.packets = append(o.packets, p)
	o.bytes += len(p)
	signal(o.ready)
}

// take returns all that is queued, waiting for something; what it has returned before is sent. It returns nil when the box is closed and
// empty.
func (o *outbox) take() [][]byte {
	o.mu.Lock()
	o.sending = 0
	o.mu.Unlock()
	signal(o.room)
	for {
		o.mu.Lock()
		if ps := o.packets; len(ps) > 0 {
			o.packets, o.bytes, o.sending = nil, 0, o.bytes
			o.mu.Unlock()
			signal(o.room)
			return ps
		}
		closed := o.closed
		o.mu.Unlock()
		if closed {
			return nil
		}
		<-o.ready
	}
}

// close ends the box: what is queued can still be taken, nothing more is accepted.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.closed {
		o.closed = true
		close(o.done)
		signal(o.ready)
	}
}

// droppedCount is how many packets were dropped.
func (o *outbox) droppedCount() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.dropped
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
