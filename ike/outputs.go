package ike

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"esplanade/config"
	"esplanade/ike/diag"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// drain carries out what a machine has put out, then files it under its next time or forgets it.
func (d *Daemon) drain(now time.Time, e *entry) {
	for {
		outs := e.m.Outputs()
		if len(outs) == 0 {
			break
		}
		for _, o := range outs {
			d.output(now, e, o)
		}
	}
	if d.table.bySPI[e.m.LocalSPI()] != e {
		return
	}
	if e.m.Done() {
		d.table.remove(e)
		return
	}
	d.table.schedule(e)
}

// output carries out one output. The types are all those of package sa.
func (d *Daemon) output(now time.Time, e *entry, o sa.Output) {
	dp := d.o.DataPlane
	switch o := o.(type) {
	case sa.Send:
		d.send(o.Path, o.Datagram)
	case sa.SendKeepalive:
		d.send(o.Path, []byte{keepalive})
	case sa.InstallInbound:
		d.installInbound(now, e, o.Child)
	case sa.InstallOutbound:
		d.installOutbound(now, e, o.Child)
	case sa.RemoveInbound:
		d.removed(e, o.Child, true)
	case sa.RemoveOutbound:
		d.removed(e, o.Child, false)
	case sa.UpdatePath:
		dp.UpdatePath(o.Child.ID, o.Child.Path)
	case sa.StateChanged:
		d.logger(e).Debug("state", "from", o.From, "to", o.To, "reason", o.Reason)
	case sa.Established:
		d.established(now, e)
	case sa.Closed:
		d.closed(now, e, o)
	case sa.Failed:
		d.report(now, e, o.Failure)
		if h := e.child(o.Child); h != nil && h.machine == e.m {
			d.attemptFailed(now, h, o.Failure)
		}
	case sa.ChildUp:
		d.childUp(now, e, o.Child)
	case sa.ChildReplaced:
		d.logger(e).Info("rekeyed child "+o.New.Config.Name, "spi_in", hex32(o.New.Inbound.SPI), "spi_out", hex32(o.New.Outbound.SPI),
			"proposal", o.New.Chosen.String())
		d.stats.childRekeys.Add(1)
		d.o.Observer.ChildRekeyed(e.m.Snapshot(), sa.SnapshotChild(o.Old), sa.SnapshotChild(o.New))
	case sa.ChildDown:
		d.logger(e).Info("child "+o.Child.Config.Name+" is down", "reason", o.Reason)
		d.o.Observer.ChildUpdown(false, e.m.Snapshot(), sa.SnapshotChild(o.Child))
		if h := e.child(o.Child.Config); h != nil {
			h.conn.tell(1, "child "+h.cfg.Name+" closed: "+o.Reason)
		}
	case sa.Replaced:
		d.replaced(now, e, o.Successor)
	case sa.Spawned:
		d.drain(now, d.table.add(o.Machine, e.conn))
	case sa.Touched:
		if x := d.table.bySPI[o.Machine.LocalSPI()]; x != nil {
			d.drain(now, x)
		}
	case sa.PeerInitialContact:
		d.initialContact(now, e)
	case sa.ExchangeDone:
		d.exchangeDone(e, o)
	case sa.Retransmitted:
		d.stats.retransmits.Add(1)
		d.logger(e).Info("no answer yet, sent again", "exchange", o.Exchange.String(), "message_id", o.MessageID, "try", o.Try, "to", o.Path.Remote)
		if e.conn != nil {
			e.conn.tell(1, "retransmit "+strconv.Itoa(o.Try)+" of "+o.Exchange.String()+" request with message ID "+strconv.Itoa(int(o.MessageID)))
		}
	case sa.Ignored:
		d.ignored(o)
	case sa.KeysDerived:
		d.o.Observer.IKEKeys(e.m.Snapshot(), o.SPIi, o.SPIr, o.Keys)
	default:
		panic("BUG: an output that nobody handles")
	}
}

// child finds the configured child for a machine's.
func (e *entry) child(cfg *sa.ChildConfig) *child {
	if e.conn == nil || cfg == nil {
		return nil
	}
	return e.conn.childOf(cfg)
}

// policy is the number under which the data plane knows what the child's traffic is matched against: that of the
// configured child's trap where there is one, so that the packets which wait for the tunnel are sent through it.
func (e *entry) policy(c *sa.Child) uint64 {
	if h := e.child(c.Config); h != nil && h.trap != 0 {
		return h.trap
	}
	return c.Policy
}

func hex32(n uint32) string { return "0x" + strconv.FormatUint(uint64(n), 16) }

// logger names the IKE SA in each line.
func (d *Daemon) logger(e *entry) *slog.Logger {
	l := d.log
	if e.conn != nil {
		l = l.With("connection", e.conn.conf.Name)
	}
	return l.With("ike_uniqueid", e.m.ID())
}

func (d *Daemon) installInbound(now time.Time, e *entry, c *sa.Child) {
	d.owner[c.ID], d.started[c.ID] = e, c
	if d.o.ExportKeys {
		d.o.Observer.ChildKeys(c)
	}
	if err := d.o.DataPlane.InstallInbound(c.ID, c.Inbound, c.TS, c.Path); err != nil {
		d.installFailed(now, e, c, "inbound SA "+hex32(c.Inbound.SPI), err)
		return
	}
	if h := e.child(c.Config); h != nil {
		h.live[c.ID] = c
	}
}

func (d *Daemon) installOutbound(now time.Time, e *entry, c *sa.Child) {
	if err := d.o.DataPlane.InstallOutbound(c.ID, e.policy(c), c.Outbound, c.TS, c.Path); err != nil {
		d.installFailed(now, e, c, "outbound SA "+hex32(c.Outbound.SPI), err)
		return
	}
	if !d.o.Config.IKE.InstallRoutes {
		return
	}
	if err := d.o.Network.AddRoutes(c.TS); err != nil {
		d.report(now, e, diag.InstallFailed(d.where(now, e, c), "routes for "+c.TS.String(), err))
	}
}

// installFailed closes a child that the data plane could not take: an SA that exists on the wire only would swallow
// what the peer sends.
func (d *Daemon) installFailed(now time.Time, e *entry, c *sa.Child, what string, err error) {
	f := diag.InstallFailed(d.where(now, e, c), what, err)
	d.report(now, e, f)
	if h := e.child(c.Config); h != nil {
		d.attemptFailed(now, h, f)
	}
	e.m.DeleteChild(now, c.ID, "it could not be installed")
}

func (d *Daemon) where(now time.Time, e *entry, c *sa.Child) diag.Where {
	p := e.m.Path()
	return diag.Where{
		Connection: e.m.Config().Name, Child: c.Config.Name, Local: p.Local, Remote: p.Remote,
		PeerID: e.m.RemoteID().String(), ConfigLine: c.Config.Line, Time: now,
	}
}

// removed takes one direction out of the data plane, and books what went through when it was the last.
func (d *Daemon) removed(e *entry, c *sa.Child, inbound bool) {
	dp := d.o.DataPlane
	if !inbound {
		dp.RemoveOutbound(c.ID)
		if d.o.Config.IKE.InstallRoutes {
			d.network("remove routes", d.o.Network.RemoveRoutes(c.TS))
		}
		return
	}
	h := e.child(c.Config)
	if counters, ok := dp.Counters(c.ID); ok && h != nil {
		h.past.add(counters)
	}
	dp.RemoveInbound(c.ID)
	if h != nil {
		delete(h.live, c.ID)
	}
	delete(d.owner, c.ID)
	delete(d.started, c.ID)
}

// established handles an IKE SA that is authenticated both ways.
func (d *Daemon) established(now time.Time, e *entry) {
	d.table.settle(e)
	e.conn = d.connection(e.m.Config())
	e.up = true
	s := e.m.Snapshot()
	d.stats.established.Add(1)
	d.logger(e).Info("IKE SA established", "local", s.Path.Local, "local_id", s.LocalID.String(), "remote", s.Path.Remote,
		"remote_id", s.RemoteID.String(), "initiator", s.Initiator, "proposal", s.Chosen.String(), "nat", natText(s))
	d.o.Observer.IKEUpdown(true, s)
	if e.conn == nil {
		return
	}
	e.conn.tell(1, "IKE_SA "+e.conn.conf.Name+" established between "+s.Path.Local.Addr().String()+"["+s.LocalID.String()+"]..."+
		s.Path.Remote.Addr().String()+"["+s.RemoteID.String()+"]")
	d.exclude(e.conn, s.Path.Remote.Addr())
	d.enforceUnique(now, e)
}

func natText(s sa.Snapshot) string {
	switch {
	case s.NATLocal && s.NATRemote:
		return "both"
	case s.NATLocal:
		return "local"
	case s.NATRemote:
		return "remote"
	case s.NATForced:
		return "forced"
	}
	return "none"
}

// samePeer lists the other established IKE SAs between the same two identities.
func (d *Daemon) samePeer(e *entry) []*entry {
	var out []*entry
	for _, x := range d.table.all() {
		if x != e && x.up && x.m.State() != sa.StateClosed && x.m.State() != sa.StateRekeyed && x.m.State() != sa.StateDeleting &&
			x.m.RemoteID().Equal(e.m.RemoteID()) && x.m.LocalID().Equal(e.m.LocalID()) && x.conn == e.conn {
			out = append(out, x)
		}
	}
	return out
}

// initialContact drops what else there is with a peer that says it has nothing else. No DELETE is sent: there is
// nobody who would understand it.
func (d *Daemon) initialContact(now time.Time, e *entry) {
	if e.conn != nil && e.conn.conf.Unique == config.UniqueNever {
		return
	}
	for _, x := range d.samePeer(e) {
		d.logger(x).Info("dropped: the peer has started anew (INITIAL_CONTACT)", "replaced_by", e.m.ID())
		x.m.Abandon(now, "the peer has started anew")
		d.drain(now, x)
	}
}

// enforceUnique applies the policy for a peer that has an IKE SA already, and clears up when both sides have initiated
// at the same time: without that there would be two of everything.
func (d *Daemon) enforceUnique(now time.Time, e *entry) {
	for _, x := range d.samePeer(e) {
		switch e.conn.conf.Unique {
		case config.UniqueReplace:
			d.logger(x).Info("replaced by a newer IKE SA of the same peer", "replaced_by", e.m.ID())
			x.m.Delete(now, "replaced by a newer IKE SA")
			d.drain(now, x)
		case config.UniqueKeep:
			d.logger(e).Info("closed: the peer has an IKE SA already, and unique is keep", "kept", x.m.ID())
			e.m.Delete(now, "the peer has an IKE SA already")
			return
		case config.UniqueNo, config.UniqueNever:
			if x.m.Initiator() != e.m.Initiator() && now.Sub(x.m.Snapshot().Established) < crossingTime {
				d.settleCrossing(now, x, e)
			}
		}
	}
}

const (
	// crossingTime is how close together two IKE SAs in opposite directions must be to count as one intention.
	crossingTime = 10 * time.Second
)

// settleCrossing closes one of two IKE SAs that both sides have initiated at the same time: the one with the larger
// SPI of the initiator, by whoever initiated it. Both sides come to the same verdict.
func (d *Daemon) settleCrossing(now time.Time, a, b *entry) {
	loser := a
	if initiatorSPI(b.m) > initiatorSPI(a.m) {
		loser = b
	}
	if !loser.m.Initiator() {
		return // the peer closes it
	}
	d.logger(loser).Info("closed: both sides have initiated at the same time, and the other IKE SA stays")
	loser.m.Delete(now, "redundant: both sides have initiated")
	d.drain(now, loser)
}

func initiatorSPI(m *sa.Machine) wire.SPI {
	if m.Initiator() {
		return m.LocalSPI()
	}
	return m.PeerSPI()
}

// closed handles the end of an IKE SA.
func (d *Daemon) closed(now time.Time, e *entry, o sa.Closed) {
	d.table.settle(e)
	if o.Failure != nil {
		d.report(now, e, o.Failure)
	}
	if e.up {
		e.up = false
		if o.Reason != "replaced" {
			d.logger(e).Info("IKE SA closed", "reason", o.Reason)
			d.o.Observer.IKEUpdown(false, e.m.Snapshot())
		}
	}
	if e.conn == nil {
		return
	}
	for _, h := range e.conn.children {
		if h.busy && h.machine == e.m {
			f := o.Failure
			if f == nil {
				w := whereOf(e.conn)
				w.Child, w.Time = h.cfg.Name, now
				f = diag.Cancelled(w, o.Reason)
			}
			d.attemptFailed(now, h, f)
		}
	}
}

// replaced registers the successor of a rekeyed IKE SA.
func (d *Daemon) replaced(now time.Time, e *entry, s *sa.Machine) {
	x := d.table.bySPI[s.LocalSPI()]
	if x == nil {
		x = d.table.add(s, e.conn)
	}
	x.conn, x.up = e.conn, true
	e.up = false // the IKE SA as the operator knows it lives on
	for _, c := range s.Children() {
		d.owner[c.ID] = x
	}
	if e.conn != nil {
		for _, h := range e.conn.children {
			if h.machine == e.m {
				h.machine = s
			}
		}
	}
	d.stats.ikeRekeys.Add(1)
	d.logger(x).Info("rekeyed IKE SA", "replaces", e.m.ID(), "proposal", s.Snapshot().Chosen.String())
	d.o.Observer.IKERekeyed(e.m.Snapshot(), s.Snapshot())
	d.drain(now, x)
}

// childUp handles a CHILD SA that carries traffic which had none.
func (d *Daemon) childUp(now time.Time, e *entry, c *sa.Child) {
	s := e.m.Snapshot()
	d.logger(e).Info("child "+c.Config.Name+" is up", "spi_in", hex32(c.Inbound.SPI), "spi_out", hex32(c.Outbound.SPI),
		"selectors", c.TS.String(), "proposal", c.Chosen.String(), "udp", c.Path.UDP)
	d.o.Observer.ChildUpdown(true, s, sa.SnapshotChild(c))
	h := e.child(c.Config)
	if h == nil {
		return
	}
	h.busy, h.asked, h.trigger, h.machine = false, false, nil, e.m
	h.backoff.reset()
	h.setPhase(phaseUp, now)
	h.conn.tell(1, "CHILD_SA "+c.Config.Name+" established with SPIs "+hex32(c.Inbound.SPI)+"_i "+hex32(c.Outbound.SPI)+"_o and TS "+c.TS.String())
	d.failures.Clear(h.conn.conf.Name, "")
	h.finish(nil)
}

// exchangeDone gives an exchange its line. Liveness checks are not worth one.
func (d *Daemon) exchangeDone(e *entry, x sa.ExchangeDone) {
	d.stats.exchange(x)
	level := slog.LevelInfo
	if x.Exchange == wire.ExchangeInformational && x.RequestLen+x.ResponseLen < livenessLen {
		level = slog.LevelDebug
	}
	who := "answered"
	if x.Initiated {
		who = "made"
	}
	attrs := []any{"exchange", x.Exchange.String(), "message_id", x.MessageID, "peer", x.Path.Remote, "local", x.Path.Local,
		"request", x.Request, "response", x.Response, "octets", x.RequestLen + x.ResponseLen}
	if x.Initiated {
		attrs = append(attrs, "took", x.Took.Round(time.Microsecond), "retransmits", x.Retransmits)
	}
	d.logger(e).Log(context.Background(), level, who+" "+x.Exchange.String()+" "+strconv.Itoa(int(x.MessageID)), attrs...)
	if e.conn != nil {
		if x.Initiated {
			e.conn.tell(1, "sent "+x.Request)
			e.conn.tell(1, "received "+x.Response)
		}
	}
	d.o.Observer.Exchange(e.m.Snapshot(), x)
}

// keepalive is the NAT keepalive of RFC 3948 section 2.3.
const keepalive = 0xff

// livenessLen is more than an empty INFORMATIONAL request and its answer take with any cipher.
const livenessLen = 200
