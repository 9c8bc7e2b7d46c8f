//go:build linux

package lab

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Endpoint is where one end of a flow is: a host and one of its addresses.
type Endpoint struct {
	Host *Host
	Addr netip.Addr
}

// FlowOptions say how much a flow carries.
type FlowOptions struct {
	// Bytes in each direction; 0 goes on until Finish.
	Bytes int64
	// Rate limits each direction, in octets per second; 0 is as fast as it goes.
	Rate int64
	// Idle fails the flow when a direction makes no progress for so long. 0 is 15 seconds.
	Idle time.Duration
	// OneWay has nothing sent back but acknowledgements.
	OneWay bool
}

// Flow is a TCP connection that carries pseudo-random data in both directions at once. What each end sends and
// what the other receives are hashed separately, so that one octet lost, changed, added or swapped shows.
type Flow struct {
	legs [2]*leg
	stop chan struct{}
	once sync.Once
	wg   sync.WaitGroup
}

// leg is one direction. Each field has one writing goroutine; they are read after the flow has ended, but for
// the counters, which may be read at any time.
type leg struct {
	name           string
	from, to       *net.TCPConn
	sent, received atomic.Int64
	sentSum, gotIn hash.Hash
	sendErr, err   error
	took           time.Duration
}

// flowChunk is one write; with a rate it is less, so that pauses between writes keep it without bursts.
const (
	flowChunk  = 32 << 10
	pacedChunk = 4 << 10
)

// StartFlow connects x to y through the hosts' routes and starts to send both ways.
func StartFlow(x, y Endpoint, o FlowOptions) (*Flow, error) {
	if o.Idle == 0 {
		o.Idle = 15 * time.Second
	}
	near, far, err := connect(x, y)
	if err != nil {
		return nil, fmt.Errorf("flow %v -> %v: %w", x.Addr, y.Addr, err)
	}
	f := &Flow{stop: make(chan struct{})}
	f.legs[0] = newLeg(x, y, near, far)
	f.legs[1] = newLeg(y, x, far, near)
	for i, l := range f.legs {
		if o.OneWay && i == 1 {
			l.from.CloseWrite()
		} else {
			f.wg.Go(func() { l.send(o, uint64(i), f.stop) })
		}
		f.wg.Go(func() { l.receive(o) })
	}
	return f, nil
}

func newLeg(from, to Endpoint, src, dst *net.TCPConn) *leg {
	return &leg{name: fmt.Sprintf("%s -> %s", from.Addr, to.Addr), from: src, to: dst, sentSum: sha256.New(), gotIn: sha256.New()}
}

func connect(x, y Endpoint) (near, far *net.TCPConn, err error) {
	var ln *net.TCPListener
	err = y.Host.Do(func() error {
		ln, err = net.ListenTCP("tcp", &net.TCPAddr{IP: y.Addr.AsSlice()})
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	defer ln.Close()
	if err := ln.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, nil, err
	}
	err = x.Host.Do(func() error {
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: x.Addr.AsSlice()}, Timeout: 20 * time.Second}
		c, err := d.Dial("tcp", ln.Addr().String())
		if err == nil {
			near = c.(*net.TCPConn)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	far, err = ln.AcceptTCP()
	if err != nil {
		near.Close()
		return nil, nil, err
	}
	return near, far, nil
}

func (l *leg) send(o FlowOptions, seed uint64, stop <-chan struct{}) {
	defer l.from.CloseWrite()
	source := rand.NewChaCha8([32]byte{byte(seed)})
	buf := make([]byte, flowChunk)
	if o.Rate > 0 {
		buf = buf[:pacedChunk]
	}
	start := time.Now()
	for {
		n := int64(len(buf))
		if o.Bytes > 0 {
			if n = min(n, o.Bytes-l.sent.Load()); n == 0 {
				return
			}
		}
		var pause <-chan time.Time
		if o.Rate > 0 {
			due := start.Add(time.Duration(float64(l.sent.Load()) / float64(o.Rate) * float64(time.Second)))
			pause = time.After(time.Until(due))
		} else {
			pause = closedTimer
		}
		select {
		case <-stop:
			return
		case <-pause:
		}
		source.Read(buf[:n])
		if l.sendErr = l.from.SetWriteDeadline(time.Now().Add(o.Idle)); l.sendErr != nil {
			return
		}
		m, err := l.from.Write(buf[:n])
		l.sentSum.Write(buf[:m])
		l.sent.Add(int64(m))
		if err != nil {
			l.sendErr = fmt.Errorf("%s: after sending %d octets: %w", l.name, l.sent.Load(), err)
			return
		}
	}
}

// closedTimer never blocks.
var closedTimer = func() <-chan time.Time { c := make(chan time.Time); close(c); return c }()

func (l *leg) receive(o FlowOptions) {
	start := time.Now()
	buf := make([]byte, 2*flowChunk)
	for {
		if l.err = l.to.SetReadDeadline(time.Now().Add(o.Idle)); l.err != nil {
			return
		}
		n, err := l.to.Read(buf)
		l.gotIn.Write(buf[:n])
		l.received.Add(int64(n))
		if errors.Is(err, io.EOF) {
			l.took = time.Since(start)
			return
		}
		if err != nil {
			l.err = fmt.Errorf("%s: after receiving %d octets: %w", l.name, l.received.Load(), err)
			return
		}
	}
}

// Received is how much has arrived so far, in each direction.
func (f *Flow) Received() (forth, back int64) {
	return f.legs[0].received.Load(), f.legs[1].received.Load()
}

// FlowResult is what both directions carried.
type FlowResult struct{ Forth, Back LegResult }

// LegResult is one direction of a flow.
type LegResult struct {
	Name        string
	Bytes       int64
	SHA256      string // of what arrived
	Took        time.Duration
	Retransmits uint32 // segments the sending TCP sent again; congestion alone makes some
}

func (r LegResult) String() string {
	return fmt.Sprintf("%s: %d octets, %.0f Mbit/s, %d retransmitted, sha256 %.12s", r.Name, r.Bytes,
		float64(r.Bytes)*8/1e6/max(r.Took.Seconds(), 1e-3), r.Retransmits, r.SHA256)
}

// Wait waits until everything has arrived and compares the checksums at the far ends.
func (f *Flow) Wait() (FlowResult, error) {
	f.wg.Wait()
	var r FlowResult
	var errs []error
	for i, l := range f.legs {
		out := LegResult{Name: l.name, Bytes: l.received.Load(), SHA256: hex.EncodeToString(l.gotIn.Sum(nil)), Took: l.took, Retransmits: retransmits(l.from)}
		*[]*LegResult{&r.Forth, &r.Back}[i] = out
		errs = append(errs, l.sendErr, l.err)
		if sent := hex.EncodeToString(l.sentSum.Sum(nil)); sent != out.SHA256 {
			errs = append(errs, fmt.Errorf("%s: sent %d octets with sha256 %s, arrived %d octets with sha256 %s", l.name, l.sent.Load(), sent, out.Bytes, out.SHA256))
		}
	}
	for _, l := range f.legs {
		l.from.Close()
	}
	return r, errors.Join(errs...)
}

// Finish ends a flow without a fixed size: both ends stop sending, and what is under way must still arrive.
func (f *Flow) Finish() (FlowResult, error) {
	f.once.Do(func() { close(f.stop) })
	return f.Wait()
}

// Abort ends a flow whose result doesn't matter any more.
func (f *Flow) Abort() {
	f.once.Do(func() { close(f.stop) })
	for _, l := range f.legs {
		l.from.Close()
	}
	f.wg.Wait()
}

func retransmits(c *net.TCPConn) uint32 {
	raw, err := c.SyscallConn()
	if err != nil {
		return 0
	}
	var n uint32
	_ = raw.Control(func(fd uintptr) {
		if info, err := unix.GetsockoptTCPInfo(int(fd), syscall.IPPROTO_TCP, unix.TCP_INFO); err == nil {
			n = info.Total_retrans
		}
	})
	return n
}
