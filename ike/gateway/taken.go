package gateway

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// Two peers of one connection, which differ in their identities, may ask for the same networks. A packet for those can go to
// one of them only, so that one gets them: the first, for as long as it has a CHILD SA for them. The other is refused, which
// is reported with both peers' names, and is offered the child when the first has gone. A peer of the same identity is not
// another one: it is for unique to say what becomes of its IKE SAs.

// taken finds the peer that has what the peer of m asks for, and remembers that this one was refused.
func (g *Manager) taken(m *sa.Machine, cfg *sa.ChildConfig, ts selector.Pair) (sa.Holder, bool) {
	c := g.connection(m.Config())
	if c == nil || c.conf.Remote.ID.Concrete() {
		return sa.Holder{}, false
	}
	h := c.childOf(cfg)
	if h == nil {
		h = g.childElsewhere(cfg) // of a connection with the same peers
	}
	if h == nil {
		return sa.Holder{}, false
	}
	i := h.holder(g, keyOf(m), ts)
	if i == nil {
		return sa.Holder{}, false
	}
	if e := g.table.bySPI[m.LocalSPI()]; e != nil {
		if h.refused == nil {
			h.refused = map[*entry]selector.Pair{}
		}
		h.refused[e] = ts
		if e.wants == nil {
			e.wants = map[*child]struct{}{}
		}
		e.wants[h] = struct{}{}
	}
	o := i.owner.m
	return sa.Holder{ID: o.RemoteID(), Remote: o.Path().Remote, IKE: o.ID(), TS: i.child.TS}, true
}

// holder finds a CHILD SA of another peer than that of k whose selectors overlap with ts; nil for none.
func (c *child) holder(d *Manager, k peerKey, ts selector.Pair) *installed {
	return c.networks.find(ts.Remote, func(i *installed) bool {
		if i.peer == k || !inUse(i.child) {
			return false
		}
		// Those that there is no time to compare are taken for overlapping: they have addresses in common.
		return !d.mayCompare(i.child.TS, ts) || i.child.TS.Overlaps(ts)
	})
}

const (
	// maxOffers is how many of the peers that wait are looked at in one turn of the event loop: each costs a search among the
	// CHILD SAs, one to two milliseconds where thousands are hostile. The next are looked at after offerPause.
	maxOffers  = 4
	offerPause = 100 * time.Millisecond
)

// offerFreed offers a child to the peers that were refused it and whose selectors nobody has any more, to the one that has
// waited longest first. It returns when it wants to be called again, zero for not before another CHILD SA has gone.
func (g *Manager) offerFreed(now time.Time, h *child) time.Time {
	if !h.freed || h.held {
		return time.Time{}
	}
	if now.Before(h.offerAt) {
		return h.offerAt
	}
	g.compared = 0
	waiting := slices.SortedFunc(maps.Keys(h.refused), func(a, b *entry) int { return cmp.Compare(a.m.ID(), b.m.ID()) })
	looked := 0
	for _, e := range waiting {
		if e.m.ID() <= h.offered {
			continue
		}
		if looked == maxOffers {
			h.offerAt = now.Add(offerPause)
			return h.offerAt
		}
		looked++
		h.offered = e.m.ID()
		ts := h.refused[e]
		if !e.alive() || carries(e, h) {
			delete(h.refused, e)
			continue
		}
		if h.holder(g, e.peer, ts) != nil {
			continue
		}
		delete(h.refused, e)
		g.logger(e).Info("the peer that had the networks of this one has gone: child "+h.cfg.Name+" is offered to it", "selectors", ts.String())
		e.m.InitiateChild(now, h.cfg, nil)
		g.drain(now, e)
	}
	h.freed, h.offered = false, 0
	return time.Time{}
}

// forgetRefused forgets what the peer of an IKE SA was refused; passRefused hands it on to the successor.
func (e *entry) forgetRefused() {
	for h := range e.wants {
		delete(h.refused, e)
	}
	e.wants = nil
}

func (e *entry) passRefused(x *entry) {
	for h := range e.wants {
		if ts, ok := h.refused[e]; ok {
			delete(h.refused, e)
			h.refused[x] = ts
		}
	}
	e.wants, x.wants = nil, e.wants
}
