package ike

import (
	"sync"
	"sync/atomic"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// report takes every failure: it goes to the log, collapsed when it repeats, to the status, the counters, the
// observers, and to who waits for the connection.
func (d *Daemon) report(now time.Time, e *entry, f *diag.Failure) {
	if e != nil {
		if e.reported == f {
			return // a machine may give one value twice: when it happens, and when it ends
		}
		e.reported = f
	}
	if f.Time.IsZero() {
		f.Time = now
	}
	if f.Stranger = f.Stranger || d.strange(e, f); f.Stranger {
		f.Clip()
	}
	r, log := d.failures.Add(f, now)
	d.stats.failure(f)
	if log {
		d.logFailure(e, f, r)
	}
	if f.Stranger && !log {
		return // there may be any number of these: nobody is woken for them
	}
	d.o.Observer.Failed(f, r.Count > 1)
	if e != nil && e.conn != nil && !f.Stranger {
		e.conn.tell(0, f.Error())
	}
}

// logFailure writes the line about a failure. A stranger's is short, and says how many have had none.
func (d *Daemon) logFailure(e *entry, f *diag.Failure, r diag.Repeat) {
	l := d.log
	if e != nil {
		l = l.With("ike_uniqueid", e.m.ID())
	}
	if !f.Stranger && f.Connection != "" {
		l.Warn(f.Summary()+r.Suffix(), "failure", f)
		return
	}
	if n := d.failures.Unsaid(); n > 0 {
		l = l.With("not_logged", n)
	}
	l.Warn(f.Summary()+r.Suffix(), "failure", f.Brief())
}

// strange reports whether whoever is behind a failure of an IKE SA has proved nothing: it is a responder that has never been
// established. An exception is who has gone on from IKE_SA_INIT, so that he is where he says, at an address that is
// configured for one peer: an operator waits for that one, and there are no more of them than are configured.
func (d *Daemon) strange(e *entry, f *diag.Failure) bool {
	if e == nil || !e.stranger {
		return false
	}
	if f.Code == diag.CodeHalfOpen || f.Exchange == wire.ExchangeIKESAInit.String() {
		return true
	}
	c := d.connection(e.m.Config())
	return c == nil || d.names.match(c.conf.RemoteAddrs, e.m.Path().Remote.Addr()) != exactly
}

// stats are the counters of the daemon. They may be read from any goroutine.
type stats struct {
	sendErrors, retransmits, moves, established, ikeRekeys, childRekeys, redirected, redirecting atomic.Uint64

	mu        sync.Mutex
	ignored   map[sa.IgnoreReason]uint64
	failures  map[FailureKey]uint64
	exchanges map[ExchangeKey]uint64
}

// FailureKey are the labels of the failure counter. None is a stranger's choice: connections are the configured ones, exchanges
// those of IKEv2 or "other", reasons those of package diag.
type FailureKey struct{ Connection, Exchange, Reason string }

// ExchangeKey are the labels of the exchange counter. Initiated: this side made the request.
type ExchangeKey struct {
	Connection string
	Exchange   string
	Initiated  bool
}

// Stats is a copy of the daemon's counters.
type Stats struct {
	SendErrors, Retransmits, Moves, Established, IKERekeys, ChildRekeys, InboxDropped uint64
	// Redirected counts the redirects that were followed, Redirecting those that peers were sent.
	Redirected, Redirecting uint64
	Ignored                 map[sa.IgnoreReason]uint64
	Failures                map[FailureKey]uint64
	Exchanges               map[ExchangeKey]uint64
}

func (s *stats) init() {
	s.ignored, s.failures = map[sa.IgnoreReason]uint64{}, map[FailureKey]uint64{}
	s.exchanges = map[ExchangeKey]uint64{}
}

func (s *stats) ignore(r sa.IgnoreReason) {
	s.mu.Lock()
	s.ignored[r]++
	s.mu.Unlock()
}

func (s *stats) failure(f *diag.Failure) {
	s.mu.Lock()
	s.failures[FailureKey{f.Connection, exchangeLabel(f.Exchange), f.Reason()}]++
	s.mu.Unlock()
}

func (s *stats) exchange(x sa.ExchangeDone) {
	s.mu.Lock()
	s.exchanges[ExchangeKey{Exchange: exchangeLabel(x.Exchange.String()), Initiated: x.Initiated}]++
	s.mu.Unlock()
}

// Stats copies the counters. It may be called from any goroutine.
func (d *Daemon) Stats() Stats {
	s := &d.stats
	out := Stats{
		SendErrors: s.sendErrors.Load(), Retransmits: s.retransmits.Load(), Moves: s.moves.Load(), Established: s.established.Load(),
		IKERekeys: s.ikeRekeys.Load(), ChildRekeys: s.childRekeys.Load(), InboxDropped: d.InboxDropped(),
		Redirected: s.redirected.Load(), Redirecting: s.redirecting.Load(),
		Ignored: map[sa.IgnoreReason]uint64{}, Failures: map[FailureKey]uint64{}, Exchanges: map[ExchangeKey]uint64{},
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, v := range s.ignored {
		out.Ignored[k] = v
	}
	if n := d.loop.overload.Load(); n > 0 {
		out.Ignored[sa.IgnoreOverload] = n
	}
	for k, v := range s.failures {
		out.Failures[k] = v
	}
	for k, v := range s.exchanges {
		out.Exchanges[k] = v
	}
	return out
}
