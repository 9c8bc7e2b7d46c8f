package gateway

import (
	"net/netip"
	"time"

	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// updateSelectors has the data plane and the routes follow the selectors of a CHILD SA that have moved with a gateway.
func (d *Manager) updateSelectors(now time.Time, e *entry, c *sa.Child) {
	d.o.DataPlane.UpdateSelectors(c.ID, c.TS)
	if i := d.installed[c.ID]; i != nil {
		i.spans = nil
	}
	d.logger(e).Info("the selectors of child "+c.Config.Name+" have moved with a gateway", "selectors", c.TS.String())
	if i := d.installed[c.ID]; i != nil && c.State != sa.ChildDeleted {
		d.routeChild(i)
	}
	if h := e.child(c.Config); h != nil && !h.gone && !d.stopping {
		d.prepare(h)
	}
}

// foreign reports whether an address belongs to another peer than that of m, as far as this daemon knows: one is there with an IKE SA,
// or has a network with it. A selector that followed its peer to there would take that one's traffic.
func (d *Manager) foreign(m *sa.Machine, a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	own := keyOf(m)
	for _, x := range d.table.bySPI {
		if x.closed || !x.up || x.peer == own {
			continue
		}
		if x.m.Path().Remote.Addr().Unmap().WithZone("") == a {
			return true
		}
		for _, c := range x.m.Children() {
			if inUse(c) && coversAddr(c.TS.Remote, a) {
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
