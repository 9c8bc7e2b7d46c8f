package selector

import "slices"

// Covered reports whether every packet that sub selects is selected by super too, where several selectors of super may
// each cover a part of one of sub. An empty sub is covered by anything; an invalid selector in sub is never covered,
// one in super covers nothing.
//
// The answer is exact. Its cost is bounded by the product of the squares of the lists' lengths and is near zero in the
// usual case of one selector within another.
func Covered(sub, super []Selector) bool {
	for _, s := range sub {
		if !coveredOne(s, super) {
			return false
		}
	}
	return true
}

// coveredOne cuts s at every address where a selector of super begins or ends. Between two cuts the same selectors
// apply, so that only protocols and ports are left to look at.
func coveredOne(s Selector, super []Selector) bool {
	if !s.Valid() {
		return false
	}
	var parts []Selector // what super has of s
	for _, o := range super {
		if i, ok := s.Intersect(o); ok {
			if i == s {
				return true
			}
			parts = append(parts, i)
		}
	}
	one := u128{0, 1}
	cuts := []u128{toNumber(s.Start)}
	for _, p := range parts {
		cuts = append(cuts, toNumber(p.Start))
		if p.End != s.End {
			after, _ := toNumber(p.End).add(one)
			cuts = append(cuts, after)
		}
	}
	slices.SortFunc(cuts, func(a, b u128) int {
		switch {
		case a.less(b):
			return -1
		case b.less(a):
			return 1
		}
		return 0
	})
	cuts = slices.Compact(cuts)
	for _, cut := range cuts {
		at := toAddr(cut, s.Start.BitLen())
		var here []Selector
		for _, p := range parts {
			if p.matchesAddr(at) {
				here = append(here, p)
			}
		}
		if !protocolsCovered(s, here) {
			return false
		}
	}
	return true
}

// protocolsCovered reports whether the protocols and ports of s are within the union of those of parts, all of which
// apply to the same addresses.
func protocolsCovered(s Selector, parts []Selector) bool {
	if s.Protocol != ProtocolAny {
		return portsCovered(s, parts, s.Protocol)
	}
	var named [256]bool
	for _, p := range parts {
		named[p.Protocol] = true
	}
	for n := 1; n < 256; n++ {
		if named[n] && !portsCovered(s, parts, uint8(n)) {
			return false
		}
	}
	// The protocols that no part names are covered by the parts for any protocol only, and all of them alike. There is
	// always such a protocol: a selector can't name number 0, the IPv6 hop-by-hop options.
	return portsCovered(s, parts, ProtocolAny)
}

// portsCovered reports whether the ports of s, for one protocol, are within the union of those of the parts that apply
// to it. Every part is within s already.
func portsCovered(s Selector, parts []Selector, protocol uint8) bool {
	type span struct{ from, to uint16 }
	var spans []span
	opaque := false
	for _, p := range parts {
		if !p.matchesProtocol(protocol) {
			continue
		}
		if p.AnyPorts() || p.OpaquePorts() {
			opaque = true
		}
		if !p.OpaquePorts() {
			spans = append(spans, span{p.StartPort, p.EndPort})
		}
	}
	if s.OpaquePorts() || s.AnyPorts() {
		if !opaque {
			return false
		}
		if s.OpaquePorts() {
			return true
		}
	}
	slices.SortFunc(spans, func(a, b span) int { return int(a.from) - int(b.from) })
	next := int(s.StartPort) // the first port not yet found covered
	for _, x := range spans {
		if int(x.from) > next {
			return false
		}
		next = max(next, int(x.to)+1)
	}
	return next > int(s.EndPort)
}
