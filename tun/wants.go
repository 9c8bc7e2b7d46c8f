package tun

import (
	"net/netip"
	"slices"
)

// wants counts who needs which route, address and exclusion. It knows nothing of the system. The zero value is empty and
// ready for use; it is not safe for concurrent use.
type wants struct {
	addresses map[netip.Prefix]int
	peers     map[netip.Addr]int

	// routes has, per prefix, the Src of each who wants it, in the order they came. The first one's Src that is not zero is
	// the one in force.
	routes map[netip.Prefix][]netip.Addr
}

// source is the Src in force of a prefix.
func (w *wants) source(dst netip.Prefix) netip.Addr {
	for _, src := range w.routes[dst] {
		if src.IsValid() {
			return src
		}
	}
	return netip.Addr{}
}

func (w *wants) addRoute(r Route) {
	if w.routes == nil {
		w.routes = make(map[netip.Prefix][]netip.Addr)
	}
	w.routes[r.Dst] = append(w.routes[r.Dst], r.Src)
}

// removeRoute takes back the latest equal addRoute; false means that there was none.
func (w *wants) removeRoute(r Route) bool {
	holders := w.routes[r.Dst]
	for i := len(holders) - 1; i >= 0; i-- {
		if holders[i] != r.Src {
			continue
		}
		if len(holders) == 1 {
			delete(w.routes, r.Dst)
		} else {
			w.routes[r.Dst] = slices.Delete(slices.Clone(holders), i, i+1)
		}
		return true
	}
	return false
}

// covered reports whether some route leads to peer. There are thousands of routes, and few lengths that a prefix can have.
func (w *wants) covered(peer netip.Addr) bool {
	for bits := 0; bits <= peer.BitLen(); bits++ {
		if p, err := peer.Prefix(bits); err == nil && w.routes[p] != nil {
			return true
		}
	}
	return false
}

// uncoveredIn lists, sorted, the peers that dst would cover and no route does yet.
func (w *wants) uncoveredIn(dst netip.Prefix) []netip.Addr {
	var peers []netip.Addr
	for peer := range w.peers {
		if dst.Contains(peer) && !w.covered(peer) {
			peers = append(peers, peer)
		}
	}
	slices.SortFunc(peers, netip.Addr.Compare)
	return peers
}

// sortedRoutes lists every prefix with the Src in force, the most specific first, so that removing them in this order never
// leaves a default route as the only one.
func (w *wants) sortedRoutes() []Route {
	var routes []Route
	for dst := range w.routes {
		routes = append(routes, Route{Dst: dst, Src: w.source(dst)})
	}
	slices.SortFunc(routes, func(a, b Route) int {
		if a.Dst.Bits() != b.Dst.Bits() {
			return b.Dst.Bits() - a.Dst.Bits()
		}
		return a.Dst.Addr().Compare(b.Dst.Addr())
	})
	return routes
}
