package gateway

import (
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// sessionGranted keeps what an IKE SA could be resumed with. It is in memory only, and goes with the IKE SA unless the peer is
// lost: one that was deleted on purpose is not to come back, and the keys of one that was rekeyed are older than need be.
func (g *Manager) sessionGranted(e *entry, s *sa.Session) {
	e.session = s
	g.logger(e).Info("session ticket received", "octets", len(s.Ticket), "expires", s.Expires)
}

// keepSession hands the session of an IKE SA that has ended to its connection, for the next attempts, when it ended because the
// peer was silent.
func (g *Manager) keepSession(e *entry, o sa.Closed) {
	s := e.session
	e.session = nil
	lost := o.Failure != nil && (o.Failure.Code == diag.CodeDPD || o.Failure.Code == diag.CodeTimeout)
	if e.conn != nil && s != nil && lost && !e.leaving && e.heir == nil {
		e.conn.session = s
	}
}

// sessionSpent forgets the session of a connection: an IKE SA was established, with it or without, or it is good for none.
func (g *Manager) sessionSpent(e *entry) {
	if e.conn != nil {
		e.conn.session, e.conn.presents = nil, nil
	}
}

// newInitiator begins an IKE SA: with the session of the one before, if the peer was lost with it, or from scratch. A session that comes
// to nothing because nobody answers is presented again with the next attempt, for as long as it is good, and by one attempt at a
// time: the network may have been away for minutes, which is what sessions are for.
func (g *Manager) newInitiator(now time.Time, c *connection, path sa.Path, children []*sa.ChildConfig) *sa.Machine {
	s := c.session
	if s != nil && !now.Before(s.Expires) {
		s, c.session = nil, nil
	}
	if s == nil || s.Gateway != path.Remote.Addr().Unmap() || c.presents != nil && c.presents.State() != sa.StateClosed {
		return sa.NewInitiator(g.env, now, c.cfg, path, children)
	}
	g.log.Info("resuming with a session ticket", "connection", c.conf.Name, "remote", path.Remote)
	c.presents = sa.NewResumption(g.env, now, c.cfg, path, children, s)
	return c.presents
}

// resumed drops the IKE SA that the peer has resumed as another one, and what has come of it: "the old SA SHOULD be silently deleted
// without sending a DELETE informational exchange". https://www.rfc-editor.org/rfc/rfc5723#section-4.3.4
func (g *Manager) resumed(now time.Time, e *entry, spi wire.SPI) {
	x := g.table.bySPI[spi]
	if x == nil || x == e || x.closed || keyOf(x.m) != keyOf(e.m) {
		return
	}
	for _, m := range x.m.Line() {
		if y := g.table.bySPI[m.LocalSPI()]; y != nil && y != e && !y.closed {
			g.logger(y).Info("dropped: the peer has resumed it", "replaced_by", e.m.ID())
			g.abandon(now, y, "the peer has resumed it")
		}
	}
}

// renumber files an entry under its machine's new SPI.
func (t *table) renumber(e *entry, old wire.SPI) {
	if t.bySPI[old] == e {
		delete(t.bySPI, old)
	}
	t.bySPI[e.m.LocalSPI()] = e
}
