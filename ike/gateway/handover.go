package gateway

import (
	"slices"
	"time"

	"esplanade/ike/sa"
)

// handover is an IKE SA that takes the place of another one between the same two gateways: this side reauthenticates
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
	// asked are the children that this side has asked for with the new one, and begun when it has.
	asked map[*child]bool
	begun time.Time
	// again: this side has given the new one up, to begin another one at once.
	again bool
}

// follow makes h the handover of an IKE SA. The one whose place is taken knows those that follow it.
func (e *entry) follow(h handover) {
	if e.handover.from != nil {
		delete(e.handover.from.followers, e)
	}
	e.handover = h
	if h.from != nil {
		if h.from.followers == nil {
			h.from.followers = entrySet{}
		}
		h.from.followers[e] = struct{}{}
	}
}

// goesOn gives a handover more time, since it makes progress.
func (h *handover) goesOn(now time.Time) {
	if until := now.Add(handoverTime); h.from != nil && !h.covered && h.until.Before(until) && !h.until.IsZero() {
		h.until = until
	}
}

// handoverOf is one for which this side has made the new IKE SA with some children.
func handoverOf(now time.Time, from *entry, children []*child) handover {
	h := handover{from: from, asked: map[*child]bool{}, begun: now}
	for _, c := range children {
		h.asked[c] = true
	}
	return h
}

// askMissing asks for what the old IKE SA carries by now and the new one was not made with: its CHILD SA has come up in between.
func (g *Manager) askMissing(now time.Time, e *entry) {
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
func (g *Manager) alsoAsked(now time.Time, from *entry) {
	for _, x := range from.followers.sorted() {
		if x.handover.from == from {
			g.advanceHandover(now, x)
			g.drain(now, x)
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
)

// takeOver lets a new IKE SA take the place of an old one as soon as it can.
func (g *Manager) takeOver(now time.Time, e, from *entry) {
	e.follow(handover{from: from, until: now.Add(handoverTime)})
	g.advanceHandover(now, e)
}

// advanceHandover deletes the IKE SA whose place is taken, once nothing is lost by that or once there was time enough.
func (g *Manager) advanceHandover(now time.Time, e *entry) {
	h := &e.handover
	switch from := h.from; {
	case from == nil:
	case !from.alive():
		e.follow(handover{})
	case !e.alive():
		h.until = time.Time{}
	case !h.covered && !from.creates() && g.covers(e, from):
		// The peer may not have our answer yet, without which it can't receive on the newest child.
		h.covered, h.until = true, now.Add(quietTime)
		if !e.caller {
			h.until = now.Add(answerTime) // it asks again when our answer was lost
		}
	case !h.covered && h.until.After(now):
		g.askMissing(now, e)
	case !h.until.IsZero() && !now.Before(h.until) && !h.covered && now.Sub(e.first) < reauthTime && g.heardOf(from, now.Add(-handoverTime)):
		h.until = now.Add(handoverTime) // the peer has not lost the old one, so that there is no hurry
	case !h.until.IsZero() && !now.Before(h.until):
		e.follow(handover{})
		g.logger(from).Info("replaced by a newer IKE SA of the same peer", "replaced_by", e.m.ID())
		next := from.handover
		from.follow(handover{})
		g.retire(now, from, "replaced by a newer IKE SA")
		if next.from != nil && next.from.alive() { // it has not got that far itself
			g.takeOver(now, e, next.from)
		}
	}
}

// creates reports whether a child is being brought up on an IKE SA.
func (e *entry) creates() bool {
	return e.conn != nil && slices.ContainsFunc(e.conn.children, func(h *child) bool { return h.busy && h.machine == e.m })
}

// heardOf reports whether the peer has sent something through the CHILD SAs of an IKE SA since then.
func (g *Manager) heardOf(e *entry, since time.Time) bool {
	return slices.ContainsFunc(e.m.Children(), func(c *sa.Child) bool {
		n, ok := g.o.DataPlane.Counters(c.ID)
		return ok && n.LastIn.After(since)
	})
}

// inheritHandover: an IKE SA whose place is being taken has been rekeyed to x; it is x's place now.
func (g *Manager) inheritHandover(e, x *entry) {
	for o := range e.followers {
		h := o.handover
		h.from = x
		o.follow(h)
	}
}

// handoverClosed is called when an IKE SA has ended: where it was to take another one's place, that one stays.
func (g *Manager) handoverClosed(now time.Time, e *entry) {
	h := e.handover
	e.follow(handover{})
	switch from := h.from; {
	case from == nil || !e.caller || h.redirected:
	case h.again && from.alive():
		from.m.ScheduleReauth(now)
		g.drain(now, from)
	default:
		g.reauthFailed(now, from)
	}
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
