package gateway

import (
	"net/netip"
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/sa"
)

// handover is an IKE SA that takes the place of another one between the same two gateways: this side authenticates anew
// (the new one is ours), or the peer does. The old one goes when the new one has all that it carries, so that no packet
// is lost in between.
type handover struct {
	// from is the IKE SA whose place is taken; nil where there is none.
	from *entry
	// until is when from goes, whatever the new one has by then; zero for never.
	until time.Time
	// covered: the new one has everything.
	covered bool
	// redirected: the new one is with another gateway, to which the peer of the old one has sent this side.
	redirected bool
	// asked are the children that this side has asked for with the new one.
	asked map[*child]bool
}

// goesOn gives a handover more time, since it makes progress.
func (h *handover) goesOn(now time.Time) {
	if until := now.Add(handoverTime); h.from != nil && !h.covered && h.until.Before(until) && !h.until.IsZero() {
		h.until = until
	}
}

// handoverOf is one for which this side has made the new IKE SA with some children.
func handoverOf(from *entry, children []*child) handover {
	h := handover{from: from, asked: map[*child]bool{}}
	for _, c := range children {
		h.asked[c] = true
	}
	return h
}

// askMissing asks for what the old IKE SA carries by now and the new one was not made with: its CHILD SA has come up in between.
func (d *Manager) askMissing(now time.Time, e *entry) {
	if !e.caller || e.conn == nil || e.handover.asked == nil {
		return // the peer knows what it wants
	}
	for _, h := range e.conn.children {
		if e.handover.from.willCarry(h) && !carries(e, h) && !e.handover.asked[h] {
			e.handover.asked[h] = true
			e.m.InitiateChild(now, h.cfg, nil)
		}
	}
}

// alsoAsked goes on with the handovers from an IKE SA that has another child now.
func (d *Manager) alsoAsked(now time.Time, from *entry) {
	if from.conn == nil {
		return
	}
	for _, x := range from.conn.entries.sorted() {
		if x.handover.from == from {
			d.advanceHandover(now, x)
			d.drain(now, x)
		}
	}
}

const (
	// handoverTime is how long a newer IKE SA may take to bring up what the old one carries, counted from its last CHILD SA. A
	// peer that has lost its old IKE SA without saying so is served by the new one after this at the latest.
	handoverTime = 5 * time.Second
	// reauthTime is how long the new IKE SA of a reauthentication may take for the same: what it lacks then could not be
	// brought up again, and waits for its next attempt.
	reauthTime = 30 * time.Second
	// answerTime is how long the peer that makes the new IKE SA may take to have our last answer, which may be lost.
	answerTime = 4 * time.Second
	// quietTime is how long packets that were sent through the old IKE SA's children may be on their way before it is
	// deleted; lateTime how long the peer's may be after that.
	quietTime = time.Second
	lateTime  = 5 * time.Second
	// reauthPause is how long after a failure the next attempt to authenticate anew is made.
	reauthPause = 15 * time.Second
)

// reauthenticate replaces an IKE SA by a new one from scratch: "creating a new IKE SA from scratch …, creating new Child
// SAs within the new IKE SA …, and finally deleting the old IKE SA". https://www.rfc-editor.org/rfc/rfc7296#section-2.8.3
func (d *Manager) reauthenticate(now time.Time, e *entry) {
	c := e.conn
	if c == nil || !e.alive() || d.stopping {
		return
	}
	if d.reauthenticating(e) || d.superseded(e) || d.yields(now, e) {
		return
	}
	if !c.conf.CanInitiate() {
		return // the peer was told the lifetime; when it does not heed it the IKE SA ends
	}
	d.resolve(now, c, func(now time.Time, remote netip.Addr, err error) {
		e := e.latest() // it may have been rekeyed while the name was looked up
		switch {
		case !e.alive() || e.conn != c || d.reauthenticating(e) || d.superseded(e):
		case err != nil:
			d.report(now, e, diag.Unresolved(whereOf(c), c.nameToTry(), err))
			d.reauthFailed(now, e)
		default:
			d.beginReauth(now, e, remote)
		}
	})
}

// reauthenticating tells whether an IKE SA that takes the place of e is on its way.
func (d *Manager) reauthenticating(e *entry) bool {
	if e.conn == nil {
		return false
	}
	for x := range e.conn.entries {
		if x.handover.from == e && !x.closed && !x.leaving {
			return true
		}
	}
	return false
}

// superseded tells whether there is a newer IKE SA with the same peer that has all that e carries, as when the peer has just
// authenticated anew: it will delete e. To authenticate e anew as well would make two of what one is wanted of.
func (d *Manager) superseded(e *entry) bool {
	for x := range d.table.peers[e.peer] {
		if e.beside(x) && x.first.After(e.first) && d.covers(x, e) {
			return true
		}
	}
	return false
}

// willCarry reports whether an IKE SA has a configured child, or is to have it of the one whose place it is taking.
func (e *entry) willCarry(h *child) bool {
	for x := e; x != nil; x = x.handover.from {
		if carries(x, h) {
			return true
		}
	}
	return false
}

func (d *Manager) beginReauth(now time.Time, e *entry, remote netip.Addr) {
	c := e.conn
	var wanted []*child
	for _, h := range c.children {
		if e.willCarry(h) {
			wanted = append(wanted, h)
		}
	}
	if len(wanted) == 0 {
		return // it carries nothing, and is closed for that
	}
	if !d.conf.IKE.MakeBeforeBreak {
		d.logger(e).Info("authenticating anew: first the old IKE SA goes (make_before_break = false)")
		for _, h := range wanted {
			h.asked = true
			h.backoff.reset()
		}
		d.delete(now, e, "reauthentication")
		return
	}
	path, err := d.pathTo(c, remote)
	if err != nil {
		w := whereOf(c)
		w.Remote, w.Time = netip.AddrPortFrom(remote, 0), now
		d.report(now, e, diag.Unreachable(w, err))
		d.reauthFailed(now, e)
		return
	}
	var cfgs []*sa.ChildConfig
	for _, h := range wanted {
		cfgs = append(cfgs, h.cfg)
	}
	m := sa.NewInitiator(d.env, now, c.cfg, path, cfgs)
	x := d.table.add(m, c)
	x.handover = handoverOf(e, wanted)
	d.excludePeer(x)
	d.logger(x).Info("authenticating anew", "replaces", e.m.ID(), "local", path.Local, "remote", path.Remote)
	c.tell(1, "reauthenticating IKE_SA "+c.conf.Name)
	d.drain(now, x)
}

// reauthFailed puts the next attempt off; the old IKE SA stays as it is until its time is over.
func (d *Manager) reauthFailed(now time.Time, e *entry) {
	if e.alive() {
		e.m.ScheduleReauth(now.Add(time.Duration(float64(reauthPause) * (1 - pauseJitter*d.env.Jitter()))))
		d.drain(now, e)
	}
}

// takeOver lets a new IKE SA take the place of an old one as soon as it can.
func (d *Manager) takeOver(now time.Time, e, from *entry) {
	e.handover = handover{from: from, until: now.Add(handoverTime)}
	d.advanceHandover(now, e)
}

// advanceHandover deletes the IKE SA whose place is taken, once nothing is lost by that or once there was time enough.
func (d *Manager) advanceHandover(now time.Time, e *entry) {
	h := &e.handover
	switch from := h.from; {
	case from == nil:
	case !from.alive():
		*h = handover{}
	case !e.alive():
		h.until = time.Time{}
	case !h.covered && !from.creates() && d.covers(e, from):
		// The peer may not have our answer yet, without which it can't receive on the newest child.
		h.covered, h.until = true, now.Add(quietTime)
		if !e.caller {
			h.until = now.Add(answerTime) // it asks again when our answer was lost
		}
	case !h.covered && h.until.After(now):
		d.askMissing(now, e)
	case !h.until.IsZero() && !now.Before(h.until) && !h.covered && now.Sub(e.first) < reauthTime && d.heardOf(from, now.Add(-handoverTime)):
		h.until = now.Add(handoverTime) // the peer has not lost the old one, so that there is no hurry
	case !h.until.IsZero() && !now.Before(h.until):
		*h = handover{}
		d.logger(from).Info("replaced by a newer IKE SA of the same peer", "replaced_by", e.m.ID())
		next := from.handover
		from.handover = handover{}
		d.retire(now, from, "replaced by a newer IKE SA")
		if next.from != nil && next.from.alive() { // it has not got that far itself
			d.takeOver(now, e, next.from)
		}
	}
}

// creates reports whether a child is being brought up on an IKE SA.
func (e *entry) creates() bool {
	return e.conn != nil && slices.ContainsFunc(e.conn.children, func(h *child) bool { return h.busy && h.machine == e.m })
}

// heardOf reports whether the peer has sent something through the CHILD SAs of an IKE SA since then.
func (d *Manager) heardOf(e *entry, since time.Time) bool {
	return slices.ContainsFunc(e.m.Children(), func(c *sa.Child) bool {
		n, ok := d.o.DataPlane.Counters(c.ID)
		return ok && n.LastIn.After(since)
	})
}

// retire ends an IKE SA for which there is another one that has all that it carries. Our packets go through that one from now on;
// the DELETE follows when those on the way have arrived.
func (d *Manager) retire(now time.Time, e *entry, reason string) {
	e.leaving = true
	if e.kin.restarts > 0 {
		e.hollow = true
		e.m.RefuseChildren()
	}
	e.m.StopSending()
	e.retireAt, e.retireFor = now.Add(quietTime), reason
	d.touchAll(e.conn)
	d.drain(now, e)
}

// advanceRetired does what is due for an IKE SA whose place has been taken.
func (d *Manager) advanceRetired(now time.Time, e *entry) {
	if !e.retireAt.IsZero() && !now.Before(e.retireAt) {
		e.retireAt = time.Time{}
		if e.hollow && d.hollow(now, e) {
			e.hollow, e.retireAt = false, now.Add(hollowTime)
		} else {
			d.delete(now, e, e.retireFor)
		}
	}
	if !e.lateUntil.IsZero() && !now.Before(e.lateUntil) {
		e.lateUntil = time.Time{}
		for _, c := range e.late {
			d.removedInbound(e, c)
		}
		e.late = nil
	}
}

// removeInbound takes the inbound direction of a CHILD SA out of the data plane: at once, or, where another IKE SA has a
// child for the same traffic, when the packets on the way have arrived. The peer that deletes the IKE SA goes on sending
// until its DELETE is answered.
func (d *Manager) removeInbound(now time.Time, e *entry, c *sa.Child) {
	if e.conn == nil || d.stopping || !d.servedElsewhere(e, c) {
		d.removedInbound(e, c)
		return
	}
	e.late = append(e.late, c)
	e.lateUntil = now.Add(lateTime)
}

func (d *Manager) servedElsewhere(e *entry, c *sa.Child) bool {
	for x := range d.table.peers[e.peer] {
		if e.beside(x) && d.serves(x, c) {
			return true
		}
	}
	return false
}

// inheritHandover: an IKE SA whose place is being taken has been rekeyed to x; it is x's place now.
func (d *Manager) inheritHandover(e, x *entry) {
	if e.conn == nil {
		return
	}
	for o := range e.conn.entries {
		if o.handover.from == e {
			o.handover.from = x
		}
	}
}

// handoverClosed is called when an IKE SA has ended: where it was to take another one's place, that one stays.
func (d *Manager) handoverClosed(now time.Time, e *entry) {
	h := e.handover
	e.handover = handover{}
	if from := h.from; from != nil && e.caller && !h.redirected {
		d.reauthFailed(now, from)
	}
}

// Reauthenticate starts to authenticate anew at the IKE SAs of a target and returns how many there are. Where none can be, since
// only the peer can call, that is the error.
func (d *Manager) Reauthenticate(now time.Time, t Target) (int, error) {
	var uncallable *diag.Failure
	n, err := d.renew(now, t, func(e *entry) int {
		if c := e.conn; c != nil && !c.conf.CanInitiate() {
			w := whereOf(c)
			w.ConfigLine = c.conf.At("remote_addrs").FileLine()
			uncallable = diag.Uncallable(w)
			return 0
		}
		d.reauthenticate(now, e)
		return 1
	})
	if n == 0 && uncallable != nil {
		return 0, uncallable
	}
	return n, err
}
