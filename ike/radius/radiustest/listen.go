package radiustest

import (
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// Server answers requests at a port of the loopback interface.
type Server struct {
	conn    *net.UDPConn
	secret  string
	handle  atomic.Pointer[func(Request) []byte]
	working sync.WaitGroup

	mu       sync.Mutex
	received []Request
	wrong    []error
}

// Listen makes a server. handle gives the answer to a request, nil for none; it is called by one goroutine.
func Listen(secret string, handle func(Request) []byte) (*Server, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	s := &Server{conn: conn, secret: secret}
	s.Handle(handle)
	s.working.Go(s.serve)
	return s, nil
}

// Addr is where it listens.
func (s *Server) Addr() netip.AddrPort { return s.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// Handle changes what it answers.
func (s *Server) Handle(handle func(Request) []byte) { s.handle.Store(&handle) }

// Received are the requests so far, and Wrong what could not be read.
func (s *Server) Received() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.received)
}

// Wrong are the errors of what could not be read.
func (s *Server) Wrong() []error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.wrong)
}

// Close ends it.
func (s *Server) Close() {
	s.conn.Close()
	s.working.Wait()
}

func (s *Server) serve() {
	b := make([]byte, 4096)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		r, err := Open(s.secret, slices.Clone(b[:n]))
		s.mu.Lock()
		if err != nil {
			s.wrong = append(s.wrong, err)
		} else {
			s.received = append(s.received, r)
		}
		s.mu.Unlock()
		if err != nil {
			continue
		}
		if answer := (*s.handle.Load())(r); answer != nil {
			s.conn.WriteToUDPAddrPort(answer, from)
		}
	}
}
