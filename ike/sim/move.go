package sim

import (
	"net/netip"
	"slices"
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/sa"
)

// has reports whether a host has an address at present.
func (h *Host) has(a netip.Addr) bool { return slices.Contains(h.addrs, a) }

// connected reports whether a connection has an IKE SA that is up.
func (h *Host) connected(conn string) bool {
	for _, c := range h.up {
		if c == conn {
			return true
		}
	}
	return false
}

// readdress gives a host other addresses and says so.
func (h *Host) readdress(addrs ...netip.Addr) {
	h.w.logf("%s has the addresses %v", h.name, addrs)
	h.addrs = addrs
	h.input(func(now time.Time, g *gateway.Manager) { g.AddressesChanged(now, addrs, true) })
}

// move does to a host's addresses what happens to laptops and to gateways with two lines. Without MOBIKE, what a host
// loses its address for is lost with it.
func (w *World) move() {
	if w.plan.gentle && !w.hosts[0].connected("b") {
		return // a peer that is lost before IKE_AUTH is answered is lost
	}
	h := w.hosts[0]
	pool := append([]netip.Addr{addrA}, moreA...)
	if w.plan.mobike && (w.plan.movers == "b" || w.plan.movers == "ab" && w.rng.IntN(3) == 0) {
		h, pool = w.hosts[1], append([]netip.Addr{addrB}, moreB...)
	}
	w.rng.Shuffle(len(pool), func(i, j int) { pool[i], pool[j] = pool[j], pool[i] })
	if !w.plan.mobike {
		w.check.destroyed(h, "address")
	}
	switch w.rng.IntN(4) {
	case 0: // another one
		h.readdress(pool[0])
	case 1: // one more, or one less, and maybe another preference
		h.readdress(pool[:1+w.rng.IntN(len(pool))]...)
	case 2: // first one more, later the first one goes
		keep := h.addrs
		h.readdress(slices.Compact(append(slices.Clone(keep), pool[0]))...)
		w.after(w.between(time.Second, 10*time.Second), func() { h.readdress(pool[0]) })
	case 3: // none for a while
		h.readdress()
		w.after(w.between(time.Second, 15*time.Second), func() { h.readdress(pool[0]) })
	}
}

// wantPaths checks at the end of a run that both ends of an IKE SA send to where the other one is.
func (w *World) wantPaths(h, peer *Host, s sa.Snapshot) {
	translated := w.net.nat.on && s.Path.Remote.Addr() == addrNAT
	if !h.has(s.Path.Local.Addr()) || !peer.has(s.Path.Remote.Addr()) && !translated {
		w.fail("%s: the IKE SA uses %s", h.name, s.Path)
	}
	for _, c := range s.Children {
		out, path := h.data.outbound[c.Policy], h.data.paths[c.ID]
		if out != nil && out.child == c.ID && (path.Local != s.Path.Local || !w.net.nat.on && path.Remote != s.Path.Remote) {
			w.fail("%s: ESP uses %v, the IKE SA %s", h.name, path, s.Path)
		}
	}
}
