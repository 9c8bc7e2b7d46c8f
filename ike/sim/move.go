package sim

import (
	"net/netip"
	"slices"
	"time"
)

// has tells whether a host has an address at present.
func (h *Host) has(a netip.Addr) bool { return slices.Contains(h.addrs, a) }

// connected tells whether there is an IKE SA that is established.
func (h *Host) connected() bool {
	return slices.ContainsFunc(h.nodes(), func(n *node) bool { return n.up })
}

// source is the address that a host's packets leave from unless something else is said.
func (h *Host) source() (netip.Addr, bool) {
	if len(h.addrs) == 0 {
		return netip.Addr{}, false
	}
	return h.addrs[0], true
}

// readdress gives a host other addresses and tells its IKE SAs.
func (h *Host) readdress(addrs ...netip.Addr) {
	h.w.logf("%s has the addresses %v", h.name, addrs)
	h.addrs = addrs
	for _, n := range h.nodes() {
		n.m.AddressesChanged(h.w.now)
		h.drain(n)
	}
}

// move does to a host's addresses what happens to laptops and to gateways with two lines. Without MOBIKE, what a host
// loses its address for is lost with it.
func (w *World) move() {
	if w.plan.gentle && !w.a.connected() {
		return // a peer that is lost before IKE_AUTH is answered is lost
	}
	h := w.a
	pool := append([]netip.Addr{addrA}, moreA...)
	if w.plan.mobike && (w.plan.movers == "b" || w.plan.movers == "ab" && w.rng.IntN(3) == 0) {
		h, pool = w.b, append([]netip.Addr{addrB}, moreB...)
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

// wantPaths checks at the end of a run that both hosts send to where the other one is.
func (w *World) wantPaths() {
	for _, h := range [...]*Host{w.a, w.b} {
		for _, n := range h.open() {
			p := n.m.Path()
			peer := w.other(h)
			if !h.has(p.Local.Addr()) || !peer.has(p.Remote.Addr()) && !(w.net.nat.on && p.Remote.Addr() == addrNAT) {
				w.fail("%s: the IKE SA uses %s", h.name, p)
			}
			for _, c := range n.m.Children() {
				live := h.data.outbound[c.Policy] == c
				if live && (c.Path.Local != p.Local || !w.net.nat.on && c.Path.Remote != p.Remote) {
					w.fail("%s: ESP uses %v, the IKE SA %s", h.name, c.Path, p)
				}
			}
		}
	}
}
