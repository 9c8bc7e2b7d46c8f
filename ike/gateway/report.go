package gateway

import (
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// report takes every failure: it is said, unless that was done early, and counted.
func (g *Manager) report(now time.Time, e *entry, f *diag.Failure) {
	early := false
	if e != nil {
		if e.reported == f {
			return // a machine may give one value twice: when it happens, and when it ends
		}
		e.reported, early = f, slices.Contains(e.early, f)
	}
	if !early {
		g.say(now, e, f)
	}
	g.o.Meter.Failure(FailureKey{f.Connection, exchangeLabel(f.Exchange), f.Reason()})
	if !f.Stranger {
		g.dir.byName[f.Connection].count(func(l *Lives) { l.Failures++ })
	}
}

// reportEarly says what an attempt may fail with, which goes on. It is counted when it has failed, so that an attempt is counted once,
// whatever was said of it.
func (g *Manager) reportEarly(now time.Time, e *entry, f *diag.Failure) {
	e.early = append(e.early, f)
	g.say(now, e, f)
}

// hasReported reports whether f is a failure of e that has been said.
func (e *entry) hasReported(f *diag.Failure) bool {
	return e.reported == f || slices.Contains(e.early, f)
}

// say sends a failure to the log, collapsed when it repeats, to the status, to the observers, and to whoever waits for the connection.
func (g *Manager) say(now time.Time, e *entry, f *diag.Failure) {
	if f.Time.IsZero() {
		f.Time = now
	}
	if f.Stranger = f.Stranger || g.strange(e, f); f.Stranger {
		f.Clip()
	}
	f.Aside = f.Aside || aside(e)
	r, log := g.failures.Add(f, now)
	if log {
		g.logFailure(e, f, r)
	}
	if f.Stranger && !log {
		return // there may be any number of these: nobody is woken for them
	}
	failed := Failed{Failure: f, Repeat: r.Count > 1}
	if e != nil {
		failed.SA = e.m.Summary
	}
	g.o.Observer.Observe(failed)
	if e != nil && e.conn != nil && !f.Stranger {
		e.conn.tell(0, f.Error())
	}
}

// aside reports whether the failure of an IKE SA leaves its connection as it is: it has never been established, it is to take no
// other one's place but by a redirect, and another one is up.
func aside(e *entry) bool {
	if e == nil || e.conn == nil || !e.first.IsZero() || e.handover.from != nil && !e.handover.redirected {
		return false
	}
	for x := range e.conn.entries {
		if x.alive() {
			return true
		}
	}
	return false
}

// logFailure writes the line about a failure. A stranger's is short, and says how many have had none.
func (g *Manager) logFailure(e *entry, f *diag.Failure, r diag.Repeat) {
	l := g.log
	if e != nil {
		l = l.With("ike_uniqueid", e.m.ID())
	}
	if !f.Stranger && f.Connection != "" {
		l.Warn(f.Summary()+r.Suffix(), "failure", f)
		return
	}
	if n := g.failures.Unsaid(); n > 0 {
		l = l.With("not_logged", n)
	}
	l.Warn(f.Summary()+r.Suffix(), "failure", f.Brief())
}

// strange reports whether whoever is behind a failure of an IKE SA has proved nothing: it is a responder that has never been
// established. An exception is who has gone on from IKE_SA_INIT, so that he is where he says, at an address that is
// configured for one peer: an operator waits for that one, and there are no more of them than are configured.
func (g *Manager) strange(e *entry, f *diag.Failure) bool {
	if e == nil || !e.stranger {
		return false
	}
	if f.Code == diag.CodeHalfOpen || f.Exchange == wire.ExchangeIKESAInit.String() {
		return true
	}
	c := g.connection(e.m.Config())
	// The name of a user is whatever that one wants it to be, also where one address is configured.
	return c == nil || f.User != "" || g.names.match(c.conf.RemoteAddrs, e.m.Path().Remote.Addr()) != exactly
}
