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
func (d *Manager) configured(t Target) ([]*child, error) {
	if d.bareOf(t) != nil {
		return nil, nil
	}
	var found []*child
	var names []string
	for _, c := range d.conns {
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
		return nil, diag.UnknownName(diag.Where{ConfigLine: d.conf.File}, "connection or child", t.String(), names)
	}
	if t.Child != "" && t.Connection == "" && len(found) > 1 {
		var which []string
		for _, h := range found {
			which = append(which, h.conn.conf.Name+"/"+h.cfg.Name)
		}
		return nil, diag.Ambiguous(diag.Where{ConfigLine: d.conf.File}, t.Child, which)
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
// makes a waiter; nil for none.
func (d *Manager) Initiate(t Target, wait func() *Waiter) error {
	d.begin()
	list, err := d.configured(t)
	if err != nil {
		return err
	}
	if c := d.bareOf(t); c != nil {
		d.initiateBare(c, wait)
	}
	for _, h := range list {
		shut := d.release(h)
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
		d.touch(h)
	}
	return nil
}

// Forget takes waiters away whose command has ended; no log line is written for them afterwards.
func (d *Manager) Forget(ws []*Waiter) {
	for _, c := range d.conns {
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

func (d *Manager) checkWaits() {
	d.waits = slices.DeleteFunc(d.waits, func(w *wait) bool {
		if !w.holds() {
			return false
		}
		w.done()
		return true
	})
}

// terminate deletes the SAs of a target. It returns how many there are and a function that tells how many are gone.
func (d *Manager) terminate(now time.Time, t Target, force bool) (int, func() int) {
	var ikes []*entry
	type part struct {
		e  *entry
		id uint64
	}
	var children []part
	for _, e := range d.table.all() {
		if !d.selects(t, e) {
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
	if c := d.dir.byName[t.Connection]; c != nil && t.IKEID == 0 {
		for _, i := range d.guests(c) {
			if (t.Child == "" || i.child.Config.Name == t.Child) && (t.ChildID == 0 || i.child.ID == t.ChildID) {
				children = append(children, part{i.owner, i.child.ID})
			}
		}
	}
	for _, e := range ikes {
		e.commanded = true
		if force {
			d.abandon(now, e, byCommand)
		} else {
			d.delete(now, e, byCommand)
		}
	}
	for _, p := range children {
		p.e.m.DeleteChild(now, p.id, byCommand)
		d.drain(now, p.e)
	}
	return len(ikes) + len(children), func() int {
		n := 0
		for _, e := range ikes {
			if e.closed {
				n++
			}
		}
		for _, p := range children {
			if i := d.installed[p.id]; i == nil || i.child.State == sa.ChildDeleted {
				n++
			}
		}
		return n
	}
}

// selects reports whether an IKE SA that is not closed belongs to a target. One that a rekeying has replaced does not: it
// is on its way out, and what a command means is its successor.
func (d *Manager) selects(t Target, e *entry) bool {
	return e.m.State() != sa.StateClosed && !e.m.Replaced() &&
		(t.Connection == "" || e.conn != nil && e.conn.conf.Name == t.Connection) && (t.IKEID == 0 || e.m.ID() == t.IKEID)
}

// Rekey starts to rekey the SAs of a target and returns how many there are: children when the target names one, IKE SAs
// otherwise.
func (d *Manager) Rekey(now time.Time, t Target) (int, error) {
	return d.renew(now, t, func(e *entry) int {
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
func (d *Manager) renew(now time.Time, t Target, f func(e *entry) int) (int, error) {
	d.begin()
	if t.Connection != "" || t.Child != "" {
		if _, err := d.configured(t); err != nil {
			return 0, err
		}
	}
	n := 0
	for _, e := range d.table.all() {
		if !d.selects(t, e) || e.m.State() == sa.StateConnecting {
			continue
		}
		n += f(e)
		d.drain(now, e)
	}
	if n == 0 {
		return 0, diag.NothingUp(diag.Where{ConfigLine: d.conf.File}, t.String(), "only what is up can be rekeyed")
	}
	return n, nil
}
