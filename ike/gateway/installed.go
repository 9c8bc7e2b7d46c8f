package gateway

import (
	"net/netip"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// installed is a CHILD SA that the data plane has, in one direction at least.
type installed struct {
	owner  *entry
	child  *sa.Child
	routed *selector.Pair // what is to be routed for it; nil for nothing
	// peer is who it counts for.
	peer peerKey
	// filed are the prefixes that its child's networks have it under.
	filed []netip.Prefix
}

func (g *Manager) installInbound(now time.Time, e *entry, c *sa.Child) {
	i := &installed{owner: e, child: c, peer: keyOf(e.m)}
	g.reqids.take(c, g.fixedReqID)
	g.installed[c.ID] = i
	g.table.countChild(i.peer, 1)
	if g.o.ExportKeys {
		g.o.Observer.Observe(ChildKeys{Child: c})
	}
	if err := g.o.DataPlane.InstallInbound(c.ID, c.Policy, c.Inbound, c.TS, c.Path); err != nil {
		g.o.DataPlane.ReleaseSPI(c.Inbound.SPI) // the machine takes it for installed
		g.installFailed(now, e, c, "inbound SA "+hex32(c.Inbound.SPI), err)
		return
	}
	if h := e.child(c.Config); h != nil {
		h.live[c.ID] = c
		h.networks.add(i)
		g.touch(h)
	}
}

func (g *Manager) installOutbound(now time.Time, e *entry, c *sa.Child) {
	if err := g.o.DataPlane.InstallOutbound(c.ID, policyOf(e, c), c.Policy, c.Outbound, c.TS, c.Path); err != nil {
		g.installFailed(now, e, c, "outbound SA "+hex32(c.Outbound.SPI), err)
		return
	}
	if i := g.installed[c.ID]; i != nil {
		g.routeChild(i)
	}
}

// routeChild sends what a CHILD SA selects into the tunnel, and no longer what it has selected before.
func (g *Manager) routeChild(i *installed) {
	if !g.conf.IKE.InstallRoutes {
		return
	}
	c := i.child
	ts := c.TS
	if h := i.owner.child(c.Config); h != nil && h.routesPools() && selector.Covered(ts.Remote, h.holds.Remote) {
		return // ten thousand clients are one route
	}
	i.routed = &ts
	g.o.Host.SetRoutes(c.ID, i.routed)
}

// RoutesFailed says that routes which were wanted with [Host.SetRoutes] could not be added.
func (g *Manager) RoutesFailed(now time.Time, holder uint64, ts *selector.Pair, err error) {
	g.begin()
	if i := g.installed[holder]; i != nil && i.routed == ts {
		g.report(now, i.owner, diag.RoutesFailed(g.where(now, i.owner, i.child), ts.String(), err))
	}
	if h := g.policies[holder]; h != nil && h.holds == ts {
		g.log.Warn("cannot add routes into the tunnel", "connection", h.conn.conf.Name, "child", h.cfg.Name, "selectors", ts, "error", err)
	}
}

// policyOf is the number under which the data plane knows the configured child that a CHILD SA belongs to. One whose child
// a reload has taken away stands for itself, until it is deleted.
func policyOf(e *entry, c *sa.Child) uint64 {
	if h := e.child(c.Config); h != nil && !h.gone {
		return h.policy
	}
	return c.Policy
}

// installFailed closes a child that the data plane could not take: an SA that exists on the wire only would swallow
// what the peer sends.
func (g *Manager) installFailed(now time.Time, e *entry, c *sa.Child, what string, err error) {
	f := diag.InstallFailed(g.where(now, e, c), what, err)
	g.report(now, e, f)
	if h := e.child(c.Config); h != nil {
		g.attemptFailed(now, h, f)
	}
	e.m.DeleteChild(now, c.ID, "it could not be installed")
}

func (g *Manager) where(now time.Time, e *entry, c *sa.Child) diag.Where {
	p := e.m.Path()
	return diag.Where{
		Connection: e.m.Config().Name, Child: c.Config.Name, Lone: e.m.Config().Lone, Local: p.Local, Remote: p.Remote,
		PeerID: e.m.RemoteID().String(), ConfigLine: c.Config.Line, Time: now,
	}
}

// uninstallOutbound takes the outbound direction of a CHILD SA out of the data plane.
func (g *Manager) uninstallOutbound(c *sa.Child) {
	g.o.DataPlane.RemoveOutbound(c.ID)
	if i := g.installed[c.ID]; i != nil {
		g.unroute(i)
	}
}

// uninstallNow takes the inbound direction out, which is always the last, and books what went through.
func (g *Manager) uninstallNow(e *entry, c *sa.Child) {
	dp := g.o.DataPlane
	h := e.child(c.Config)
	if counters, ok := dp.Counters(c.ID); ok {
		e.bookAccount(counters)
		if h != nil {
			h.past.add(counters)
		}
		if h != nil && e.past != nil {
			sum := e.past[c.Config.Name]
			sum.add(counters)
			e.past[c.Config.Name] = sum
		}
	}
	dp.RemoveInbound(c.ID)
	if h != nil {
		delete(h.live, c.ID)
		h.freed = len(h.refused) > 0
		g.touch(h)
	}
	if i := g.installed[c.ID]; i != nil {
		if h != nil {
			h.networks.remove(i)
		}
		g.unroute(i)
		delete(g.installed, c.ID)
		g.reqids.release(c)
		g.table.countChild(i.peer, -1)
	}
}

func (g *Manager) unroute(i *installed) {
	i.routed = nil
	g.o.Host.SetRoutes(i.child.ID, nil)
}
