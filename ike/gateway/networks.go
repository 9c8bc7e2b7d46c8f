package gateway

import (
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"

	"esplanade/ike/selector"
)

// networks files the CHILD SAs of a child under the prefixes of their remote selectors, so that whoever asks for networks is compared
// with those that have some of their addresses, and not with all: a gateway with ten thousand peers behind one child would else look
// through all of them for each that comes.
type networks struct {
	table bart.Table[[]*installed]
}

// add files a CHILD SA under what its selectors are now.
func (n *networks) add(i *installed) {
	i.filed = prefixesOf(i.child.TS.Remote)
	for _, p := range i.filed {
		n.table.Modify(p, func(l []*installed, _ bool) ([]*installed, bool) { return append(l, i), false })
	}
}

// remove takes it out again, whatever its selectors are by now.
func (n *networks) remove(i *installed) {
	for _, p := range i.filed {
		n.table.Modify(p, func(l []*installed, _ bool) ([]*installed, bool) {
			l = slices.DeleteFunc(l, func(x *installed) bool { return x == i })
			return l, len(l) == 0
		})
	}
	i.filed = nil
}

// find is a CHILD SA that has addresses in common with selectors, and that fits; nil for none. One with several prefixes may be
// asked about several times.
func (n *networks) find(list []selector.Selector, fits func(*installed) bool) *installed {
	for _, p := range prefixesOf(list) {
		for _, l := range n.table.Supernets(p) {
			if k := slices.IndexFunc(l, fits); k >= 0 {
				return l[k]
			}
		}
		for q, l := range n.table.Subnets(p) {
			if q == p {
				continue // was among those that contain it
			}
			if k := slices.IndexFunc(l, fits); k >= 0 {
				return l[k]
			}
		}
	}
	return nil
}

// prefixesOf are the prefixes that selectors have the addresses of, each once.
func prefixesOf(list []selector.Selector) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range list {
		out = append(out, s.Prefixes()...)
	}
	slices.SortFunc(out, netip.Prefix.Compare)
	return slices.Compact(out)
}
