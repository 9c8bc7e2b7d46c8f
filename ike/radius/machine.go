package radius

import (
	"net/netip"
	"time"

	"esplanade/ike/aaa"
)

// Machine has all requests to servers, the records of accounting and the orders of servers. Time comes in, datagrams come in and go out as
// [Output]. It is used by one goroutine at a time.
type Machine struct {
	exchanges exchanges
	ledger    ledger
	listener  listener
	out       []Output
}

// Output is what a machine wants done, or has to say: [Send], [Reply], [Answered], [Ordered], [Turn], [Dropped], [OrderDropped], [Unrecorded].
type Output interface{ output() }

// Send is a datagram for a server.
type Send struct {
	Socket   Socket
	To       netip.AddrPort
	Datagram []byte
}

// Reply is a datagram of the socket that takes orders.
type Reply struct {
	To       netip.AddrPort
	Datagram []byte
}

// Answered is what came of an [Access]. Failure is nil if there is an answer.
type Answered struct {
	ID      uint64
	Answer  Answer
	Failure *Failure
}

// Ordered is an order to be carried out. [Machine.CarriedOut] says what came of it.
type Ordered struct {
	ID    uint64
	Order aaa.Order
}

// Turn is a service that has fallen silent, or is back.
type Turn struct {
	Server  string
	Service Service
	Addr    netip.AddrPort
	Down    bool
	// Reason is [Silent], or [Lying] if there were answers.
	Reason Reason
}

// Dropped is a datagram that counts for nothing.
type Dropped struct {
	Server  string
	Service Service
	Drop    Drop
	From    netip.AddrPort
}

// OrderDropped is an order that is not answered. Server is empty if it is from none.
type OrderDropped struct {
	Server string
	From   netip.AddrPort
	Drop   OrderDrop
	Why    string
}

// Unrecorded is a record that no server has taken; it waits.
type Unrecorded struct {
	Waiting int
	Failure *Failure
}

// done is the end of an exchange.
type done struct {
	id      uint64
	answer  Answer
	failure *Failure
}

func (Send) output()         {}
func (Reply) output()        {}
func (Answered) output()     {}
func (Ordered) output()      {}
func (Turn) output()         {}
func (Dropped) output()      {}
func (OrderDropped) output() {}
func (Unrecorded) output()   {}
func (done) output()         {}

// NewMachine makes one. random gives octets that nobody can guess, jitter numbers in [0, 1).
func NewMachine(now time.Time, c *Config, random func(n int) []byte, jitter func() float64) *Machine {
	m := &Machine{
		exchanges: exchanges{random: random, jitter: jitter, byID: map[uint64]*exchange{}},
		ledger:    newLedger(),
		listener:  listener{given: map[orderKey]*givenOrder{}, open: map[uint64]*givenOrder{}},
	}
	m.Configure(now, c)
	return m
}

// Configure takes another configuration.
func (m *Machine) Configure(now time.Time, c *Config) {
	m.listener.conf = c
	m.exchanges.configure(now, c)
	m.settle(now)
}

// Access asks a server about a user. server: the only one that may be asked, that of the conversation; empty: any. It is given up at until.
// What comes of it is an [Answered] with the ID.
func (m *Machine) Access(now time.Time, a Access, server string, until time.Time) (id uint64) {
	nas := &m.exchanges.conf.NAS
	id = m.exchanges.begin(now, &exchange{
		kind: Authentication, server: server, until: until, access: &a,
		packet: func(time.Time) Packet { return a.request(nas) },
	})
	m.settle(now)
	return id
}

// Cancel forgets a request that nobody waits for.
func (m *Machine) Cancel(now time.Time, id uint64) {
	m.exchanges.cancel(now, id)
	m.settle(now)
}

// Account has a record sent, and again until a server has taken it.
func (m *Machine) Account(now time.Time, r aaa.Record) {
	m.ledger.add(r)
	m.settle(now)
}

// Receive takes a datagram of a socket of [Send].
func (m *Machine) Receive(now time.Time, at Socket, from netip.AddrPort, b []byte) {
	m.exchanges.receive(now, at, from, b)
	m.settle(now)
}

// ReceiveOrder takes a datagram of the socket that takes orders.
func (m *Machine) ReceiveOrder(now time.Time, from netip.AddrPort, b []byte) {
	m.listener.receive(now, from, b)
	m.settle(now)
}

// CarriedOut answers an order. 0: it is done.
func (m *Machine) CarriedOut(now time.Time, id uint64, c Cause) {
	m.listener.carriedOut(id, c)
	m.settle(now)
}

// Advance does what is due.
func (m *Machine) Advance(now time.Time) {
	m.exchanges.advance(now)
	m.settle(now)
}

// settle passes on what the parts have put out, and has the records sent that can be.
func (m *Machine) settle(now time.Time) {
	for {
		for _, o := range m.exchanges.take() {
			d, ok := o.(done)
			switch {
			case !ok:
				m.out = append(m.out, o)
			case d.failure == nil && m.ledger.taken(d.id):
			case d.failure != nil && m.ledger.refused(now, d.id, d.failure.Reason == Unusable):
				m.out = append(m.out, Unrecorded{m.ledger.queue.Len(), d.failure})
			default:
				m.out = append(m.out, Answered{d.id, d.answer, d.failure})
			}
		}
		e := m.ledger.due(now)
		if e == nil {
			break
		}
		r, nas := e.Value.(*record).Record, &m.exchanges.conf.NAS
		x := &exchange{id: m.exchanges.newID(), kind: Accounting, packet: func(now time.Time) Packet { return accounting(&r, nas, now) }}
		m.ledger.sent(e, x.id)
		m.exchanges.begin(now, x)
	}
	m.out = append(m.out, m.listener.out...)
	m.listener.out = nil
}

func (e *exchanges) take() []Output {
	list := e.out
	e.out = nil
	return list
}

// Outputs takes what is to be done, in that order.
func (m *Machine) Outputs() []Output {
	list := m.out
	m.out = nil
	return list
}

// NextTimeout is when something is due; zero: never.
func (m *Machine) NextTimeout() time.Time {
	var next time.Time
	if t := m.exchanges.timers; len(t) > 0 {
		next = t[0].due
	}
	if n := m.ledger.timeout(); !n.IsZero() && (next.IsZero() || n.Before(next)) {
		next = n
	}
	return next
}

// Hurry has the records sent that wait, although no server has taken the last ones: this gateway ends. Those whose answer is late are sent at
// once again, as requests of their own.
func (m *Machine) Hurry(now time.Time) {
	for id := range m.ledger.out {
		if x := m.exchanges.byID[id]; x != nil && (x.at == nil || x.sent > 1) {
			m.exchanges.cancel(now, id)
			m.ledger.refused(now, id, false)
		}
	}
	m.ledger.hurried, m.ledger.pause, m.ledger.next = true, 0, time.Time{}
	m.settle(now)
}

// Records is how many records no server has taken yet.
func (m *Machine) Records() int { return m.ledger.queue.Len() }

// Report is how a machine does.
type Report struct {
	Services []Stats
	Ledger   LedgerStats
	Orders   OrderStats
	// Waiting requests wait for an identifier.
	Waiting int
}

// Report copies how it does.
func (m *Machine) Report() Report {
	r := Report{Ledger: m.ledger.stats, Orders: m.listener.stats, Waiting: len(m.exchanges.waiting)}
	r.Ledger.Waiting = m.ledger.queue.Len()
	for _, s := range m.exchanges.services {
		st := s.stats
		st.Down, st.Heard = s.down, s.heard
		r.Services = append(r.Services, st)
	}
	return r
}
