package load

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// StreamOptions say how much TCP there is.
type StreamOptions struct {
	// Streams is the number of connections. Every second one carries the other way, from b to a.
	Streams int
	// Rate limits each connection, in bytes a second, by the kernel's pacing; 0: as fast as it goes.
	Rate int
}

// Streams are TCP connections that carry bytes without a meaning for as long as they are open.
type Streams struct {
	forth, back atomic.Uint64 // what has arrived, by direction
	senders     []*net.TCPConn
	all         []*net.TCPConn
	closing     atomic.Bool
	threads     sync.WaitGroup

	mu  sync.Mutex
	err error
}

const (
	// streamChunk is what the application writes and reads at a time.
	streamChunk = 128 << 10
	// connectLimit bounds the time for a connection.
	connectLimit = 15 * time.Second
)

// StartStreams connects a to b and begins to send.
func StartStreams(ctx context.Context, a, b In, from, to netip.Addr, o StreamOptions) (*Streams, error) {
	s := &Streams{}
	ctx, cancel := context.WithTimeout(ctx, connectLimit)
	defer cancel()
	for i := range o.Streams {
		near, far, err := connect(ctx, a, b, from, to)
		if err != nil {
			s.Close()
			return nil, fmt.Errorf("load: stream %d: %w", i+1, err)
		}
		s.all = append(s.all, near, far)
		out, in, counter := near, far, &s.forth
		if i%2 == 1 {
			out, in, counter = far, near, &s.back
		}
		if o.Rate > 0 {
			if err := pace(out, o.Rate); err != nil {
				s.Close()
				return nil, fmt.Errorf("load: stream %d: %w", i+1, err)
			}
		}
		s.senders = append(s.senders, out)
		s.threads.Go(func() { s.send(out) })
		s.threads.Go(func() { s.receive(in, counter) })
	}
	return s, nil
}

func connect(ctx context.Context, a, b In, from, to netip.Addr) (near, far *net.TCPConn, err error) {
	var l *net.TCPListener
	err = b(func() error {
		l, err = net.ListenTCP("tcp", net.TCPAddrFromAddrPort(netip.AddrPortFrom(to, 0)))
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	defer l.Close()
	err = a(func() error {
		d := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
		c, err := d.DialContext(ctx, "tcp", l.Addr().String())
		if err == nil {
			near = c.(*net.TCPConn)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	if err = l.SetDeadline(time.Now().Add(connectLimit)); err == nil {
		far, err = l.AcceptTCP()
	}
	if err != nil {
		near.Close()
		return nil, nil, err
	}
	return near, far, nil
}

// pace has the kernel send at a rate without bursts.
func pace(c *net.TCPConn, rate int) error {
	return control(c, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MAX_PACING_RATE, rate)
	})
}

func control(c *net.TCPConn, f func(fd int) error) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	if outer := raw.Control(func(fd uintptr) { err = f(int(fd)) }); outer != nil {
		return outer
	}
	return err
}

func (s *Streams) send(c *net.TCPConn) {
	buf := make([]byte, streamChunk)
	for {
		if _, err := c.Write(buf); err != nil {
			s.failed(err)
			return
		}
	}
}

func (s *Streams) receive(c *net.TCPConn, counter *atomic.Uint64) {
	buf := make([]byte, streamChunk)
	for {
		n, err := c.Read(buf)
		counter.Add(uint64(n))
		if err != nil {
			s.failed(err)
			return
		}
	}
}

// failed notes the first thing that went wrong before Close.
func (s *Streams) failed(err error) {
	if s.closing.Load() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = fmt.Errorf("load: a stream has broken: %w", err)
	}
}

// Err is what has broken a stream, nil if nothing has.
func (s *Streams) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// Received is how many bytes have arrived so far, from a to b and back.
func (s *Streams) Received() (forth, back uint64) { return s.forth.Load(), s.back.Load() }

// Retransmits is how many segments were sent again so far.
func (s *Streams) Retransmits() (uint64, error) {
	var sum uint64
	var errs []error
	for _, c := range s.senders {
		errs = append(errs, control(c, func(fd int) error {
			info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
			if err == nil {
				sum += uint64(info.Total_retrans)
			}
			return err
		}))
	}
	return sum, errors.Join(errs...)
}

// Close ends all of them.
func (s *Streams) Close() {
	s.closing.Store(true)
	for _, c := range s.all {
		// No farewell through a gateway that may be gone: a reset.
		_ = c.SetLinger(0)
		c.Close()
	}
	s.threads.Wait()
}
