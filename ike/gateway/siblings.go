package gateway

import (
	"slices"
	"time"

	"esplanade/ike/sa"
)

// siblings are the connections other than that of an IKE SA that its peer could as well have used: between the same addresses, with the
// same identities and the same way to prove them, which a key of a connection's own is not, nor are other CAs, or other rules for
// certificates. Users have their connection each time: which one depends on more than that. A peer may bring up their children on the IKE SA that there is already.
func (g *Manager) siblings(m *sa.Machine) []*sa.Config {
	c := g.connection(m.Config())
	if c == nil || c.cfg.OwnKey || c.cfg.SeveralRounds() || c.cfg.RemoteAuth.EAP() || len(g.dir.byIDs[idsOf(c.conf)]) < 2 {
		return nil
	}
	p, cfg, accepts := m.Path(), c.cfg, g.credentials.AcceptedMark(c.conf.Name)
	fits := g.connectionsFor(p.Local.Addr(), p.Remote.Addr())
	var out []*sa.Config
	for _, x := range g.dir.byIDs[idsOf(c.conf)] {
		o := x.cfg
		if x != c && !x.gone && !o.OwnKey && !o.SeveralRounds() && slices.Contains(fits, o) && o.LocalAuth == cfg.LocalAuth && o.RemoteAuth == cfg.RemoteAuth &&
			o.PPKID == cfg.PPKID && o.PPKRequired == cfg.PPKRequired && o.Downgrade == cfg.Downgrade &&
			g.credentials.AcceptedMark(x.conf.Name) == accepts {
			out = append(out, o)
		}
	}
	return out
}

// childElsewhere finds the child of any connection that a machine's configuration stands for.
func (g *Manager) childElsewhere(cfg *sa.ChildConfig) *child {
	for _, c := range g.conns {
		if h := c.childOf(cfg); h != nil {
			return h
		}
	}
	return nil
}

// guests are the CHILD SAs of a connection's children on IKE SAs of other connections.
func (g *Manager) guests(c *connection) (out []*installed) {
	for _, h := range c.children {
		for id := range h.live {
			if i := g.installed[id]; i != nil && i.owner.conn != c && i.child.State != sa.ChildDeleted {
				out = append(out, i)
			}
		}
	}
	slices.SortFunc(out, func(a, b *installed) int { return int(a.child.ID) - int(b.child.ID) })
	return out
}

// deleteGuests deletes those of a connection whose child fits.
func (g *Manager) deleteGuests(now time.Time, c *connection, fits func(*sa.Child) bool, reason string) {
	for _, i := range g.guests(c) {
		if fits(i.child) {
			i.owner.m.DeleteChild(now, i.child.ID, reason)
			g.drain(now, i.owner)
		}
	}
}
