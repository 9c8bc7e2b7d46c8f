package gateway

import (
	"net/netip"
	"slices"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// updateSelectors has the data plane and the routes follow the selectors of a CHILD SA that have moved with a gateway.
func (g *Manager) updateSelectors(now time.Time, e *entry, c *sa.Child) {
	g.o.DataPlane.UpdateSelectors(c.ID, c.TS)
	h := e.child(c.Config)
	if i := g.installed[c.ID]; i != nil && h != nil {
		h.networks.remove(i)
		h.networks.add(i)
	}
	g.logger(e).Info("the selectors of child "+c.Config.Name+" have moved with a gateway", "selectors", c.TS.String())
	if i := g.installed[c.ID]; i != nil && c.State != sa.ChildDeleted {
		g.routeChild(i)
	}
	if h != nil && !h.gone && !g.stopping {
		g.prepare(h)
	}
}

// foreign reports whether an address belongs to another peer than that of m, as far as this daemon knows: one is there with an IKE SA,
// or has a network with it. A selector that followed its peer to there would take that one's traffic.
func (g *Manager) foreign(m *sa.Machine, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	own := keyOf(m)
	others := func(x *entry) bool { return !x.closed && x.up && x.peer != own }
	if slices.ContainsFunc(g.table.anyZone(a), others) {
		return true
	}
	at := []selector.Selector{selector.FromAddr(a)}
	for _, c := range g.conns {
		for _, h := range c.children {
			if len(h.live) > 0 && h.networks.find(at, func(i *installed) bool {
				return others(i.owner) && inUse(i.child) && coversAddr(i.child.TS.Remote, a)
			}) != nil {
				return true
			}
		}
	}
	return false
}

// coversAddr reports whether selectors take an address, other than by taking all of them.
func coversAddr(list []selector.Selector, a netip.Addr) bool {
	for _, s := range list {
		if s.Valid() && s.Start.BitLen() == a.BitLen() && s.Start.Compare(a) <= 0 && a.Compare(s.End) <= 0 && !everything(s) {
			return true
		}
	}
	return false
}

// everything reports whether a selector takes all addresses of its family.
func everything(s selector.Selector) bool {
	return !s.Start.Prev().IsValid() && !s.End.Next().IsValid()
}
