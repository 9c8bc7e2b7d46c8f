package tun

import (
	"net/netip"
	"slices"

	"github.com/gaissmai/bart"
)

// maxBypasses bounds the routes of the main table that are kept out of the tunnel, each of which is a route of its own: more
// than the networks of a site, and 20 MB in the kernel. Further ones go into the tunnel: nothing leaves in the clear.
const maxBypasses = 1 << 16

// bypass decides which routes of the main table keep working although a route into the tunnel covers them: those that are
// more specific than any route into the tunnel that covers them. It is what a router does with all routes in one table. It
// knows nothing of the system, and is not safe for concurrent use.
type bypass struct {
	main   *bart.Lite // destinations of the main table
	tunnel *bart.Lite // destinations of the routes into the tunnel
	// kept has, for each destination that is kept out of the tunnel at present, the route into the tunnel that it is kept
	// out of.
	kept map[netip.Prefix]netip.Prefix
	// covers counts the values of kept.
	covers map[netip.Prefix]int
}

func newBypass() bypass {
	return bypass{
		main: new(bart.Lite), tunnel: new(bart.Lite),
		kept: map[netip.Prefix]netip.Prefix{}, covers: map[netip.Prefix]int{},
	}
}

// verdict says whether a destination is to be kept out of the tunnel, and of which route.
func (b *bypass) verdict(dst netip.Prefix) (cover netip.Prefix, keep bool) {
	if dst.Bits() == 0 || b.tunnel.Get(dst) || !b.main.Get(dst) {
		return netip.Prefix{}, false
	}
	return b.tunnel.LookupPrefixLPM(netip.PrefixFrom(dst.Addr(), dst.Bits()-1))
}

// within lists the destinations whose verdict may depend on a route into the tunnel: those inside of dst, and dst itself.
func (b *bypass) within(dst netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for p := range b.main.Subnets(dst) {
		if _, keep := b.verdict(p); keep || b.kept[p].IsValid() {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, comparePrefix)
	return out
}

// setMain replaces the destinations of the main table, and lists those whose verdict may be another.
func (b *bypass) setMain(main *bart.Lite) []netip.Prefix {
	b.main = main
	var out []netip.Prefix
	for p := range b.kept {
		if !main.Get(p) {
			out = append(out, p)
		}
	}
	for t := range b.tunnel.All() {
		for p := range main.Subnets(t) {
			if _, keep := b.verdict(p); keep && !b.kept[p].IsValid() {
				out = append(out, p)
			}
		}
	}
	slices.SortFunc(out, comparePrefix)
	return slices.Compact(out)
}

// keep and release keep the record of what the system has.
func (b *bypass) keep(dst, cover netip.Prefix) {
	b.release(dst)
	b.kept[dst] = cover
	b.covers[cover]++
}

func (b *bypass) release(dst netip.Prefix) {
	cover, ok := b.kept[dst]
	if !ok {
		return
	}
	delete(b.kept, dst)
	if b.covers[cover]--; b.covers[cover] == 0 {
		delete(b.covers, cover)
	}
}
