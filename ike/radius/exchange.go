package radius

import (
	"container/heap"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

const (
	// maxWaiting bounds the requests that wait for a free identifier.
	maxWaiting = 1024
	// maxTimeout bounds the time between repetitions: MRT of RFC 5080 section 2.2.1.
	maxTimeout = 16 * time.Second
)

// exchange is one request, to one server after another.
type exchange struct {
	id     uint64
	kind   Service
	server string    // the only one that it may go to; empty: any
	until  time.Time // zero: until every server was tried
	// packet makes the request as it is sent to the next server.
	packet func(now time.Time) Packet
	access *Access

	tried  []*service
	failed []Attempt

	// Where it is at present: at is nil while it waits for an identifier.
	at          *service
	socket      int
	ident       uint8
	auth        [16]byte
	datagram    []byte
	began       time.Time
	sent, limit int
	rt          time.Duration
	bad         error

	due   time.Time
	index int // in the heap
}

// exchanges are the requests under way.
type exchanges struct {
	conf     *Config
	random   func(n int) []byte
	jitter   func() float64
	services []*service
	waiting  []*exchange
	timers   timers
	byID     map[uint64]*exchange
	lastID   uint64
	out      []Output
}

// configure takes another configuration. What is under way to a server that is the same goes on; the rest goes to another one, or fails.
func (e *exchanges) configure(now time.Time, c *Config) {
	e.conf = c
	old := e.services
	e.services = nil
	for kind := range services {
		for i := range c.Servers {
			server := &c.Servers[i]
			if !server.Addrs[kind].IsValid() {
				continue
			}
			s := &service{server: server, kind: kind, stats: Stats{Server: server.Name, Service: kind}}
			for j, o := range old {
				if o != nil && o.kind == kind && o.server.Name == server.Name && o.server.same(server, kind) && len(o.sockets) <= server.Sockets {
					s, old[j] = o, nil
					s.server = server
				}
			}
			s.stats.Addr = server.Addrs[kind]
			e.services = append(e.services, s)
		}
	}
	for _, o := range old {
		if o == nil {
			continue
		}
		for _, k := range o.sockets {
			for _, x := range k.of {
				if x != nil {
					e.leave(now, x, NoServer)
				}
			}
		}
	}
	e.serveWaiting(now)
}

// begin has a request sent.
func (e *exchanges) begin(now time.Time, x *exchange) uint64 {
	if x.id == 0 {
		x.id = e.newID()
	}
	x.index = -1
	e.byID[x.id] = x
	e.next(now, x)
	return x.id
}

// newID is an ID that no exchange has or had.
func (e *exchanges) newID() uint64 {
	e.lastID++
	return e.lastID
}

// cancel forgets a request.
func (e *exchanges) cancel(now time.Time, id uint64) {
	if x := e.byID[id]; x != nil {
		e.drop(x)
		e.serveWaiting(now)
	}
}

// drop ends an exchange.
func (e *exchanges) drop(x *exchange) {
	delete(e.byID, x.id)
	if x.at != nil {
		x.at.release(x)
	}
	if x.index >= 0 {
		heap.Remove(&e.timers, x.index)
	}
	if i := slices.Index(e.waiting, x); i >= 0 {
		e.waiting = slices.Delete(e.waiting, i, i+1)
	}
}

// next sends a request to the next server.
func (e *exchanges) next(now time.Time, x *exchange) {
	s, full := e.pick(now, x)
	switch {
	case s == nil && !full:
		e.fail(x, reasonOf(x.failed))
		return
	case s == nil && len(e.waiting) >= maxWaiting:
		e.fail(x, TooMany)
		return
	case s == nil:
		e.waiting = append(e.waiting, x)
		e.at(x, x.until)
		return
	}
	s.take(x)
	x.tried = append(x.tried, s)
	x.sent, x.limit, x.bad, x.began = 0, e.limit(now, x, s), nil, now
	p := x.packet(now)
	p.ID = x.ident
	var err error
	if p.Code == AccessRequest {
		p.Authenticator = [16]byte(e.random(16))
		x.datagram, err = p.sealAccess(s.server.Secret)
	} else {
		x.datagram, err = p.sealHashed(s.server.Secret)
	}
	if err != nil { // too long: no server would do
		x.failed = append(x.failed, Attempt{Server: s.server.Name, Addr: s.stats.Addr.String(), Reason: Unusable, Err: err})
		e.fail(x, Unusable)
		return
	}
	x.auth = [16]byte(x.datagram[4:headerLen])
	s.stats.Requests++
	x.rt = e.jittered(s.server.Timeout)
	e.transmit(now, x)
}

// reasonOf is why a request has failed that no server is left for: the strongest of what the servers have done.
func reasonOf(list []Attempt) Reason {
	r := NoServer
	for _, a := range list {
		if r == NoServer || a.Reason == Lying {
			r = a.Reason
		}
	}
	return r
}

// jittered is a time with RAND of RFC 5080 section 2.2.1: between -10 % and +10 %.
func (e *exchanges) jittered(d time.Duration) time.Duration {
	return (d + time.Duration((e.jitter()*0.2-0.1)*float64(d))).Round(time.Millisecond)
}

func (e *exchanges) transmit(now time.Time, x *exchange) {
	if x.sent++; x.sent > 1 {
		x.at.stats.Retransmissions++
	}
	e.out = append(e.out, Send{Socket{x.at.server.Name, x.at.kind, x.socket}, x.at.stats.Addr, x.datagram})
	due := now.Add(x.rt)
	if !x.until.IsZero() && x.until.Before(due) {
		due = x.until
	}
	e.at(x, due)
}

// at sets the time at which something is due; zero: never.
func (e *exchanges) at(x *exchange, due time.Time) {
	x.due = due
	switch {
	case due.IsZero() && x.index >= 0:
		heap.Remove(&e.timers, x.index)
	case due.IsZero():
	case x.index >= 0:
		heap.Fix(&e.timers, x.index)
	default:
		heap.Push(&e.timers, x)
	}
}

// advance does what is due.
func (e *exchanges) advance(now time.Time) {
	for len(e.timers) > 0 && !e.timers[0].due.After(now) {
		x := e.timers[0]
		late := !x.until.IsZero() && !now.Before(x.until)
		switch {
		case x.at == nil: // it has waited for an identifier for too long
			e.fail(x, TooMany)
		case late:
			e.missed(now, x)
			e.fail(x, reasonOf(x.failed))
			e.serveWaiting(now)
		case x.sent >= x.limit:
			e.leave(now, x, Silent)
			e.serveWaiting(now)
		default:
			next := time.Duration(x.at.server.Base * float64(x.rt))
			x.rt = e.jittered(min(next, maxTimeout))
			e.transmit(now, x)
		}
	}
}

// leave gives a server up and goes on to the next.
func (e *exchanges) leave(now time.Time, x *exchange, r Reason) {
	if r == Silent {
		e.missed(now, x)
	} else {
		x.failed = append(x.failed, Attempt{x.at.server.Name, x.at.stats.Addr.String(), r, x.sent, x.bad})
	}
	x.at.release(x)
	e.at(x, time.Time{})
	e.next(now, x)
}

// missed notes that a server has not answered.
func (e *exchanges) missed(now time.Time, x *exchange) {
	s := x.at
	r := Silent
	if lying(x.bad) {
		r = Lying
	}
	s.stats.Timeouts++
	x.failed = append(x.failed, Attempt{s.server.Name, s.stats.Addr.String(), r, x.sent, x.bad})
	// It may have answered others meanwhile: then it is this request that it does not like. One that ends before its last try says little.
	if x.sent < x.limit || !s.heard.Before(x.began) {
		return
	}
	if s.retry = now.Add(e.conf.Dead); s.down.IsZero() {
		s.down = now
		e.out = append(e.out, Turn{Server: s.server.Name, Service: s.kind, Addr: s.stats.Addr, Down: true, Reason: r})
	}
}

// fail ends a request.
func (e *exchanges) fail(x *exchange, r Reason) {
	e.drop(x)
	e.out = append(e.out, done{x.id, Answer{}, &Failure{r, x.failed}})
}

// serveWaiting sends what waits for an identifier and can have one now.
func (e *exchanges) serveWaiting(now time.Time) {
	list := e.waiting
	e.waiting = nil
	for i, x := range list {
		if s, full := e.pick(now, x); s == nil && full {
			e.waiting = append(e.waiting, list[i])
			continue
		}
		e.at(x, time.Time{})
		e.next(now, x)
	}
}

// receive takes a datagram.
func (e *exchanges) receive(now time.Time, at Socket, from netip.AddrPort, b []byte) {
	var s *service
	for _, o := range e.services {
		if o.kind == at.Service && o.server.Name == at.Server {
			s = o
		}
	}
	if s == nil {
		return // of before a reload
	}
	from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	if from != s.stats.Addr {
		e.dropped(s, DropSource, from)
		return
	}
	p, err := Parse(b)
	if err != nil {
		e.dropped(s, DropMalformed, from)
		return
	}
	var x *exchange
	if at.N < len(s.sockets) {
		x = s.sockets[at.N].of[p.ID]
	}
	if x == nil {
		e.dropped(s, DropLate, from)
		return
	}
	if !p.Code.answers(Code(x.datagram[0])) {
		e.dropped(s, DropCode, from)
		return
	}
	if err := checkAnswer(b, s.server.Secret, x.auth, s.kind == Authentication); err != nil {
		x.bad = fmt.Errorf("%w in its %v", err, p.Code)
		// The hash of the answer is right, and a rejection lets nobody in: the server is there, and nobody may have others sent elsewhere by a name
		// that it rejects before EAP begins.
		if p.Code == AccessReject && errors.Is(err, ErrNoMessageAuthenticator) {
			s.heard = now
		}
		e.dropped(s, dropOf(err), from)
		return
	}
	e.answered(now, x, &p)
}

func dropOf(err error) Drop {
	switch {
	case errors.Is(err, ErrNoMessageAuthenticator):
		return DropNoMessageAuthenticator
	case lying(err):
		return DropAuthenticator
	}
	return DropMalformed
}

// dropped counts a datagram that counts for nothing.
func (e *exchanges) dropped(s *service, d Drop, from netip.AddrPort) {
	s.stats.Dropped[d]++
	e.out = append(e.out, Dropped{Server: s.server.Name, Service: s.kind, Drop: d, From: from})
}

// answered takes the answer of the server.
func (e *exchanges) answered(now time.Time, x *exchange, p *Packet) {
	s := x.at
	s.stats.count(p.Code)
	s.stats.Latency += now.Sub(x.began)
	s.heard = now
	if !s.down.IsZero() {
		s.down = time.Time{}
		e.out = append(e.out, Turn{Server: s.server.Name, Service: s.kind, Addr: s.stats.Addr})
	}
	var a Answer
	var err error
	if x.access != nil {
		a, err = e.conf.Rules.answer(p, s.server.Secret, x.auth, x.access)
	}
	a.Server = s.server.Name
	if a.User != nil {
		a.User.Server = a.Server
	}
	if err != nil {
		x.failed = append(x.failed, Attempt{a.Server, s.stats.Addr.String(), Unusable, x.sent, err})
		e.fail(x, Unusable)
	} else {
		e.drop(x)
		e.out = append(e.out, done{x.id, a, nil})
	}
	e.serveWaiting(now)
}

func (s *Stats) count(c Code) {
	switch c {
	case AccessAccept:
		s.Accepts++
	case AccessChallenge:
		s.Challenges++
	case AccessReject:
		s.Rejects++
	case AccountingResponse:
		s.Responses++
	default: // A request, which answers nothing.
	}
}
