package ike

import (
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// sessionGranted keeps what an IKE SA could be resumed with. It is in memory only, and goes with the IKE SA unless the peer is
// lost: one that was deleted on purpose is not to come back, and the keys of one that was rekeyed are older than need be.
func (d *Daemon) sessionGranted(e *entry, s *sa.Session) {
	e.session = s
	d.logger(e).Info("session ticket received", "octets", len(s.Ticket), "expires", s.Expires)
}

// keepSession hands the session of an IKE SA that has ended to its connection, for the next attempt, when it ended because the
// peer was silent.
func (d *Daemon) keepSession(e *entry, o sa.Closed) {
	s := e.session
	e.session = nil
	lost := o.Failure != nil && (o.Failure.Code == diag.CodeDPD || o.Failure.Code == diag.CodeTimeout)
	if e.conn != nil && s != nil && lost && !e.leaving && !e.replaced {
		e.conn.session = s
	}
}

// newInitiator begins an IKE SA: with the session of the one before, if the peer was lost with it, or from scratch. A session is
// used once whatever comes of it.
func (d *Daemon) newInitiator(now time.Time, c *connection, path sa.Path, children []*sa.ChildConfig) *sa.Machine {
	s := c.session
	c.session = nil
	if s == nil {
		return sa.NewInitiator(d.env, now, c.cfg, path, children)
	}
	d.log.Info("resuming with a session ticket", "connection", c.conf.Name, "remote", path.Remote)
	return sa.NewResumption(d.env, now, c.cfg, path, children, s)
}

// renumber files an entry under its machine's new SPI.
func (t *table) renumber(e *entry, old wire.SPI) {
	if t.bySPI[old] == e {
		delete(t.bySPI, old)
	}
	t.bySPI[e.m.LocalSPI()] = e
}
