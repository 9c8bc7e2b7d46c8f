package gateway

import (
	"time"

	"esplanade/ike/sa"
)

// retirement is the end of an IKE SA whose place another one has taken: our packets go through that one at once, the DELETE follows
// when those on the way have arrived, and what the peer sends until it has the DELETE is still received.
type retirement struct {
	// at is when it is deleted, zero for never, and reason why.
	at     time.Time
	reason string
	// hollow: its CHILD SAs are closed before it is.
	hollow bool
	// late are CHILD SAs that are gone but for their inbound direction, which is kept until lateUntil.
	late      []*sa.Child
	lateUntil time.Time
}

// next is when something is due, zero for never.
func (r *retirement) next() time.Time { return earliest(r.at, r.lateUntil) }

// handOn gives the successor of a rekeyed IKE SA what is left to do.
func (r *retirement) handOn(x *entry) {
	if r.at.IsZero() {
		return
	}
	x.retired.at, x.retired.reason, x.retired.hollow, x.leaving = r.at, r.reason, r.hollow, true
	r.at = time.Time{}
	x.m.StopSending()
	if r.hollow {
		x.m.RefuseChildren()
	}
}

const (
	// quietTime is how long packets that were sent through the old IKE SA's children may be on their way before it is
	// deleted; lateTime how long the peer's may be after that.
	quietTime = time.Second
	lateTime  = 5 * time.Second
)

// retire ends an IKE SA for which there is another one that has all that it carries. Our packets go through that one from now on;
// the DELETE follows when those on the way have arrived.
func (g *Manager) retire(now time.Time, e *entry, reason string) {
	e.leaving = true
	if e.kin.restarts > 0 {
		e.retired.hollow = true
		e.m.RefuseChildren()
	}
	e.m.StopSending()
	e.retired.at, e.retired.reason = now.Add(quietTime), reason
	g.touchAll(e.conn)
	g.drain(now, e)
}

// advanceRetired does what is due for an IKE SA whose place has been taken.
func (g *Manager) advanceRetired(now time.Time, e *entry) {
	r := &e.retired
	if !r.at.IsZero() && !now.Before(r.at) {
		r.at = time.Time{}
		if r.hollow && g.hollow(now, e) {
			r.hollow, r.at = false, now.Add(hollowTime)
		} else {
			g.delete(now, e, r.reason)
		}
	}
	if !r.lateUntil.IsZero() && !now.Before(r.lateUntil) {
		r.lateUntil = time.Time{}
		for _, c := range r.late {
			g.uninstallNow(e, c)
		}
		r.late = nil
	}
}

// uninstallInbound takes the inbound direction of a CHILD SA out of the data plane: at once, or, where another IKE SA has a
// child for the same traffic, when the packets on the way have arrived. The peer that deletes the IKE SA goes on sending
// until its DELETE is answered.
func (g *Manager) uninstallInbound(now time.Time, e *entry, c *sa.Child) {
	if e.conn == nil || g.stopping || !g.servedElsewhere(e, c) {
		g.uninstallNow(e, c)
		return
	}
	e.retired.late = append(e.retired.late, c)
	e.retired.lateUntil = now.Add(lateTime)
}

func (g *Manager) servedElsewhere(e *entry, c *sa.Child) bool {
	for x := range g.table.peers[e.peer] {
		if e.beside(x) && g.serves(x, c) {
			return true
		}
	}
	return false
}
