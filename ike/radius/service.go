package radius

import (
	"net/netip"
	"time"
)

// Socket names a socket that a server is spoken to by. It exists from the first [Send] on.
type Socket struct {
	Server  string
	Service Service
	N       int
}

// identifiers is how many requests may be under way by a socket: the identifier is one octet.
const identifiers = 256

// socket has the requests that are under way by one socket.
type socket struct {
	of   [identifiers]*exchange
	used int
	next uint8 // where to look for a free one: one that was freed is used again as late as possible
}

// service is one service of one server.
type service struct {
	server  *Server
	kind    Service
	sockets []*socket
	// heard is when it has answered last. down: it has not when it should have, and is left alone until retry, when one request probes it.
	heard, down, retry time.Time
	probe              *exchange
	stats              Stats
}

// Stats is how a service of a server does.
type Stats struct {
	Server  string
	Service Service
	Addr    netip.AddrPort
	// Down is since when it is silent; zero: it is not, as far as is known.
	Down, Heard time.Time
	// Outstanding requests wait for an answer.
	Outstanding int
	// Requests were begun, Retransmissions repeated, Timeouts given up.
	Requests, Retransmissions, Timeouts uint64
	// Accepts, Challenges, Rejects and Responses (of accounting) are right answers, and Latency the sum of the times that they took.
	Accepts, Challenges, Rejects, Responses uint64
	Latency                                 time.Duration
	// Dropped are datagrams, by reason.
	Dropped [Drops]uint64
}

// Answers is how many right answers there were.
func (s *Stats) Answers() uint64 { return s.Accepts + s.Challenges + s.Rejects + s.Responses }

// Drop is why a datagram counts for nothing.
type Drop uint8

// The reasons.
const (
	// DropMalformed can't be read.
	DropMalformed Drop = iota
	// DropAuthenticator has a wrong authenticator or Message-Authenticator.
	DropAuthenticator
	// DropNoMessageAuthenticator has none, and must have one.
	DropNoMessageAuthenticator
	// DropLate answers no request that is under way: a duplicate, or late.
	DropLate
	// DropCode is of a code that is no answer to the request.
	DropCode
	// DropSource is not from the server's address.
	DropSource
	// Drops is how many reasons there are.
	Drops
)

func (d Drop) String() string {
	return [Drops]string{"malformed", "authenticator", "no_message_authenticator", "late", "code", "source"}[d]
}

// free is how many requests more may be under way.
func (s *service) free() int {
	n := identifiers * (s.server.Sockets - len(s.sockets))
	for _, k := range s.sockets {
		n += identifiers - k.used
	}
	return n
}

// take gives an exchange an identifier. There must be a free one.
func (s *service) take(x *exchange) {
	n := -1
	for i, k := range s.sockets {
		if k.used < identifiers {
			n = i
			break
		}
	}
	if n < 0 {
		n = len(s.sockets)
		s.sockets = append(s.sockets, &socket{})
	}
	k := s.sockets[n]
	for k.of[k.next] != nil {
		k.next++
	}
	x.at, x.socket, x.ident = s, n, k.next
	k.of[k.next] = x
	k.next++
	k.used++
	s.stats.Outstanding++
}

// release frees the identifier of an exchange.
func (s *service) release(x *exchange) {
	k := s.sockets[x.socket]
	k.of[x.ident] = nil
	k.used--
	s.stats.Outstanding--
	if s.probe == x {
		s.probe = nil
	}
	x.at = nil
}

// dead reports whether it is to be left alone while others answer.
func (s *service) dead(now time.Time) bool {
	return !s.down.IsZero() && (s.probe != nil || now.Before(s.retry))
}
