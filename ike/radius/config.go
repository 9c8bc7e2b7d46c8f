package radius

import (
	"net/netip"
	"time"
)

// Service is what a server is asked for. A server may do one without the other, and one of them may fail alone.
type Service uint8

// The services.
const (
	Authentication Service = iota
	Accounting
	services
)

func (s Service) String() string {
	switch s {
	case Authentication:
		return "authentication"
	case Accounting:
		return "accounting"
	default:
		return "unknown"
	}
}

// Server is a server as it is configured.
type Server struct {
	Name   string
	Secret Secret
	// Addrs are the addresses of its services. One that is not valid is not asked for.
	Addrs [services]netip.AddrPort
	// Preference is higher for a server that is asked first. Of equal ones the one with the most free identifiers is.
	Preference int
	// Sockets is how many it is spoken to by, at most. Each has 256 requests under way.
	Sockets int
	// Tries is how often a request is sent to it, Timeout how long the first of them waits, and Base by what the next ones wait longer.
	Tries   int
	Timeout time.Duration
	Base    float64
}

// same reports whether requests that are under way to one are as good as under way to the other.
func (s *Server) same(o *Server, of Service) bool {
	return s.Addrs[of] == o.Addrs[of] && s.Secret.Same(o.Secret)
}

// Config is what a [Machine] works by. It must not be changed.
type Config struct {
	Servers []Server
	NAS     NAS
	Rules   Rules
	// Dead is how long a server that was silent is not asked while others answer.
	Dead time.Duration
	// Orders are how orders of servers are taken.
	Orders Orders
}
