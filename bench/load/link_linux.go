package load

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Ports at both ends.
const (
	ratePort = 7001
	pingPort = 7002
)

// In runs a function in a network namespace, on a thread that does nothing else. Sockets that it opens stay there.
type In func(func() error) error

// Link is a pair of endpoints, with sockets for packets from a to b and for pings from a that b answers. Its methods are
// called one at a time.
type Link struct {
	rateA, rateB, pingA, pingB int

	stream   uint32
	current  atomic.Uint32 // the stream that is counted
	received atomic.Uint64
	closing  atomic.Bool
	threads  sync.WaitGroup
}

// NewLink opens sockets at both ends and starts what receives and answers at b.
func NewLink(a, b In, from, to netip.Addr) (*Link, error) {
	l := &Link{rateA: -1, rateB: -1, pingA: -1, pingB: -1}
	for _, s := range []struct {
		fd            *int
		in            In
		local, remote netip.Addr
		port          uint16
		shift         uint16 // both ends may share a namespace
	}{
		{&l.rateB, b, to, from, ratePort, 0}, {&l.pingB, b, to, from, pingPort, 0},
		{&l.rateA, a, from, to, ratePort, 100}, {&l.pingA, a, from, to, pingPort, 100},
	} {
		local, remote := netip.AddrPortFrom(s.local, s.port+s.shift), netip.AddrPortFrom(s.remote, s.port+100-s.shift)
		err := s.in(func() (err error) {
			*s.fd, err = openUDP(local, remote)
			return err
		})
		if err != nil {
			l.closeSockets()
			return nil, fmt.Errorf("load: %w", err)
		}
	}
	l.threads.Go(l.count)
	l.threads.Go(l.echo)
	return l, nil
}

// Close ends the threads and closes the sockets.
func (l *Link) Close() {
	l.closing.Store(true)
	l.threads.Wait()
	l.closeSockets()
}

func (l *Link) closeSockets() {
	for _, fd := range []int{l.rateA, l.rateB, l.pingA, l.pingB} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// streamID is at the start of each packet, so that those of an earlier trial are not counted.
const streamID = 4

// udpHeaders is what an IPv4 packet has besides the payload.
const udpHeaders = 20 + 8

// minSize is the smallest packet that can be sent, as an IPv4 packet.
const minSize = udpHeaders + streamID

// count receives.
func (l *Link) count() {
	ownThread()
	m := newMessages(packetRoom)
	for !l.closing.Load() {
		n, err := m.receive(l.rateB)
		if err != nil {
			if !transient(err) {
				return // a broken socket: everything is lost from here on
			}
			continue
		}
		current, hits := l.current.Load(), uint64(0)
		for i := range n {
			if m.hdrs[i].len >= streamID && binary.BigEndian.Uint32(m.bufs[i]) == current {
				hits++
			}
		}
		l.received.Add(hits)
	}
}

const (
	// tick is how long the sender sleeps at most when nothing is due. With longer ones it would send bursts that no
	// queue is made for.
	tick = 50 * time.Microsecond
	// debt is how far behind its schedule the sender may fall and catch up; what is more is left out. A burst that makes up
	// for a longer pause would be lost at queues that carry the rate itself.
	debt = 2 * time.Millisecond
	// grace is how late a packet may be and still count: what arrives later was waiting in a queue that grew.
	grace = 20 * time.Millisecond
	// settle is how long nothing must arrive before the next trial; settleMax is when it begins anyway.
	settle    = 60 * time.Millisecond
	settleMax = time.Second
)

// Trial sends IPv4 packets of size bytes at a rate for some time, and says what has become of them.
func (l *Link) Trial(ctx context.Context, size int, rate float64, d time.Duration) (Trial, error) {
	if size < minSize || size-udpHeaders > packetRoom {
		return Trial{}, fmt.Errorf("load: packets of %d bytes; %d to %d are possible", size, minSize, packetRoom+udpHeaders)
	}
	l.stream++
	l.received.Store(0)
	l.current.Store(l.stream)
	var sent int
	var took time.Duration
	var err error
	var done sync.WaitGroup
	done.Go(func() { sent, took, err = l.send(ctx, size-udpHeaders, rate, d) })
	done.Wait()
	if err != nil {
		return Trial{}, fmt.Errorf("load: send: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return Trial{}, err
	}
	nap(grace)
	received := l.received.Load()
	l.settle(ctx)
	t := Trial{Target: rate, Sent: float64(sent) / took.Seconds(), Received: float64(received) / took.Seconds()}
	if sent > 0 {
		t.Loss = 1 - float64(received)/float64(sent)
	}
	return t, ctx.Err()
}

// settle waits until queues are empty.
func (l *Link) settle(ctx context.Context) {
	end := time.Now().Add(settleMax)
	for n := l.received.Load(); time.Now().Before(end) && ctx.Err() == nil; {
		nap(settle)
		now := l.received.Load()
		if now == n {
			return
		}
		n = now
	}
}

// send sends by the clock.
func (l *Link) send(ctx context.Context, payload int, rate float64, d time.Duration) (sent int, took time.Duration, err error) {
	ownThread()
	m := newMessages(payload)
	for _, b := range m.bufs {
		binary.BigEndian.PutUint32(b, l.stream)
	}
	start, skipped := time.Now(), 0
	allowed := int(rate*debt.Seconds()) + batch
	for {
		if took = time.Since(start); took >= d || ctx.Err() != nil {
			return sent, took, nil
		}
		due := int(rate*took.Seconds()) - sent - skipped
		if due > allowed {
			skipped += due - allowed
			due = allowed
		}
		if due <= 0 {
			nap(min(tick, time.Duration(float64(sent+skipped+1)/rate*float64(time.Second))-took+time.Microsecond))
			continue
		}
		n, err := m.send(l.rateA, min(due, batch))
		switch {
		case err == nil:
			sent += n
		case err == unix.ENOBUFS:
			sent++ // dropped on the way out: sent, and lost
		case !transient(err):
			return sent, took, err
		}
	}
}
