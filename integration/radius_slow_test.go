//go:build linux

package integration

import (
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"esplanade/integration/lab"
)

// slowPath is a way to a RADIUS server on which answers take their time. Requests go through at once.
type slowPath struct {
	t    *testing.T
	host *lab.Host
	own  *net.UDPConn
	to   netip.AddrPort

	mu sync.Mutex
	// answer is what becomes of an answer: deliver sends it on. It runs in a goroutine of its own.
	answer  func(deliver func())
	servers map[netip.AddrPort]*net.UDPConn // by who asks
	// requests and answers have come so far.
	requests, answers int
}

// newSlowPath listens at a port of a host's loopback interface, and leads to another one.
func newSlowPath(t *testing.T, h *lab.Host, port, to uint16) *slowPath {
	t.Helper()
	lo := netip.MustParseAddr("127.0.0.1")
	own, err := h.ListenUDP(netip.AddrPortFrom(lo, port))
	if err != nil {
		t.Fatal(err)
	}
	s := &slowPath{t: t, host: h, own: own, to: netip.AddrPortFrom(lo, to), servers: map[netip.AddrPort]*net.UDPConn{}}
	t.Cleanup(func() {
		own.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, c := range s.servers {
			c.Close()
		}
	})
	go s.forward()
	return s
}

// behaves has answers from now on treated in a way.
func (s *slowPath) behaves(answer func(deliver func())) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer, s.requests, s.answers = answer, 0, 0
}

// counts are the requests and answers since it behaves so.
func (s *slowPath) counts() (requests, answers int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.requests, s.answers
}

// forward takes requests on to the server, each sender's from a port of its own: the server tells requests apart by that.
func (s *slowPath) forward() {
	b := make([]byte, 4096)
	for {
		n, from, err := s.own.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.requests++
		c := s.servers[from]
		if c == nil {
			if c, err = s.host.ListenUDP(netip.AddrPortFrom(s.to.Addr(), 0)); err == nil {
				s.servers[from] = c
				go s.back(c, from)
			}
		}
		s.mu.Unlock()
		if c != nil {
			_, _ = c.WriteToUDPAddrPort(b[:n], s.to)
		}
	}
}

// back takes answers back.
func (s *slowPath) back(c *net.UDPConn, to netip.AddrPort) {
	b := make([]byte, 4096)
	for {
		n, _, err := c.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		answer := append([]byte(nil), b[:n]...)
		s.mu.Lock()
		s.answers++
		treat := s.answer
		s.mu.Unlock()
		go treat(func() { _, _ = s.own.WriteToUDPAddrPort(answer, to) })
	}
}

// after has each answer come late by so much.
func after(d time.Duration) func(func()) {
	return func(deliver func()) { time.AfterFunc(d, deliver) }
}

// bursts has answers come all at once, each time that so much has passed.
func bursts(t *testing.T, every time.Duration) func(func()) {
	var mu sync.Mutex
	var waiting []func()
	tick := time.NewTicker(every)
	go func() {
		defer tick.Stop()
		for {
			select {
			case <-t.Context().Done():
				return
			case <-tick.C:
			}
			mu.Lock()
			list := waiting
			waiting = nil
			mu.Unlock()
			for _, deliver := range list {
				deliver()
			}
		}
	}()
	return func(deliver func()) {
		mu.Lock()
		defer mu.Unlock()
		waiting = append(waiting, deliver)
	}
}
