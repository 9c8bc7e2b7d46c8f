package pool

import (
	"math"
	"net/netip"
	"slices"
)

// Pool is a configured pool. It is never changed.
type Pool struct {
	name  string
	spans []Span // in order, apart from each other, of one family
	base  string
	attrs Attributes
}

// New makes a pool of the addresses of spans that are not in excluded. All spans are of one family. base is the address that
// the pool begins with, for people. A pool without addresses gives none, but its attributes count.
func New(name, base string, spans, excluded []Span, attrs Attributes) *Pool {
	return &Pool{name: name, base: base, spans: withoutSpans(spans, excluded), attrs: attrs}
}

// Name is the name of its table, Base the address that it begins with as people know it.
func (p *Pool) Name() string { return p.name }

// Base: see [Pool.Name].
func (p *Pool) Base() string { return p.base }

// Attributes are what its clients learn.
func (p *Pool) Attributes() Attributes { return p.attrs }

// Spans are its addresses, in order. The list must not be changed.
func (p *Pool) Spans() []Span { return p.spans }

// Size is how many addresses it has, at most math.MaxUint64.
func (p *Pool) Size() uint64 {
	var n uint64
	for _, s := range p.spans {
		x := s.Size()
		if n > math.MaxUint64-x {
			return math.MaxUint64
		}
		n += x
	}
	return n
}

// Is6 reports whether its addresses are IPv6.
func (p *Pool) Is6() bool { return len(p.spans) > 0 && p.spans[0].First.Is6() }

// Contains reports whether an address is one of the pool's.
func (p *Pool) Contains(a netip.Addr) bool {
	_, ok := p.find(a)
	return ok
}

// find gives the span that has an address, or the first behind it.
func (p *Pool) find(a netip.Addr) (int, bool) {
	return slices.BinarySearchFunc(p.spans, a, func(s Span, a netip.Addr) int {
		switch {
		case s.Contains(a):
			return 0
		case s.Last.Less(a):
			return -1
		}
		return 1
	})
}

// Overlaps reports an address that two pools have in common.
func (p *Pool) Overlaps(o *Pool) (netip.Addr, bool) {
	for _, s := range p.spans {
		for _, x := range o.spans {
			if s.Overlaps(x) {
				if s.First.Less(x.First) {
					return x.First, true
				}
				return s.First, true
			}
		}
	}
	return netip.Addr{}, false
}

// near is the address of an IPv6 pool with the interface identifier, the lower 64 bits, of an address that it has not: "If the address was not
// acceptable, the gateway attempts to use the interface identifier with some other prefix".
// https://www.rfc-editor.org/rfc/rfc7296#section-3.15.3
func (p *Pool) near(a netip.Addr) (netip.Addr, bool) {
	if _, low := halves(a); !p.Is6() || !a.Is6() || low == 0 {
		return netip.Addr{}, false
	}
	b, prefix := a.As16(), p.spans[0].First.As16()
	copy(b[:8], prefix[:8])
	n := netip.AddrFrom16(b)
	return n, p.Contains(n)
}
