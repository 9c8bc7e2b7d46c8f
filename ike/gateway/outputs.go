package gateway

import (
	"log/slog"
	"net/netip"
	"strconv"
	"time"

	"esplanade/ike/sa"
)

// drain carries out what a machine has put out, then files it under its next time or forgets it. What is put out
// meanwhile comes after it, also when an output causes another call of drain.
func (g *Manager) drain(now time.Time, e *entry) {
	if e.draining {
		return
	}
	e.draining = true
	g.talk.now = now
	for {
		outs := e.m.Outputs()
		if len(outs) == 0 {
			break
		}
		for _, o := range outs {
			g.output(now, e, o)
		}
	}
	e.draining = false
	if g.table.bySPI[e.m.LocalSPI()] != e {
		return
	}
	if e.m.Done() && len(e.retired.late) == 0 {
		g.drop(now, e)
		return
	}
	if r, ok := e.m.Refusal(); ok && e.made != nil {
		init := *e.made
		g.drop(now, e)
		g.table.refused.add(now, r, init)
		g.surge.refused(now)
		g.refreshForStranger(now)
		return
	}
	g.weighHalfOpen(now, e)
	if g.table.bySPI[e.m.LocalSPI()] != e {
		return // it was too large
	}
	if e.excluded != e.m.Path().Remote.Addr().Unmap() && e.excluded.IsValid() && e.m.PeerProven() {
		g.excludePeer(e) // the peer has moved
	}
	g.table.schedule(e)
	g.linger(now, e)
}

// drop takes an IKE SA out of the table.
func (g *Manager) drop(now time.Time, e *entry) {
	if !e.closed { // every machine says so before it is done; what counts closed ones must not depend on it
		g.closed(now, e, sa.Closed{Reason: "done"})
	}
	g.unexcludePeer(e)
	g.table.remove(e)
}

// excludePeer keeps the packets to the peer of an IKE SA out of the tunnel for as long as the IKE SA is known. A peer that calls from
// the networks of another one, or has moved there, changes nothing for what is sent there: packets to it take the other's tunnel, as
// packets to its neighbours do.
func (g *Manager) excludePeer(e *entry) {
	a := e.m.Path().Remote.Addr().Unmap()
	if a == e.excluded || e.conn == nil {
		return
	}
	if g.names.match(e.conn.conf.RemoteAddrs, a) != exactly && g.othersCarry(e.conn, a) {
		return
	}
	old := e.excluded
	g.o.Host.Exclude(a)
	e.excluded = a
	if old.IsValid() {
		g.o.Host.Unexclude(old)
	}
}

func (g *Manager) unexcludePeer(e *entry) {
	if e.excluded.IsValid() {
		g.o.Host.Unexclude(e.excluded)
		e.excluded = netip.Addr{}
	}
}

// delete ends an IKE SA with a DELETE for the peer, abandon without.
func (g *Manager) delete(now time.Time, e *entry, reason string) {
	e.leaving = true
	e.m.Delete(now, reason)
	g.touchAll(e.conn)
	g.drain(now, e)
}

func (g *Manager) abandon(now time.Time, e *entry, reason string) {
	e.leaving = true
	e.m.Abandon(now, reason)
	g.touchAll(e.conn)
	g.drain(now, e)
}

// output carries out one output. The types are all those of package sa.
func (g *Manager) output(now time.Time, e *entry, o sa.Output) {
	dp := g.o.DataPlane
	switch o := o.(type) {
	case sa.Send:
		if err := g.send(o.Path, o.Datagram); refusedHere(err) {
			e.m.Unreachable(now, o.Path, err)
		}
	case sa.SendKeepalive:
		g.send(o.Path, []byte{keepalive})
	case sa.Request:
		g.runErrand(now, e, o)
	case sa.InstallInbound:
		g.installInbound(now, e, o.Child)
	case sa.InstallOutbound:
		g.installOutbound(now, e, o.Child)
	case sa.RemoveInbound:
		g.uninstallInbound(now, e, o.Child)
	case sa.RemoveOutbound:
		g.uninstallOutbound(o.Child)
	case sa.UpdatePath:
		dp.UpdatePath(o.Child.ID, o.Child.Path)
	case sa.UpdateSelectors:
		g.updateSelectors(now, e, o.Child)
	case sa.StateChanged:
		if o.To == sa.StateDeleting && e.kin != nil {
			e.kin.noteClosing(now)
		}
		if g.logs(slog.LevelDebug) {
			g.logger(e).Debug("state", "from", o.From, "to", o.To, "reason", o.Reason)
		}
	case sa.Established:
		g.established(now, e)
	case sa.Assigned:
		g.assigned(e, o.Assignment)
	case sa.PPKUnused:
		g.logger(e).Warn("the PPK of the connection is not used: the peer does not have it, or did not offer one", "ppk_id", o.ID,
			"remote", e.m.Path().Remote, "remote_id", e.m.RemoteID().String(), "fix", "configure the same PPK at the peer; "+
				"ppk_required = true refuses such IKE SAs")
	case sa.Closed:
		g.closed(now, e, o)
	case sa.Failed:
		e.noteExpiry(o)
		if o.Early {
			g.reportEarly(now, e, o.Failure)
		} else {
			g.report(now, e, o.Failure)
		}
		if h := e.child(o.Child); h != nil && o.Part != nil {
			g.partFailed(now, h, *o.Part)
		} else if h != nil && h.machine == e.m {
			g.attemptFailed(now, h, o.Failure)
		}
	case sa.ChildUp:
		g.childUp(now, e, o.Child)
	case sa.ChildReplaced:
		g.logger(e).Info("rekeyed child "+o.New.Config.Name, "spi_in", hex32(o.New.Inbound.SPI), "spi_out", hex32(o.New.Outbound.SPI),
			"proposal", o.New.Chosen.String())
		g.o.Meter.Add(CountChildRekeys)
		e.conn.count(func(l *Lives) { l.ChildRekeys++ })
		g.tallies(e.conn, func(t *Tally) { t.ChildRekeys++ })
		g.o.Observer.Observe(ChildRekeyed{SA: e.m.Summary(), Old: sa.SnapshotChild(o.Old), New: sa.SnapshotChild(o.New)})
		g.touchAll(e.conn)
	case sa.ChildDown:
		g.logger(e).Info("child "+o.Child.Config.Name+" is down", "reason", o.Reason)
		h := e.child(o.Child.Config)
		g.o.Observer.Observe(ChildUpdown{SA: e.m.Summary(), Child: sa.SnapshotChild(o.Child), Conf: h.configured(), Reason: o.Reason})
		if h != nil {
			h.conn.tell(1, "child "+h.cfg.Name+" closed: "+o.Reason)
			h.noteLoss(e, o)
			g.touch(h)
		}
	case sa.Replaced:
		g.replaced(now, e, o.Successor)
	case sa.Spawned:
		g.drain(now, g.table.add(o.Machine, e.conn))
	case sa.Touched:
		if x := g.table.bySPI[o.Machine.LocalSPI()]; x != nil {
			g.drain(now, x)
		}
	case sa.SessionGranted:
		g.sessionGranted(e, o.Session)
	case sa.SessionSpent:
		g.sessionSpent(e)
	case sa.Resumes:
		g.resumed(now, e, o.SPI)
	case sa.Renumbered:
		g.table.renumber(e, o.Old)
	case sa.ReauthDue:
		g.reauthenticate(now, e)
	case sa.Redirected:
		g.redirected(now, e, o)
	case sa.Redirecting:
		g.redirecting(e, o)
	case sa.PeerInitialContact:
		g.initialContact(now, e)
	case sa.ExchangeDone:
		g.answersAgain(now, e, o)
		if o.Bare {
			g.watchESP(now, e)
		}
		g.exchangeDone(e, o)
	case sa.Moved:
		g.moved(now, e, o)
	case sa.Retransmitted:
		g.retransmitted(now, e, o)
		g.reauthAgain(now, e)
	case sa.Ignored:
		g.ignored(o)
		if e.conn != nil {
			e.conn.tally.ignored(o.Reason)
		}
	case sa.KeysDerived:
		g.o.Observer.Observe(IKEKeys{SA: e.m.Summary(), SPIi: o.SPIi, SPIr: o.SPIr, Keys: o.Keys})
	default:
		panic("BUG: an output that nobody handles")
	}
}

// child finds the configured child for a machine's.
func (e *entry) child(cfg *sa.ChildConfig) *child {
	if e.conn == nil || cfg == nil {
		return nil
	}
	if h := e.conn.childOf(cfg); h != nil || e.conn.elsewhere == nil {
		return h
	}
	return e.conn.elsewhere(cfg)
}

func hex32(n uint32) string { return "0x" + strconv.FormatUint(uint64(n), 16) }

// keepalive is the NAT keepalive of RFC 3948 section 2.3.
const keepalive = 0xff
