package gateway

import (
	"log/slog"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// established handles an IKE SA that is authenticated both ways.
func (g *Manager) established(now time.Time, e *entry) {
	g.table.settle(e)
	e.assign(g.connection(e.m.Config()))
	g.table.setUp(e)
	e.stranger = false
	g.logHeld(e)
	e.first, e.past = now, map[string]Counters{}
	g.joinKin(e)
	s := e.m.Snapshot()
	g.o.Meter.Add(CountEstablished)
	e.conn.count(func(l *Lives) { l.Established, l.Last = l.Established+1, now })
	if g.logs(slog.LevelInfo) {
		l := g.logger(e)
		if s.User != "" {
			l = l.With("user", s.User, "method", s.UserMethod)
		}
		l.Info("IKE SA established", "local", s.Path.Local, "local_id", s.LocalID.String(), "remote", s.Path.Remote,
			"remote_id", s.RemoteID.String(), "initiator", s.Initiator, "proposal", s.Chosen.String(), "nat", s.NAT.Word(), "resumed", s.Resumed)
	}
	g.o.Observer.Observe(IKEUpdown{Up: true, SA: s})
	if e.conn == nil {
		// A reload has taken the connection away since IKE_SA_INIT.
		g.delete(now, e, "the connection is not configured any more")
		return
	}
	if e.conn.refusesPeers() && !e.m.RedirectedAway() {
		g.delete(now, e, byCommand)
		return
	}
	if why := g.barred(e); why != "" {
		g.delete(now, e, why)
		return
	}
	e.conn.tries = 0
	g.sessionSpent(e)
	if e.conn.heard() {
		e.conn.tell(1, "IKE_SA "+e.conn.conf.Name+" established between "+s.Path.Local.Addr().String()+"["+s.LocalID.String()+"]..."+
			s.Path.Remote.Addr().String()+"["+s.RemoteID.String()+"]")
	}
	g.excludePeer(e)
	g.beginAccount(now, e)
	if e.handover.from != nil {
		e.handover.until = now.Add(reauthTime)
	}
	if !e.m.RedirectedAway() {
		if len(e.conn.children) == 0 || e.conn.bare.machine == e.m {
			attempt := e.conn.bareAttempt()
			g.bareIsUp(e.conn)
			g.dropNeedless(now, attempt, e)
		}
		g.enforceUnique(now, e)
	}
	g.displace(now, e)
}

// closed handles the end of an IKE SA.
func (g *Manager) closed(now time.Time, e *entry, o sa.Closed) {
	if e.closed {
		return
	}
	e.closed = true
	g.table.open--
	g.table.settle(e)
	if e.heir == nil {
		g.releaseLeases(now, e)
	}
	// Where both sides have started at once, the peer deletes the IKE SA that is one too many: nothing has failed then. And a user comes and goes.
	if f := o.Failure; f != nil && (f.Code != diag.CodeDeleted || len(g.samePeer(e)) == 0 && e.userName() == "") {
		g.report(now, e, f)
	}
	if f := o.Failure; f != nil && e.stranger && f.Exchange == wire.ExchangeIKESAInit.String() {
		g.surge.refused(now) // its public value was bad: nothing is kept of it
	}
	g.endAccount(now, e, o)
	if e.up {
		g.table.setDown(e)
		if e.heir == nil {
			g.logger(e).Info("IKE SA closed", "reason", o.Reason)
			g.o.Observer.Observe(IKEUpdown{SA: e.m.Snapshot(), Reason: o.Reason})
		}
	} else if e.conn != nil && e.caller && e.first.IsZero() && !e.detoured {
		e.conn.tries++
		if e.handover.from == nil {
			e.conn.redirects = redirects{}
		}
	}
	e.forgetRefused()
	g.handoverClosed(now, e)
	g.keepSession(e, o)
	if e.conn == nil || e.stranger {
		return // a stranger's is nothing that a child waits for
	}
	g.settleClient(e.conn)
	g.bareClosed(now, e, o.Failure, o.Reason)
	for _, h := range e.conn.children {
		g.touch(h)
		if !h.busy || h.machine != e.m {
			continue
		}
		f := o.Failure
		if f == nil {
			w := whereOf(e.conn)
			w.Child, w.Time = h.cfg.Name, now
			f = diag.Cancelled(w, o.Reason)
		}
		g.attemptFailed(now, h, f)
	}
}

// replaced registers the successor of a rekeyed IKE SA. The IKE SA as the operator knows it lives on.
func (g *Manager) replaced(now time.Time, e *entry, s *sa.Machine) {
	x := g.table.bySPI[s.LocalSPI()]
	if x == nil {
		x = g.table.add(s, e.conn)
	}
	x.line = e.line
	if x.account != nil {
		x.account.e = x
	}
	if x.holder != 0 {
		g.holders[x.holder] = x
	}
	h := e.handover
	e.follow(handover{})
	x.follow(h)
	g.inheritHandover(e, x)
	e.retired.handOn(x)
	e.heir, e.review = x, time.Time{}
	g.table.setDown(e)
	g.table.setUp(x)
	g.excludePeer(x)
	for _, c := range s.Children() {
		if i := g.installed[c.ID]; i != nil {
			i.owner = x
		}
	}
	e.passRefused(x)
	x.revoked, e.revoked = e.revoked, nil
	if e.conn != nil {
		for _, h := range e.conn.children {
			if h.machine == e.m {
				h.machine = s
			}
		}
	}
	g.o.Meter.Add(CountIKERekeys)
	x.conn.count(func(l *Lives) { l.IKERekeys++ })
	g.tallies(x.conn, func(t *Tally) { t.ikeRekey(s.Initiator()) })
	g.logger(x).Info("rekeyed IKE SA", "replaces", e.m.ID(), "proposal", s.Summary().Chosen.String())
	g.o.Observer.Observe(IKERekeyed{Old: e.m.Snapshot(), New: s.Snapshot()})
	g.drain(now, x)
}

// childUp handles a CHILD SA that carries traffic which had none.
func (g *Manager) childUp(now time.Time, e *entry, c *sa.Child) {
	s := e.m.Summary()
	if g.logs(slog.LevelInfo) {
		g.logger(e).Info("child "+c.Config.Name+" is up", "spi_in", hex32(c.Inbound.SPI), "spi_out", hex32(c.Outbound.SPI),
			"selectors", c.TS.String(), "proposal", c.Chosen.String(), "udp", c.Path.UDP)
	}
	h := e.child(c.Config)
	g.o.Observer.Observe(ChildUpdown{Up: true, SA: s, Child: sa.SnapshotChild(c), Conf: h.configured()})
	if h == nil {
		// A reload has taken the child away while it was being negotiated.
		e.m.DeleteChild(now, c.ID, "the child is not configured any more")
		return
	}
	if e.takenBack(h, c) {
		h.busy, h.machine = false, nil
		e.m.DeleteChild(now, c.ID, byCommand)
		return
	}
	delete(h.refused, e)
	attempt := h.attempt()
	h.busy, h.asked, h.trigger, h.triggered, h.machine = false, false, nil, false, e.m
	if c.Initiator {
		h.narrow.asking = nil
	}
	h.backoff.exhausted = false
	g.unkeep(h)
	g.setChildUp(h, now)
	g.touch(h)
	if h.conn.heard() {
		h.conn.tell(1, "CHILD_SA "+c.Config.Name+" established with SPIs "+hex32(c.Inbound.SPI)+"_i "+hex32(c.Outbound.SPI)+"_o and TS "+c.TS.String())
	}
	g.failures.Recovered(h.conn.conf.Name, h.cfg.Name, e.userName(), e.m.Initiator())
	g.provisional.Recovered(h.conn.conf.Name, h.cfg.Name, e.userName(), true)
	g.cleared(h)
	h.finish(nil)
	e.handover.goesOn(now)
	g.advanceHandover(now, e)
	g.alsoAsked(now, e)
	g.dropNeedless(now, attempt, e)
}
