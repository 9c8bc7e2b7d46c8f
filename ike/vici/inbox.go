package vici

import (
	"context"
	"sync"
)

// The bounds of what clients have us hold. Together with MaxClients they bound all of it: 64 clients have at most 32 MiB of segments here.
const (
	// maxPending and maxPendingOctets are how much of what a client has sent waits while one of its commands runs; the rest waits in its
	// socket. The protocol has no use for more than one command. A segment that is longer is taken when nothing else of the client waits.
	maxPending       = 16
	maxPendingOctets = 64 << 10
	// maxSmallRequest is the longest request but those that load something, in octets.
	maxSmallRequest = 4 << 10
	// maxLarge is how many requests that are longer are looked at at a time: an octet of a message costs up to sixty of memory.
	maxLarge = 4
	// readChunk is how much memory a segment is given before more of it has arrived than that.
	readChunk = 16 << 10
)

// inbox has the segments of a client that have arrived, and the one that is carried out. Room for one is reserved before it is read.
// Two goroutines use it: the reader, and the worker.
type inbox struct {
	mu       sync.Mutex
	segments [][]byte
	count    int // of segments that have room, with the one that is read and the one that is carried out
	octets   int
	ended    bool
	// ready has a token when there may be something to take, room when there may be room.
	ready, room chan struct{}
}

func newInbox() *inbox {
	return &inbox{ready: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// reserve waits for room for a segment of n octets.
func (i *inbox) reserve(ctx context.Context, n int) error {
	for {
		i.mu.Lock()
		fits := i.count == 0 || i.count < maxPending && i.octets+n <= maxPendingOctets
		if fits {
			i.count, i.octets = i.count+1, i.octets+n
		}
		i.mu.Unlock()
		if fits {
			return nil
		}
		select {
		case <-i.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// add puts a segment in whose room was reserved.
func (i *inbox) add(b []byte) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.segments = append(i.segments, b)
	signal(i.ready)
}

// take waits for the next segment. It is nil when the inbox has ended and is empty, or ctx has ended.
func (i *inbox) take(ctx context.Context) []byte {
	for {
		i.mu.Lock()
		if len(i.segments) > 0 {
			b := i.segments[0]
			i.segments = i.segments[1:]
			i.mu.Unlock()
			return b
		}
		ended := i.ended
		i.mu.Unlock()
		if ended {
			return nil
		}
		select {
		case <-i.ready:
		case <-ctx.Done():
			return nil
		}
	}
}

// done gives the room of a segment back that was taken and is carried out.
func (i *inbox) done(n int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.count, i.octets = i.count-1, i.octets-n
	signal(i.room)
}

// end says that no more comes.
func (i *inbox) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ended = true
	signal(i.ready)
}
