package ike

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
func (d *Daemon) taken(m *sa.Machine, cfg *sa.ChildConfig, ts selector.Pair) (sa.Holder, bool) {
	c := d.connection(m.Config())
	if c == nil || c.conf.Remote.ID.Concrete() {
		return sa.Holder{}, false
	}
	h := c.childOf(cfg)
	if h == nil {
		return sa.Holder{}, false
	}
	i := h.holder(d, keyOf(m), ts)
	if i == nil {
		return sa.Holder{}, false
	}
	if e := d.table.bySPI[m.LocalSPI()]; e != nil {
		if h.refused == nil {
			h.refused = map[*entry]selector.Pair{}
		}
		h.refused[e] = ts
	}
	o := i.owner.m
	return sa.Holder{ID: o.RemoteID(), Remote: o.Path().Remote, IKE: o.ID(), TS: i.child.TS}, true
}

// holder finds a CHILD SA of another peer than that of k whose selectors overlap with ts; nil for none. Where there are
// several, it is the oldest.
func (c *child) holder(d *Daemon, k peerKey, ts selector.Pair) *installed {
	var first *installed
	for id, x := range c.live {
		i := d.installed[id]
		if i == nil || i.owner.peer == k || !inUse(x) || first != nil && first.child.ID < id || !x.TS.Overlaps(ts) {
			continue
		}
		first = i
	}
	return first
}

// offerFreed offers a child to the peers that were refused it and whose selectors nobody has any more, to the one that has
// waited longest first.
func (d *Daemon) offerFreed(now time.Time, h *child) {
	if !h.freed {
		return
	}
	h.freed = false
	waiting := slices.SortedFunc(maps.Keys(h.refused), func(a, b *entry) int { return cmp.Compare(a.m.ID(), b.m.ID()) })
	var offered []selector.Pair
	for _, e := range waiting {
		ts := h.refused[e]
		if !e.alive() || carries(e, h) {
			delete(h.refused, e)
			continue
		}
		if h.holder(d, e.peer, ts) != nil || slices.ContainsFunc(offered, ts.Overlaps) {
			continue
		}
		offered = append(offered, ts)
		delete(h.refused, e)
		d.logger(e).Info("the peer that had the networks of this one has gone: child "+h.cfg.Name+" is offered to it", "selectors", ts.String())
		e.m.InitiateChild(now, h.cfg, nil)
		d.drain(now, e)
	}
}

// forgetRefused forgets what the peer of an IKE SA was refused.
func (e *entry) forgetRefused() {
	if e.conn != nil {
		for _, h := range e.conn.children {
			delete(h.refused, e)
		}
	}
}
