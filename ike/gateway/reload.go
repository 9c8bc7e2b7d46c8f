package gateway

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"esplanade/config"
	"esplanade/ike/diag"
	"esplanade/ike/sa"
)

// loaded is when the configuration was loaded, and how the latest attempt to load it again went.
type loaded struct {
	at     time.Time
	failed time.Time // of a later attempt that failed
	err    string
}

// Changes says what a reload has done. The texts are for the operator.
type Changes struct {
	// Added, Removed and Kept are names of connections.
	Added, Removed, Kept []string
	// Changed has a line for each connection that is another now: its name, what is different and what happens to its
	// SAs.
	Changed []string
	// Restart are keys that were changed but take effect when the daemon is started again.
	Restart []string
}

// String is the whole on one line.
func (c Changes) String() string {
	var parts []string
	add := func(what string, list []string) {
		if len(list) > 0 {
			parts = append(parts, what+" "+joined(list))
		}
	}
	add("added", c.Added)
	add("removed", c.Removed)
	add("changed", c.Changed)
	if len(c.Kept) > 0 {
		parts = append(parts, fmt.Sprintf("%d unchanged", len(c.Kept)))
	}
	add("these wait for a restart:", c.Restart)
	if len(parts) == 0 {
		return "nothing is configured"
	}
	return strings.Join(parts, "; ")
}

// Reload applies another configuration, which is valid. Connections that did not change keep their SAs. Of those that
// did, what can be changed in place is, and takes effect from the next rekeying or timer on; where addresses, identities
// or authentication differ the IKE SA is deleted and made again, and where selectors or proposals of a child differ the
// CHILD SA is.
func (d *Manager) Reload(now time.Time, c *config.Config) Changes {
	d.begin()
	return d.reload(now, c)
}

// ReloadFailed notes for the status that a configuration could not be loaded; the old one stays in force.
func (d *Manager) ReloadFailed(now time.Time, cause error) {
	d.loaded.failed, d.loaded.err = now, cause.Error()
	d.log.Error("the configuration was not loaded, and nothing was changed: the one before stays in force", "in_force", d.conf.File+" as of "+
		d.loaded.at.Format(time.DateTime), "connections", len(d.conns), "error", cause)
}

func (d *Manager) reload(now time.Time, fresh *config.Config) Changes {
	old := d.conf
	d.conf = fresh.UntilRestart(old)
	out := Changes{Restart: d.needRestart(d.conf, fresh)}
	d.loaded = loaded{at: now}
	d.loads++

	before := maps.Clone(d.dir.byName) // d.dir goes on to be what there is, until rebuild
	var conns, began []*connection
	var gone []func() // what ends, once what takes its place is there
	for _, c := range d.conf.Connections {
		x := before[c.Name]
		delete(before, c.Name)
		if x == nil {
			out.Added = append(out.Added, c.Name)
		} else if diff := reestablishing(x.conf, c); len(diff) > 0 {
			out.Changed = append(out.Changed, fmt.Sprintf("%s: %s; its SAs are deleted and made again", c.Name, joined(diff)))
			old := x
			gone = append(gone, func() { d.discard(now, old, "the connection has changed") })
			x = nil
		} else if did, ends := d.adapt(now, x, c, old); len(did) > 0 {
			out.Changed = append(out.Changed, c.Name+": "+strings.Join(did, ", "))
			gone = append(gone, ends...)
		} else {
			out.Kept = append(out.Kept, c.Name)
		}
		if x == nil {
			x = d.newConnection(now, c)
			if old := d.dir.byName[c.Name]; old != nil {
				x.inherit(old)
			}
			began = append(began, x)
		}
		conns = append(conns, x)
	}
	for name := range before {
		out.Removed = append(out.Removed, name)
	}
	slices.Sort(out.Removed)
	for _, name := range out.Removed {
		gone = append(gone, func() { d.discard(now, before[name], "the connection was removed from the configuration") })
	}
	d.conns = conns
	d.rebuild()
	d.arrange()
	d.names.next = time.Time{} // the names may be others
	// At no moment may a packet find neither its old policy and routes nor its new ones: it would leave in the clear.
	for _, x := range began {
		d.setUp(now, x)
	}
	for _, x := range conns {
		for _, h := range x.children {
			d.prepare(h)
		}
	}
	for _, end := range gone {
		end()
	}
	for _, x := range conns {
		d.touchAll(x)
	}
	for _, list := range []struct {
		msg   string
		lines []string
	}{
		{"reload: added", out.Added}, {"reload: removed", out.Removed}, {"reload: changed", out.Changed},
		{"reload: takes effect after a restart only", out.Restart},
	} {
		for _, l := range list.lines {
			d.log.Info(list.msg, "what", l)
		}
	}
	d.log.Info("configuration loaded", "file", d.conf.File, "connections", len(d.conns), "unchanged", len(out.Kept))
	return out
}

// reestablishing lists the keys of a connection whose change its SAs do not outlive. A key of its own may be another one, but one
// connection or many: that is by what its peers are told from each other.
func reestablishing(old, fresh *config.Connection) []string {
	diff := config.With(config.Changes(old, fresh), config.Reestablish)
	if old.HasOwnKey() != fresh.HasOwnKey() {
		diff = append(diff, "secret")
	}
	return diff
}

// discard takes a connection out of the configuration: its IKE SAs are deleted.
func (d *Manager) discard(now time.Time, c *connection, reason string) {
	c.gone = true
	d.deleteGuests(now, c, func(*sa.Child) bool { return true }, reason)
	for _, e := range c.entries.sorted() {
		d.delete(now, e, reason)
	}
	c.finishBare(diag.Cancelled(whereOf(c), reason))
	for _, h := range c.children {
		h.finish(diag.Cancelled(whereOf(c), reason))
	}
	d.takeDown(c)
}

// adapt makes a connection that can stay what it is configured as now. It says what that changes, and gives what is to be
// done at the end of the reload.
func (d *Manager) adapt(now time.Time, x *connection, c *config.Connection, old *config.Config) (did []string, ends []func()) {
	if diff := config.With(config.Changes(x.conf, c), config.Live); len(diff) > 0 {
		did = append(did, joined(diff)+" (its SAs stay; new values from the next rekeying or timer on)")
	}
	if was, now := secretOf(old, x.conf), secretOf(d.conf, c); was != now {
		did = append(did, "the pre-shared key (its SAs stay; the new key from the next authentication on)")
	}
	if ppkOf(old, x.conf) != ppkOf(d.conf, c) {
		did = append(did, "the post-quantum preshared key (its SAs stay; the new key from the next authentication on)")
	}
	x.conf = c
	// What the machines were begun with is the same: the keys that make it are no live ones.
	x.cfg.Policy = d.machineConfig(c).Policy
	what, ends := d.adaptChildren(now, x, c)
	return append(did, what...), ends
}

// adaptChildren does for the children of a connection what reload does for connections.
func (d *Manager) adaptChildren(now time.Time, x *connection, c *config.Connection) (did []string, ends []func()) {
	for _, h := range slices.Clone(x.children) {
		if c.Child(h.conf.Name) == nil {
			ends = append(ends, func() { d.discardChild(now, h, "the child was removed from the configuration") })
			did = append(did, "child "+h.conf.Name+" removed")
		}
	}
	for _, fresh := range c.Children {
		i := slices.IndexFunc(x.children, func(h *child) bool { return h.conf.Name == fresh.Name })
		if i < 0 {
			did = append(did, "child "+fresh.Name+" added")
			n := d.beginChild(now, x, fresh)
			n.held, n.shut = x.shut, x.shut
			continue
		}
		h := x.children[i]
		changes := config.Changes(h.conf, fresh)
		if diff := config.With(changes, config.Reestablish); len(diff) > 0 {
			did = append(did, fmt.Sprintf("child %s: %s (its SA is deleted and made again)", fresh.Name, joined(diff)))
			ends = append(ends, func() { d.discardChild(now, h, "the child has changed") })
			d.beginChild(now, x, fresh).inherit(h)
			continue
		}
		if diff := config.With(changes, config.Live); len(diff) > 0 {
			did = append(did, fmt.Sprintf("child %s: %s (its SA stays)", fresh.Name, joined(diff)))
		}
		d.adaptChild(h, fresh)
	}
	return did, ends
}

// beginChild adds a child to a connection that is there already.
func (d *Manager) beginChild(now time.Time, x *connection, fresh *config.Child) *child {
	h := x.addChild(fresh, now)
	d.number(h)
	d.touch(h)
	return h
}

// adaptChild makes a child whose SAs can stay what it is configured as now.
func (d *Manager) adaptChild(h *child, fresh *config.Child) {
	if h.conf.StartAction != fresh.StartAction {
		h.trap = trapConfigured
	}
	h.conf = fresh
	h.cfg.ChildPolicy = machineChild(fresh).ChildPolicy
	d.touch(h)
}

// discardChild takes a child out of the configuration: its CHILD SAs are deleted.
func (d *Manager) discardChild(now time.Time, h *child, reason string) {
	x := h.conn
	for _, e := range x.entries.sorted() {
		for _, c := range slices.Clone(e.m.Children()) {
			if c.Config == h.cfg && c.State != sa.ChildDeleted {
				e.m.DeleteChild(now, c.ID, reason)
			}
		}
		d.drain(now, e)
	}
	d.deleteGuests(now, x, func(c *sa.Child) bool { return c.Config == h.cfg }, reason)
	h.finish(diag.Cancelled(whereOf(x), reason))
	d.withdraw(h)
	x.children = slices.DeleteFunc(x.children, func(o *child) bool { return o == h })
	x.cfg.Children = slices.DeleteFunc(slices.Clone(x.cfg.Children), func(o *sa.ChildConfig) bool { return o == h.cfg })
}

// secretOf is the pre-shared key of a connection; empty for none. Of a connection for several peers it is all keys that
// they may have.
func secretOf(g *config.Config, c *config.Connection) string {
	var b strings.Builder
	for _, s := range g.PeerKeys(c) {
		fmt.Fprintf(&b, "%v %x\n", s.IDs, s.Key.Bytes())
	}
	return b.String()
}

// needRestart lists the keys that differ and that a running daemon cannot change; merged is what [config.Config.UntilRestart] makes
// of fresh. A table of which that holds as a whole is in brackets.
func (d *Manager) needRestart(merged, fresh *config.Config) []string {
	var out []string
	for _, key := range config.With(config.Changes(merged, fresh), config.Restart) {
		if !strings.Contains(key, ".") {
			key = "[" + key + "]"
		}
		out = append(out, key)
	}
	if len(d.o.Bound) == 0 {
		return out
	}
	for _, c := range fresh.Connections {
		for _, e := range c.LocalAddrs {
			// The sockets are bound to single addresses, so that what is not one of them is not heard.
			if !slices.ContainsFunc(d.o.Bound, func(a netip.Addr) bool { return e.First == a && e.Last == a }) {
				out = append(out, "connections."+c.Name+".local_addrs ("+e.String()+")")
			}
		}
	}
	return out
}
