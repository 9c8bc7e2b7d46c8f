package gateway

import (
	"fmt"
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/sa"
)

// Target selects SAs or configured children for a command. Empty fields select everything; at least one must be set.
type Target struct {
	// Connection and Child are names in the configuration.
	Connection, Child string
	// IKEID and ChildID are the numbers that list-sas shows.
	IKEID, ChildID uint64
	// Alone means the IKE SA of the connection without its children, for [Manager.Initiate].
	Alone bool
}

func (t Target) String() string {
	switch {
	case t.Connection != "" && t.Child != "":
		return t.Connection + "/" + t.Child
	case t.Child != "":
		return t.Child
	case t.Connection != "":
		return t.Connection
	}
	return fmt.Sprintf("#%d", max(t.IKEID, t.ChildID))
}

// configured finds the children that a target names: none of a connection without children.
func (g *Manager) configured(t Target) ([]*child, error) {
	if g.bareOf(t) != nil {
		return nil, nil
	}
	var found []*child
	var names []string
	for _, c := range g.conns {
		if len(c.children) == 0 {
			names = append(names, c.conf.Name)
		}
		for _, h := range c.children {
			names = append(names, c.conf.Name+"/"+h.cfg.Name)
			if (t.Connection == "" || t.Connection == c.conf.Name) && (t.Child == "" || t.Child == h.cfg.Name) {
				found = append(found, h)
			}
		}
	}
	if len(found) == 0 {
		return nil, diag.UnknownName(diag.Where{ConfigLine: g.conf.File}, "connection or child", t.String(), names)
	}
	if t.Child != "" && t.Connection == "" && len(found) > 1 {
		var which []string
		for _, h := range found {
			which = append(which, h.conn.conf.Name+"/"+h.cfg.Name)
		}
		return nil, diag.Ambiguous(diag.Where{ConfigLine: g.conf.File}, t.Child, which)
	}
	return found, nil
}

// Waiter is told how it goes with a child that a command brings up.
type Waiter struct {
	// Log gets a line for each step; nil for nobody.
	Log LogFunc
	// Done is called once: with nil when the child is up, with the failure when the attempt has failed.
	Done func(error)
}

// LogFunc takes a line for the operator who gave a command; see vici.LogFunc.
type LogFunc func(level int, group, msg string)

// Initiate brings children up, and ends what a Terminate of them has said. What is up already is left alone. For each of the others wait
// makes a waiter; nil for none. A target that is Alone is the IKE SA only (RFC 6023).
func (g *Manager) Initiate(t Target, wait func() *Waiter) error {
	g.begin()
	list, err := g.configured(t)
	if err != nil {
		return err
	}
	if c := g.bareOf(t); c != nil {
		g.initiateBare(c, wait)
	} else if t.Alone {
		g.initiateBare(list[0].conn, wait)
		return nil
	}
	for _, h := range list {
		shut := g.release(h)
		if h.up() {
			continue
		}
		if wait != nil {
			h.waiters = append(h.waiters, wait())
		}
		if shut && !h.conn.conf.CanInitiate() {
			h.finish(diag.OpenAgain(whereOf(h.conn).At(h.conn.conf.At("remote_addrs").FileLine())))
			continue
		}
		h.asked = true
		if !h.busy {
			h.backoff.reset()
		}
		g.touch(h)
	}
	return nil
}

// Forget takes waiters away whose command has ended; no log line is written for them afterwards.
func (g *Manager) Forget(ws []*Waiter) {
	for _, c := range g.conns {
		c.bare.waiters = slices.DeleteFunc(c.bare.waiters, func(w *Waiter) bool { return slices.Contains(ws, w) })
		for _, h := range c.children {
			h.waiters = slices.DeleteFunc(h.waiters, func(w *Waiter) bool { return slices.Contains(ws, w) })
		}
	}
}

// wait is a command that waits until a condition holds.
type wait struct {
	holds func() bool
	done  func()
}

func (g *Manager) checkWaits() {
	g.waits = slices.DeleteFunc(g.waits, func(w *wait) bool {
		if !w.holds() {
			return false
		}
		w.done()
		return true
	})
}

// terminate deletes the SAs of a target. It returns how many there are and a function that tells how many are gone.
func (g *Manager) terminate(now time.Time, t Target, how Ending) (int, func() int) {
	var ikes []*entry
	type part struct {
		e  *entry
		id uint64
	}
	var children []part
	for _, e := range g.table.all() {
		if !g.selects(t, e) {
			continue
		}
		if t.Child == "" && t.ChildID == 0 {
			ikes = append(ikes, e)
			continue
		}
		for _, c := range e.m.Children() {
			if (t.Child == "" || c.Config.Name == t.Child) && (t.ChildID == 0 || c.ID == t.ChildID) && c.State != sa.ChildDeleted {
				children = append(children, part{e, c.ID})
			}
		}
	}
	if c := g.dir.byName[t.Connection]; c != nil && t.IKEID == 0 {
		for _, i := range g.guests(c) {
			if (t.Child == "" || i.child.Config.Name == t.Child) && (t.ChildID == 0 || i.child.ID == t.ChildID) {
				children = append(children, part{i.owner, i.child.ID})
			}
		}
	}
	how.sayAll(len(ikes), func(i int) string {
		s := ikes[i].m.Summary()
		return fmt.Sprintf("deleting IKE_SA %s[%d] between %s[%s]...%s[%s]", s.Connection, s.ID, s.Path.Local.Addr(), s.LocalID, s.Path.Remote.Addr(), s.RemoteID)
	})
	how.sayAll(len(children), func(i int) string {
		p := children[i]
		for _, c := range p.e.m.Children() {
			if c.ID == p.id {
				return fmt.Sprintf("closing CHILD_SA %s{%d} with SPIs %s_i and %s_o and TS %s", c.Config.Name, c.ID, hex32(c.Inbound.SPI), hex32(c.Outbound.SPI), c.TS)
			}
		}
		return ""
	})
	for _, e := range ikes {
		e.commanded = true
		g.delete(now, e, byCommand)
		if how.Force && e.m.State() != sa.StateClosed {
			g.abandon(now, e, byCommand)
		}
	}
	for _, p := range children {
		p.e.m.DeleteChild(now, p.id, byCommand)
		g.drain(now, p.e)
	}
	return len(ikes) + len(children), func() int {
		n := 0
		for _, e := range ikes {
			if e.closed {
				n++
			}
		}
		for _, p := range children {
			if i := g.installed[p.id]; i == nil || i.child.State == sa.ChildDeleted {
				n++
			}
		}
		return n
	}
}

// selects reports whether an IKE SA that is not closed belongs to a target. One that a rekeying has replaced does not: it
// is on its way out, and what a command means is its successor.
func (g *Manager) selects(t Target, e *entry) bool {
	return e.m.State() != sa.StateClosed && !e.m.Replaced() &&
		(t.Connection == "" || e.conn != nil && e.conn.conf.Name == t.Connection) && (t.IKEID == 0 || e.m.ID() == t.IKEID)
}

// Rekey starts to rekey the SAs of a target and returns how many there are: children when the target names one, IKE SAs
// otherwise.
func (g *Manager) Rekey(now time.Time, t Target) (int, error) {
	return g.renew(now, t, func(e *entry) int {
		if t.Child == "" && t.ChildID == 0 {
			e.m.RekeyIKE(now)
			return 1
		}
		n := 0
		for _, c := range slices.Clone(e.m.Children()) {
			if (t.Child == "" || c.Config.Name == t.Child) && (t.ChildID == 0 || c.ID == t.ChildID) && c.State == sa.ChildInstalled {
				e.m.RekeyChild(now, c.ID)
				n++
			}
		}
		return n
	})
}

// renew calls f for each IKE SA of a target that is up. f returns how many SAs it has found there.
func (g *Manager) renew(now time.Time, t Target, f func(e *entry) int) (int, error) {
	g.begin()
	if t.Connection != "" || t.Child != "" {
		if _, err := g.configured(t); err != nil {
			return 0, err
		}
	}
	n := 0
	for _, e := range g.table.all() {
		if !g.selects(t, e) || e.m.State() == sa.StateConnecting {
			continue
		}
		n += f(e)
		g.drain(now, e)
	}
	if n == 0 {
		return 0, diag.NothingUp(diag.Where{ConfigLine: g.conf.File}, t.String(), "only what is up can be rekeyed")
	}
	return n, nil
}
