package selector

// Intersect returns the packets that both selectors select, and false when there are none.
func (s Selector) Intersect(o Selector) (Selector, bool) {
	if !s.Valid() || !o.Valid() || s.Start.BitLen() != o.Start.BitLen() {
		return Selector{}, false
	}
	r := s
	if o.Start.Compare(r.Start) > 0 {
		r.Start = o.Start
	}
	if o.End.Compare(r.End) < 0 {
		r.End = o.End
	}
	if r.Start.Compare(r.End) > 0 {
		return Selector{}, false
	}
	switch {
	case s.Protocol == ProtocolAny:
		r.Protocol = o.Protocol
	case o.Protocol != ProtocolAny && o.Protocol != s.Protocol:
		return Selector{}, false
	}
	switch {
	case s.AnyPorts():
		r.StartPort, r.EndPort = o.StartPort, o.EndPort
	case o.AnyPorts():
	case s.OpaquePorts() || o.OpaquePorts():
		if s.OpaquePorts() != o.OpaquePorts() {
			return Selector{}, false
		}
	default:
		r.StartPort, r.EndPort = max(s.StartPort, o.StartPort), min(s.EndPort, o.EndPort)
		if r.StartPort > r.EndPort {
			return Selector{}, false
		}
	}
	return r, true
}

// Contains reports whether s selects every packet that o selects. Nothing contains an invalid selector.
func (s Selector) Contains(o Selector) bool {
	// Most pairs are told apart by this alone; the longest lists that a peer can send ask for millions of them.
	if s.Protocol != ProtocolAny && s.Protocol != o.Protocol || o.StartPort < s.StartPort || o.EndPort > s.EndPort ||
		o.Start.Compare(s.Start) < 0 || o.End.Compare(s.End) > 0 {
		return false
	}
	i, ok := o.Intersect(s)
	return ok && i == o
}

// Equal reports whether two lists select the same packets, however they are written.
func Equal(a, b []Selector) bool { return Covered(a, b) && Covered(b, a) }

// Overlap reports whether some packet is selected by both lists.
func Overlap(a, b []Selector) bool {
	for _, x := range a {
		for _, y := range b {
			if _, ok := x.Intersect(y); ok {
				return true
			}
		}
	}
	return false
}
