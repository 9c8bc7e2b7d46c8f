package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"esplanade/tun"
)

// traffic is a TCP connection through the tunnel that carries data both ways.
type traffic struct {
	left, right *tun.Net
	flows       [2]*flow
	start       time.Time

	// shown is what the last progress line has counted.
	shown     [2]uint64
	shownTime time.Time
}

// flow is one direction.
type flow struct {
	name           string
	sent, received atomic.Uint64
	started, ended atomic.Int64 // nanoseconds since the epoch of the first and the last octet that arrived

	mu              sync.Mutex
	sentSum, gotSum [sha256.Size]byte
}

const (
	demoPort  = 7
	demoChunk = 64 << 10
)

func newTraffic(left, right *tun.Net) *traffic {
	now := time.Now()
	return &traffic{
		left: left, right: right, start: now, shownTime: now,
		flows: [2]*flow{{name: "left to right"}, {name: "right to left"}},
	}
}

// run sends until stop ends, then waits until all has arrived, or until limit ends.
func (t *traffic) run(stop, limit context.Context) error {
	l, err := t.right.ListenTCPAddrPort(netip.AddrPortFrom(demoRight, demoPort))
	if err != nil {
		return err
	}
	defer l.Close()
	defer context.AfterFunc(limit, func() { l.Close() })()
	accepted := make(chan net.Conn, 1)
	acceptErr := make(chan error, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			acceptErr <- err
			return
		}
		accepted <- c
	}()
	a, err := t.left.DialContextTCPAddrPort(limit, netip.AddrPortFrom(demoRight, demoPort))
	if err != nil {
		return err
	}
	defer a.Close()
	var b net.Conn
	select {
	case b = <-accepted:
	case err := <-acceptErr:
		return err
	case <-limit.Done():
		return limit.Err()
	}
	defer b.Close()
	defer context.AfterFunc(limit, func() { // nobody reads or writes for longer than that
		a.SetDeadline(time.Unix(1, 0))
		b.SetDeadline(time.Unix(1, 0))
	})()

	errs := make(chan error, 4)
	go func() { errs <- t.flows[0].send(stop, a) }()
	go func() { errs <- t.flows[0].receive(b) }()
	go func() { errs <- t.flows[1].send(stop, b) }()
	go func() { errs <- t.flows[1].receive(a) }()
	for range 4 {
		err = errors.Join(err, <-errs)
	}
	return err
}

// send writes random octets, each once, until stop ends, and then closes this direction.
func (f *flow) send(stop context.Context, c net.Conn) error {
	sum := sha256.New()
	rng := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	buf := make([]byte, demoChunk)
	for stop.Err() == nil {
		for i := 0; i < len(buf); i += 8 {
			binary.LittleEndian.PutUint64(buf[i:], rng.Uint64())
		}
		n, err := c.Write(buf)
		sum.Write(buf[:n])
		f.sent.Add(uint64(n))
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	f.store(&f.sentSum, sum)
	return c.(interface{ CloseWrite() error }).CloseWrite()
}

// receive reads until the other side closes.
func (f *flow) receive(c net.Conn) error {
	sum := sha256.New()
	buf := make([]byte, demoChunk)
	for {
		n, err := c.Read(buf)
		if n > 0 {
			now := time.Now().UnixNano()
			f.started.CompareAndSwap(0, now)
			f.ended.Store(now)
			sum.Write(buf[:n])
			f.received.Add(uint64(n))
		}
		if errors.Is(err, io.EOF) {
			f.store(&f.gotSum, sum)
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
}

func (f *flow) store(to *[sha256.Size]byte, h hash.Hash) {
	f.mu.Lock()
	defer f.mu.Unlock()
	h.Sum(to[:0])
}

// sums are the digests of what was sent and of what arrived.
func (f *flow) sums() (sent, got [sha256.Size]byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sentSum, f.gotSum
}

func (f *flow) took() time.Duration { return time.Duration(f.ended.Load() - f.started.Load()) }

// progress is one line about both directions since the last one, with a bar if it is wanted.
func (t *traffic) progress(duration time.Duration, bar bool) string {
	now := time.Now()
	d := now.Sub(t.shownTime)
	var n [2]uint64
	for i, f := range t.flows {
		n[i] = f.received.Load()
	}
	s := fmt.Sprintf("data ====  --> %s at %s   <-- %s at %s", octets(n[0]), rate(n[0]-t.shown[0], d), octets(n[1]), rate(n[1]-t.shown[1], d))
	t.shown, t.shownTime = n, now
	if bar {
		const width = 20
		done := min(int(width*now.Sub(t.start)/duration), width)
		s += "   [" + strings.Repeat("#", done) + strings.Repeat(".", width-done) + "]"
	}
	return s
}

// ratio is how many times the data of the slower direction the faster one has carried.
func (t *traffic) ratio() float64 {
	a, b := t.flows[0].received.Load(), t.flows[1].received.Load()
	return float64(max(a, b)) / float64(max(1, min(a, b)))
}

// total is one line about both directions from the beginning.
func (t *traffic) total() string {
	a, b := t.flows[0], t.flows[1]
	return fmt.Sprintf("data ====  --> %s at %s   <-- %s at %s, all in all", octets(a.received.Load()), rate(a.received.Load(), a.took()),
		octets(b.received.Load()), rate(b.received.Load(), b.took()))
}
