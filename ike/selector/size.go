package selector

import "math/bits"

// Size is how much a list selects, to compare lists with: the number of addresses, each weighted with the share of the protocols
// and ports that it comes with. What two selectors of the list both select counts twice.
func Size(list []Selector) float64 {
	sum := 0.0
	for _, s := range list {
		sum += s.size()
	}
	return sum
}

func (s Selector) size() float64 {
	if !s.Valid() {
		return 0
	}
	n := toNumber(s.End).minus(toNumber(s.Start)).float() + 1
	if s.Protocol != ProtocolAny {
		n /= 256
	}
	switch {
	case s.OpaquePorts():
		n /= 65536
	case !s.AnyPorts():
		n *= float64(int(s.EndPort)-int(s.StartPort)+1) / 65536
	}
	return n
}

// minus is the difference to a number that is not larger. It is taken before the conversion to a float64, which would lose it.
func (n u128) minus(o u128) u128 {
	lo, borrow := bits.Sub64(n.lo, o.lo, 0)
	hi, _ := bits.Sub64(n.hi, o.hi, borrow)
	return u128{hi, lo}
}

// float is the nearest number that a float64 can hold.
func (n u128) float() float64 { return float64(n.hi)*(1<<64) + float64(n.lo) }

// Size is how much the pair selects; see [Size].
func (p Pair) Size() float64 { return Size(p.Local) * Size(p.Remote) }

// Narrow is what both pairs select, in the order of theirs; see [Narrow].
func (p Pair) Narrow(theirs Pair) Pair {
	return Pair{Local: Narrow(p.Local, theirs.Local), Remote: Narrow(p.Remote, theirs.Remote)}
}
