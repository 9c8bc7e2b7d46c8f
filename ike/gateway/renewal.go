package gateway

import (
	"slices"
	"time"

	"esplanade/ike/sa"
)

// Renewal is what a command has begun to rekey, or to authenticate again, for whoever waits for it.
type Renewal struct {
	parts []renewed
	// d and since tell the failures that have come of it from those of earlier.
	d     *Manager
	since time.Time
}

// renewed is an SA of a Renewal: an IKE SA, or a CHILD SA of it where child is not 0.
type renewed struct {
	of     *entry
	conn   *connection // of that; nil for none
	child  uint64
	reauth bool
}

// Renew rekeys the SAs of a target, or authenticates its IKE SAs again, as [Manager.Rekey] and [Manager.Reauthenticate] do. done is
// called when nothing more comes of it, whether it has worked or not; it is not called after an error.
func (g *Manager) Renew(now time.Time, t Target, reauth bool, done func()) (*Renewal, int, error) {
	r := &Renewal{d: g, since: now}
	before := g.renewing(t, reauth)
	begin := g.Rekey
	if reauth {
		begin = g.Reauthenticate
	}
	n, err := begin(now, t)
	if err != nil {
		return nil, n, err
	}
	r.parts = before
	g.waits = append(g.waits, &wait{holds: r.over, done: done})
	return r, n, nil
}

// renewing are the SAs that a command is about to renew.
func (g *Manager) renewing(t Target, reauth bool) (list []renewed) {
	for _, e := range g.table.all() {
		if !g.selects(t, e) || e.m.State() == sa.StateConnecting {
			continue
		}
		if reauth || t.Child == "" && t.ChildID == 0 {
			if !reauth || e.conn == nil || e.conn.conf.CanInitiate() {
				list = append(list, renewed{of: e, conn: e.conn, reauth: reauth})
			}
			continue
		}
		for _, c := range e.m.Children() {
			if (t.Child == "" || c.Config.Name == t.Child) && (t.ChildID == 0 || c.ID == t.ChildID) && c.State == sa.ChildInstalled {
				list = append(list, renewed{of: e, conn: e.conn, child: c.ID})
			}
		}
	}
	return list
}

// over reports whether nothing more comes of any of them.
func (r *Renewal) over() bool {
	return !slices.ContainsFunc(r.parts, func(p renewed) bool { return r.d.renews(p) })
}

// renews reports whether something may still come of one.
func (g *Manager) renews(p renewed) bool {
	e := p.of
	switch {
	case p.child != 0:
		e = e.latest()
		i := g.installed[p.child]
		return i != nil && !e.closed && (i.child.State == sa.ChildRekeying || i.child.State == sa.ChildInstalled && asks(e, sa.TaskRekeyChild))
	case p.reauth && e.closed:
		return p.conn != nil && slices.ContainsFunc(p.conn.children, func(h *child) bool { return h.busy })
	case p.reauth:
		return g.reauthenticating(e)
	}
	return e.heir == nil && !e.closed && asks(e, sa.TaskRekeyIKE)
}

// asks reports whether a request of a kind is outstanding, or waits for its turn.
func asks(e *entry, k sa.TaskKind) bool {
	return slices.ContainsFunc(e.m.Summary().Tasks, func(t sa.Task) bool { return t.Kind == k })
}

// Outcome is how many have been renewed by now. If that is not all, and a failure has been reported meanwhile that says why, it is that.
func (r *Renewal) Outcome() (n int, failure error) {
	for _, p := range r.parts {
		if r.d.isRenewed(p) {
			n++
			continue
		}
		if p.conn != nil {
			if last := r.d.failures.Lasts(p.conn.conf.Name).Of(""); last != nil && !last.Last.Before(r.since) {
				failure = last.Failure
			}
		}
	}
	return n, failure
}

func (g *Manager) isRenewed(p renewed) bool {
	e := p.of
	switch {
	case p.child != 0:
		i := g.installed[p.child]
		return i == nil && !e.latest().closed || i != nil && (i.child.State == sa.ChildRekeyed || i.child.State == sa.ChildDeleting || i.child.State == sa.ChildDeleted)
	case p.reauth:
		return (e.closed || e.leaving) && p.conn != nil && slices.ContainsFunc(p.conn.entries.sorted(), func(x *entry) bool { return x.alive() })
	}
	return e.heir != nil
}
