package gateway

import (
	"net/netip"
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/sa"
)

// A connection without children has an IKE SA alone (RFC 6023), which a command asks for, or the peer; one with children if a command
// asks for the IKE SA alone. It is made once, and nobody makes it again when it has ended.

// bare is the attempt to bring up the IKE SA of a connection alone.
type bare struct {
	asked   bool        // it is to begin
	machine *sa.Machine // the IKE SA that it is made with; nil for none
	waiters []*Waiter
}

// bareOf finds the connection without children that a target names; nil for none.
func (g *Manager) bareOf(t Target) *connection {
	if c := g.dir.byName[t.Connection]; c != nil && len(c.children) == 0 && t.Child == "" {
		return c
	}
	return nil
}

// initiateBare asks for the IKE SA of a connection alone, unless it is there.
func (g *Manager) initiateBare(c *connection, wait func() *Waiter) {
	shut := c.shut
	c.shut = false
	if c.bareUp() {
		return
	}
	if wait != nil {
		c.bare.waiters = append(c.bare.waiters, wait())
	}
	switch {
	case shut && !c.conf.CanInitiate():
		c.finishBare(diag.OpenAgain(whereOf(c).At(c.conf.At("remote_addrs").FileLine())))
	case c.bare.machine == nil:
		c.bare.asked = true
		g.bares = append(g.bares, c)
	}
}

// bareUp reports whether the connection has an IKE SA in use.
func (c *connection) bareUp() bool {
	return slices.ContainsFunc(c.entries.sorted(), (*entry).alive)
}

// reconcileBares begins what was asked for.
func (g *Manager) reconcileBares(now time.Time) {
	list := g.bares
	g.bares = nil
	for _, c := range list {
		if !c.bare.asked || c.gone || c.resolving {
			continue
		}
		g.resolve(now, c, func(now time.Time, remote netip.Addr, err error) {
			if !c.bare.asked {
				return // taken down since
			}
			c.bare.asked = false
			if c.bareUp() {
				c.finishBare(nil)
				return
			}
			if err == nil {
				err = g.beginBare(now, c, remote)
			}
			if err != nil {
				g.bareUnreached(now, c, err)
			}
		})
	}
}

func (g *Manager) beginBare(now time.Time, c *connection, remote netip.Addr) error {
	path, err := g.pathTo(c, remote)
	if err != nil {
		return err
	}
	m := g.newInitiator(now, c, path, nil)
	c.bare.machine = m
	e := g.table.add(m, c)
	g.excludePeer(e)
	g.logger(e).Info("connecting", "local", path.Local, "remote", path.Remote)
	c.tell(1, "initiating IKE_SA "+c.conf.Name+" to "+remote.String())
	g.drain(now, e)
	return nil
}

// bareUnreached fails an attempt that found no way to the peer.
func (g *Manager) bareUnreached(now time.Time, c *connection, err error) {
	w := whereOf(c)
	w.Time, w.ConfigLine = now, c.conf.At("remote_addrs").FileLine()
	f := g.noWay(w, c, err)
	c.tries++
	g.report(now, nil, f)
	c.finishBare(f)
}

// finishBare tells all who wait how it went.
func (c *connection) finishBare(err error) {
	list := c.bare.waiters
	c.bare = bare{}
	for _, w := range list {
		w.Done(err)
	}
}

// bareIsUp is called when it is up: what has failed before is over.
func (g *Manager) bareIsUp(c *connection) {
	g.failures.Clear(c.conf.Name, "")
	g.provisional.Clear(c.conf.Name, "")
	c.finishBare(nil)
}

// bareClosed ends the attempt that an IKE SA was for.
func (g *Manager) bareClosed(now time.Time, e *entry, f *diag.Failure, reason string) {
	if e.conn == nil || e.detoured || e.conn.bare.machine != e.m {
		return
	}
	if f == nil {
		w := whereOf(e.conn)
		w.Time = now
		f = diag.Cancelled(w, reason)
	}
	e.conn.finishBare(f)
}

// noWay is the failure of an attempt that found no address to go to, or no way there.
func (g *Manager) noWay(w diag.Where, c *connection, err error) *diag.Failure {
	if name := c.nameToTry(); name != "" {
		return diag.Unresolved(w, name, err)
	}
	if c.conf.CanInitiate() {
		return diag.Unreachable(w, err)
	}
	return diag.Uncallable(w)
}
