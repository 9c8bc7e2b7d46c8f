//go:build linux

package lab

import (
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"sync"
	"time"
)

// Steady is a ping that goes on for as long as there is a way: numbered datagrams to an echo at the far end. Unlike a [Probe] it takes it that there
// is none for a while, and says for how long.
type Steady struct {
	near, echo *net.UDPConn
	stop       chan struct{}
	wg         sync.WaitGroup

	mu       sync.Mutex
	sent     []time.Time
	answered []time.Time // when those were sent that came back
}

// steadyInterval is the time between two datagrams.
const steadyInterval = 50 * time.Millisecond

// StartSteady begins to send from x to y.
func StartSteady(x, y Endpoint) (*Steady, error) {
	s := &Steady{stop: make(chan struct{})}
	var err error
	listen := func(e Endpoint) (c *net.UDPConn, err error) {
		err = e.Host.Do(func() error {
			c, err = net.ListenUDP("udp", &net.UDPAddr{IP: e.Addr.AsSlice()})
			return err
		})
		return c, err
	}
	if s.echo, err = listen(y); err != nil {
		return nil, err
	}
	if s.near, err = listen(x); err != nil {
		s.echo.Close()
		return nil, err
	}
	to := s.echo.LocalAddr().(*net.UDPAddr).AddrPort()
	s.wg.Go(func() { receive(s.echo, func(b []byte, from net.Addr) { _, _ = s.echo.WriteTo(b, from) }) })
	s.wg.Go(func() {
		receive(s.near, func(b []byte, _ net.Addr) {
			s.mu.Lock()
			defer s.mu.Unlock()
			if n := binary.BigEndian.Uint64(b); n < uint64(len(s.sent)) {
				s.answered = append(s.answered, s.sent[n])
			}
		})
	})
	s.wg.Go(func() {
		tick := time.NewTicker(steadyInterval)
		defer tick.Stop()
		for {
			select {
			case <-s.stop:
				return
			case now := <-tick.C:
				s.mu.Lock()
				b := binary.BigEndian.AppendUint64(nil, uint64(len(s.sent)))
				s.sent = append(s.sent, now)
				s.mu.Unlock()
				_, _ = s.near.WriteToUDPAddrPort(b, to) // there may be no route
			}
		}
	})
	return s, nil
}

// receive gives what comes to a function until the socket is closed.
func receive(c *net.UDPConn, each func([]byte, net.Addr)) {
	buf := make([]byte, 2048)
	for {
		n, from, err := c.ReadFrom(buf)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err == nil && n == 8:
			each(slices.Clone(buf[:n]), from)
		}
	}
}

// Answered reports whether a datagram that was sent after t has come back.
func (s *Steady) Answered(t time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.answered, func(at time.Time) bool { return at.After(t) })
}

// Gap is the longest time since t in which nothing that was sent came back.
func (s *Steady) Gap(t time.Time) (gap time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.answered)
	slices.SortFunc(all, time.Time.Compare)
	last := t
	for _, at := range all {
		if at.After(t) {
			gap = max(gap, at.Sub(last))
			last = at
		}
	}
	return max(gap, time.Since(last))
}

// Close ends it.
func (s *Steady) Close() {
	close(s.stop)
	s.near.Close()
	s.echo.Close()
	s.wg.Wait()
}
