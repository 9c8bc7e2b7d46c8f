package gateway

import (
	"cmp"
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
func (g *Manager) Reload(now time.Time, c *config.Config) Changes {
	g.begin()
	return g.reload(now, c)
}

// ReloadFailed notes for the status that a configuration could not be loaded; the old one stays in force.
func (g *Manager) ReloadFailed(now time.Time, cause error) {
	g.loaded.failed, g.loaded.err = now, cause.Error()
	g.log.Error("the configuration was not loaded, and nothing was changed: the one before stays in force", "in_force", g.conf.File+" as of "+
		g.loaded.at.Format(time.DateTime), "connections", len(g.conns), "error", cause)
}

// TakeUp takes up a configuration that is another one only in what certificates, keys and users are in its files. IKE SAs stay as they are: what is
// proved next is proved with these.
func (g *Manager) TakeUp(now time.Time, c *config.Config) {
	g.begin()
	g.conf = c.UntilRestart(g.conf)
	g.takeUpProofs(now, c, g.expelMissing)
}

func (g *Manager) reload(now time.Time, fresh *config.Config) Changes {
	old := g.conf
	g.conf = fresh.UntilRestart(old)
	g.credentials = cmp.Or(fresh.Set, g.credentials)
	g.users = cmp.Or(fresh.EAP, g.users)
	g.tellIssued()
	g.tellServers()
	g.reloadAccounts(now)
	out := Changes{Restart: g.needRestart(g.conf, fresh)}
	g.loaded = loaded{at: now}
	g.loads++

	before := maps.Clone(g.dir.byName) // d.dir goes on to be what there is, until rebuild
	var conns, began []*connection
	var gone []func() // what ends, once what takes its place is there
	for _, c := range g.conf.Connections {
		x := before[c.Name]
		delete(before, c.Name)
		if x == nil {
			out.Added = append(out.Added, c.Name)
		} else if diff := reestablishing(x.conf, c); len(diff) > 0 {
			out.Changed = append(out.Changed, fmt.Sprintf("%s: %s; its SAs are deleted and made again", c.Name, joined(diff)))
			old := x
			gone = append(gone, func() { g.discard(now, old, "the connection has changed") })
			x = nil
		} else if did, ends := g.adapt(now, x, c, old); len(did) > 0 {
			out.Changed = append(out.Changed, c.Name+": "+strings.Join(did, ", "))
			gone = append(gone, ends...)
		} else {
			out.Kept = append(out.Kept, c.Name)
		}
		if x == nil {
			x = g.newConnection(now, c)
			if old := g.dir.byName[c.Name]; old != nil {
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
		gone = append(gone, func() { g.discard(now, before[name], "the connection was removed from the configuration") })
	}
	g.conns = conns
	g.rebuild()
	g.configurePools(now, g.conf)
	for _, x := range conns {
		x.arrange()
	}
	g.names.next = time.Time{} // the names may be others
	// At no moment may a packet find neither its old policy and routes nor its new ones: it would leave in the clear.
	for _, x := range began {
		g.setUp(now, x)
	}
	for _, x := range conns {
		g.settleClient(x)
		for _, h := range x.children {
			g.prepare(h)
		}
	}
	for _, end := range gone {
		end()
	}
	for _, x := range conns {
		g.touchAll(x)
	}
	for _, list := range []struct {
		msg   string
		lines []string
	}{
		{"reload: added", out.Added}, {"reload: removed", out.Removed}, {"reload: changed", out.Changed},
		{"reload: takes effect after a restart only", out.Restart},
	} {
		for _, l := range list.lines {
			g.log.Info(list.msg, "what", l)
		}
	}
	g.log.Info("configuration loaded", "file", g.conf.File, "connections", len(g.conns), "unchanged", len(out.Kept))
	g.expelUsers(now)
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
func (g *Manager) discard(now time.Time, c *connection, reason string) {
	c.gone = true
	g.deleteGuests(now, c, func(*sa.Child) bool { return true }, reason)
	for _, e := range c.entries.sorted() {
		g.delete(now, e, reason)
	}
	c.finishBare(diag.Cancelled(whereOf(c), reason))
	for _, h := range c.children {
		h.finish(diag.Cancelled(whereOf(c), reason))
	}
	g.takeDown(c)
}

// adapt makes a connection that can stay what it is configured as now. It says what that changes, and gives what is to be
// done at the end of the reload.
func (g *Manager) adapt(now time.Time, x *connection, c *config.Connection, old *config.Config) (did []string, ends []func()) {
	diff := config.With(config.Changes(x.conf, c), config.Live)
	rekeyed := secretOf(old, x.conf) != secretOf(g.conf, c)
	if rekeyed {
		diff = slices.DeleteFunc(diff, func(key string) bool { return key == "secret" }) // said below
	}
	if len(diff) > 0 {
		did = append(did, joined(diff)+" (its SAs stay; new values from the next rekeying or timer on)")
	}
	if rekeyed {
		did = append(did, "the pre-shared key (its SAs stay; the new key from the next authentication on)")
	}
	if ppkOf(old, x.conf) != ppkOf(g.conf, c) {
		did = append(did, "the post-quantum preshared key (its SAs stay; the new key from the next authentication on)")
	}
	x.conf = c
	// What the machines were begun with is the same: the keys that make it are no live ones.
	x.cfg.Policy = g.machineConfig(c).Policy
	what, ends := g.adaptChildren(now, x, c)
	return append(did, what...), ends
}

// adaptChildren does for the children of a connection what reload does for connections.
func (g *Manager) adaptChildren(now time.Time, x *connection, c *config.Connection) (did []string, ends []func()) {
	for _, h := range slices.Clone(x.children) {
		if c.Child(h.conf.Name) == nil {
			ends = append(ends, func() { g.discardChild(now, h, "the child was removed from the configuration") })
			did = append(did, "child "+h.conf.Name+" removed")
		}
	}
	for _, fresh := range c.Children {
		i := slices.IndexFunc(x.children, func(h *child) bool { return h.conf.Name == fresh.Name })
		if i < 0 {
			did = append(did, "child "+fresh.Name+" added")
			n := g.beginChild(now, x, fresh)
			n.held, n.shut = x.shut, x.shut
			continue
		}
		h := x.children[i]
		changes := config.Changes(h.conf, fresh)
		if diff := config.With(changes, config.Reestablish); len(diff) > 0 {
			did = append(did, fmt.Sprintf("child %s: %s (its SA is deleted and made again)", fresh.Name, joined(diff)))
			ends = append(ends, func() { g.discardChild(now, h, "the child has changed") })
			g.beginChild(now, x, fresh).inherit(h)
			continue
		}
		if diff := config.With(changes, config.Live); len(diff) > 0 {
			did = append(did, fmt.Sprintf("child %s: %s (its SA stays)", fresh.Name, joined(diff)))
		}
		g.adaptChild(h, fresh)
	}
	return did, ends
}

// beginChild adds a child to a connection that is there already.
func (g *Manager) beginChild(now time.Time, x *connection, fresh *config.Child) *child {
	h := x.addChild(fresh, now)
	g.number(h)
	g.touch(h)
	return h
}

// adaptChild makes a child whose SAs can stay what it is configured as now.
func (g *Manager) adaptChild(h *child, fresh *config.Child) {
	if h.conf.StartAction != fresh.StartAction {
		h.trap = trapConfigured
	}
	h.conf = fresh
	h.cfg.ChildPolicy = machineChild(fresh, len(h.conn.conf.Pools) > 0).ChildPolicy
	g.touch(h)
}

// discardChild takes a child out of the configuration: its CHILD SAs are deleted.
func (g *Manager) discardChild(now time.Time, h *child, reason string) {
	x := h.conn
	for _, e := range x.entries.sorted() {
		for _, c := range slices.Clone(e.m.Children()) {
			if c.Config == h.cfg && c.State != sa.ChildDeleted {
				e.m.DeleteChild(now, c.ID, reason)
			}
		}
		g.drain(now, e)
	}
	g.deleteGuests(now, x, func(c *sa.Child) bool { return c.Config == h.cfg }, reason)
	h.finish(diag.Cancelled(whereOf(x), reason))
	g.withdraw(h)
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
func (g *Manager) needRestart(merged, fresh *config.Config) []string {
	var out []string
	for _, key := range config.With(config.Changes(merged, fresh), config.Restart) {
		if !strings.Contains(key, ".") {
			key = "[" + key + "]"
		}
		out = append(out, key)
	}
	if len(g.o.Bound) == 0 {
		return out
	}
	for _, c := range fresh.Connections {
		for _, e := range c.LocalAddrs {
			// The sockets are bound to single addresses, so that what is not one of them is not heard.
			if !slices.ContainsFunc(g.o.Bound, func(a netip.Addr) bool { return e.First == a && e.Last == a }) {
				out = append(out, "connections."+c.Name+".local_addrs ("+e.String()+")")
			}
		}
	}
	return out
}
