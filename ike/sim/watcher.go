package sim

import (
	"esplanade/ike/diag"
	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// watcher is told what a manager reports, and counts it.
type watcher struct{ h *Host }

// Observe implements gateway.Observer.
func (x watcher) Observe(e gateway.Event) {
	h := x.h
	c := &h.w.check
	believes := h.believes
	h.believes = false
	switch e := e.(type) {
	case gateway.IKEUpdown:
		if e.Up {
			if h.shut[e.SA.Connection] {
				h.w.fail("%s: an IKE SA of %s is established, which an operator keeps down", h.name, e.SA.Connection)
			}
			h.w.after(0, h.wantHeld)
			h.wantTrusted(e.SA)
			h.wantUser(e.SA)
			h.wantAddresses(e.SA)
			c.stats.Established++
			if e.SA.Initiator && e.SA.Resumed {
				c.stats.Resumed++
			}
			c.reauthenticated = c.reauthenticated || h.connected(e.SA.Connection)
			h.up[e.SA.ID] = e.SA.Connection
			if !e.SA.Initiator {
				h.spared[e.SA.ID] = true
			}
			return
		}
		h.ikeDown(e.SA, believes)
	case gateway.IKERekeyed:
		c.stats.IKERekeys++
		delete(h.up, e.Old.ID)
		h.up[e.New.ID] = e.New.Connection
		if h.spared[e.Old.ID] {
			h.spared[e.New.ID] = true // whoever has rekeyed it
		}
	case gateway.ChildUpdown:
		name := e.SA.Connection + "/" + e.Child.Name
		if e.Up {
			h.w.after(0, h.wantShut)
			if !e.Child.Initiator {
				delete(h.held, name)
			}
			h.w.after(0, h.wantHeld)
			c.stats.ChildUp++
			h.carry(name, e.Child.ID)
			return
		}
		delete(h.kids[name], e.Child.ID)
		c.destroyed(h, "child "+name+" is down") // what is on the way to it finds nothing
		if len(h.kids[name]) == 0 {
			c.ended(h, "child "+name+" is down", func() bool { return len(h.kids[name]) > 0 })
		}
	case gateway.ChildRekeyed:
		c.stats.ChildRekeys++
		name := e.SA.Connection + "/" + e.Old.Name
		delete(h.kids[name], e.Old.ID)
		h.carry(name, e.New.ID)
	case gateway.Exchange:
		c.stats.Exchanges++
	case gateway.Failed:
		h.w.logf("%s: failed: %v", h.name, e.Failure)
		h.believes = e.Failure.Code == diag.CodeSPI
	}
}

func (h *Host) carry(name string, child uint64) {
	if h.kids[name] == nil {
		h.kids[name] = map[uint64]bool{}
	}
	h.kids[name][child] = true
}

// ikeDown looks at the end of an IKE SA that was up. A crash that is believed must have been one.
func (h *Host) ikeDown(s sa.Snapshot, believes bool) {
	delete(h.up, s.ID)
	if h.connected(s.Connection) {
		h.w.check.down = "an IKE SA has ended"
	} else {
		h.w.check.ended(h, "the last IKE SA of "+s.Connection+" is down", func() bool { return h.connected(s.Connection) })
	}
	if !believes {
		return
	}
	h.w.check.stats.Crashes++
	for _, x := range h.w.hosts {
		if x != h && x.hasSA(s) {
			h.w.fail("%s believes that IKE SA %d is lost, and %s has it", h.name, s.ID, x.name)
		}
	}
}

// Add implements gateway.Meter.
func (x watcher) Add(c gateway.Count) {
	s := &x.h.w.check.stats
	switch c {
	case gateway.CountRetransmits:
		s.Retransmits++
	case gateway.CountMoves:
		s.Moves++
	default: // the simulator asserts nothing about the others
	}
}

// Ignored implements gateway.Meter.
func (x watcher) Ignored(sa.IgnoreReason) { x.h.ignored = true }

// Failure implements gateway.Meter.
func (x watcher) Failure(gateway.FailureKey) {}

// Exchange implements gateway.Meter.
func (x watcher) Exchange(gateway.ExchangeKey) {}

// resumes reports whether a message asks to resume an IKE SA.
func resumes(h wire.Header) bool {
	return h.Exchange == wire.ExchangeIKESessionResume && !h.Flags.Response()
}
