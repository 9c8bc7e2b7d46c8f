package selector

import (
	"math/rand/v2"
	"net/netip"
	"testing"
)

// The model: a selector is the list of the points it selects, in a universe small enough to enumerate and rich enough
// to have every kind of border: two families, protocols with and without a name, ports at both ends of the range and
// the value OPAQUE. The real code never enumerates, so the two have nothing in common but the definition.

type point struct {
	addr   netip.Addr
	proto  uint8
	port   uint16
	opaque bool
}

var modelPorts = []uint16{0, 1, 2, 3, 65533, 65534, 65535}

func universe() []point {
	var out []point
	for i := range 8 {
		for _, a := range []netip.Addr{
			netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}),
			netip.AddrFrom16([16]byte{0xfd, 15: byte(i)}),
		} {
			for _, proto := range []uint8{0, 6, 17, 47} {
				for _, p := range modelPorts {
					out = append(out, point{a, proto, p, false})
				}
				out = append(out, point{a, proto, 0, true})
			}
		}
	}
	return out
}

// selects is the definition of RFC 7296, section 3.13.1, word for word.
func selects(s Selector, p point) bool {
	if !s.Start.IsValid() || s.Start.Is4() != p.addr.Is4() || p.addr.Less(s.Start) || s.End.Less(p.addr) {
		return false
	}
	if s.Protocol != 0 && s.Protocol != p.proto {
		return false
	}
	any := s.StartPort == 0 && s.EndPort == 65535
	opaque := s.StartPort == 65535 && s.EndPort == 0
	if p.opaque {
		return any || opaque
	}
	return s.StartPort <= p.port && p.port <= s.EndPort
}

func selectsAny(list []Selector, p point) bool {
	for _, s := range list {
		if selects(s, p) {
			return true
		}
	}
	return false
}

// randomSelector draws from the universe's borders; one in twelve is malformed.
func randomSelector(r *rand.Rand) Selector {
	a, b := r.IntN(8), r.IntN(8)
	if a > b && r.IntN(12) != 0 {
		a, b = b, a
	}
	s := Selector{
		Start: netip.AddrFrom4([4]byte{10, 0, 0, byte(a)}), End: netip.AddrFrom4([4]byte{10, 0, 0, byte(b)}),
		StartPort: 0, EndPort: 65535,
	}
	if r.IntN(3) == 0 {
		s.Start = netip.AddrFrom16([16]byte{0xfd, 15: byte(a)})
		s.End = netip.AddrFrom16([16]byte{0xfd, 15: byte(b)})
	}
	s.Protocol = []uint8{0, 0, 6, 17, 47}[r.IntN(5)]
	switch r.IntN(5) {
	case 0:
		s.StartPort, s.EndPort = 65535, 0
	case 1, 2:
		s.StartPort = modelPorts[r.IntN(len(modelPorts))]
		s.EndPort = modelPorts[r.IntN(len(modelPorts))]
		if s.StartPort > s.EndPort && r.IntN(6) != 0 {
			s.StartPort, s.EndPort = s.EndPort, s.StartPort
		}
	}
	return s
}

func randomList(r *rand.Rand, n int) []Selector {
	out := make([]Selector, r.IntN(n+1))
	for i := range out {
		out[i] = randomSelector(r)
	}
	return out
}

func TestModelIntersectAndContains(t *testing.T) {
	u := universe()
	r := rand.New(rand.NewPCG(1, 2))
	for range 4000 {
		a, b := randomSelector(r), randomSelector(r)
		got, ok := a.Intersect(b)
		back, okBack := b.Intersect(a)
		if ok != okBack || got != back {
			t.Fatalf("%v ∩ %v = %v but the other way round %v", a, b, got, back)
		}
		common, contained, some := false, true, false
		for _, p := range u {
			inA, inB := a.Valid() && selects(a, p), b.Valid() && selects(b, p)
			if ok && selects(got, p) != (inA && inB) || !ok && inA && inB {
				t.Fatalf("%v ∩ %v = %v, %v, wrong at %v", a, b, got, ok, p)
			}
			common = common || inA && inB
			contained = contained && (inA || !inB)
			some = some || inB
		}
		if ok && !common {
			t.Fatalf("%v ∩ %v = %v, which has no packet", a, b, got)
		}
		if a.Contains(b) != (contained && some && a.Valid()) {
			t.Fatalf("%v contains %v = %v, the model says %v", a, b, a.Contains(b), contained)
		}
		if b.Valid() != some {
			t.Fatalf("%v Valid() = %v, but the model says %v", b, b.Valid(), some)
		}
	}
}

// TestModelCovered also shows that a union of several selectors covers what none of them does alone.
func TestModelCovered(t *testing.T) {
	u := universe()
	r := rand.New(rand.NewPCG(3, 4))
	unions := 0
	for range 8000 {
		sub, super := randomList(r, 2), randomList(r, 7)
		want := true
		for _, s := range sub {
			want = want && s.Valid()
		}
		for _, p := range u {
			if selectsAny(sub, p) && !selectsAny(super, p) {
				want = false
				break
			}
		}
		// The universe has gaps that a real packet may be in: ports 4 to 65532, and protocols other than the four.
		for _, p := range gaps(u) {
			if selectsAny(sub, p) && !selectsAny(super, p) {
				want = false
				break
			}
		}
		if got := Covered(sub, super); got != want {
			t.Fatalf("Covered(%v, %v) = %v, the model says %v", sub, super, got, want)
		}
		if want && len(sub) > 0 {
			single := true
			for _, s := range sub {
				one := false
				for _, o := range super {
					one = one || o.Contains(s)
				}
				single = single && one
			}
			if !single {
				unions++
			}
		}
	}
	if unions < 20 {
		t.Errorf("only %d cases needed a union: the generator no longer tests it", unions)
	}
}

// gaps are points between those of the universe, one for each stretch that no border divides.
func gaps(u []point) []point {
	var out []point
	for _, p := range u {
		q := p
		q.proto = 99
		out = append(out, q)
		if !p.opaque && p.port == 3 {
			p.port = 1000
			out = append(out, p)
			p.proto = 99
			out = append(out, p)
		}
	}
	return out
}

// TestModelNarrow checks RFC 7296, section 2.9, against the model: the answer is exactly what both sides allow, and it
// begins with the initiator's first choice.
func TestModelNarrow(t *testing.T) {
	u := universe()
	r := rand.New(rand.NewPCG(5, 6))
	for range 4000 {
		ours, theirs := randomList(r, 4), randomList(r, 4)
		got := Narrow(ours, theirs)
		valid := func(list []Selector) (out []Selector) {
			for _, s := range list {
				if s.Valid() {
					out = append(out, s)
				}
			}
			return out
		}
		vo, vt := valid(ours), valid(theirs)
		for _, p := range u {
			if want := selectsAny(vo, p) && selectsAny(vt, p); selectsAny(got, p) != want {
				t.Fatalf("Narrow(%v, %v) = %v, wrong at %v", ours, theirs, got, p)
			}
		}
		for i, s := range got {
			if !s.Valid() {
				t.Fatalf("Narrow(%v, %v) = %v has an invalid one", ours, theirs, got)
			}
			for j, o := range got {
				if i != j && s.Contains(o) {
					t.Fatalf("Narrow(%v, %v) = %v: %v contains %v", ours, theirs, got, s, o)
				}
			}
		}
		// "MUST narrow the Traffic Selectors to a subset that includes the initiator's first choices"
		// https://www.rfc-editor.org/rfc/rfc7296#section-2.9
		if len(theirs) > 0 && theirs[0].Valid() && Covered(theirs[:1], ours) && !Covered(theirs[:1], got) {
			t.Fatalf("Narrow(%v, %v) = %v lost the first choice", ours, theirs, got)
		}
		if len(theirs) > 0 && Overlap(theirs[:1], ours) && !Overlap(theirs[:1], got[:1]) {
			t.Fatalf("Narrow(%v, %v) = %v does not begin with the first choice", ours, theirs, got)
		}
		// Narrowing twice changes nothing: the initiator accepts what the responder answered.
		if !Covered(got, theirs) || !Covered(got, ours) || !Equal(Narrow(theirs, got), got) {
			t.Fatalf("Narrow(%v, %v) = %v is not stable", ours, theirs, got)
		}
	}
}

func TestModelMatches(t *testing.T) {
	u := universe()
	r := rand.New(rand.NewPCG(7, 8))
	for range 1000 {
		s := randomSelector(r)
		for _, p := range u {
			got := s.Matches(p.addr, p.proto, p.port)
			if p.opaque {
				got = s.MatchesOpaque(p.addr, p.proto)
			}
			if want := selects(s, p); got != want {
				t.Fatalf("%v matches %v = %v, want %v", s, p, got, want)
			}
		}
	}
}

func TestModelSimplify(t *testing.T) {
	u := universe()
	r := rand.New(rand.NewPCG(9, 10))
	for range 2000 {
		list := randomList(r, 6)
		got := Simplify(list)
		for _, p := range u {
			want := false
			for _, s := range list {
				want = want || s.Valid() && selects(s, p)
			}
			if selectsAny(got, p) != want {
				t.Fatalf("Simplify(%v) = %v, wrong at %v", list, got, p)
			}
		}
	}
}
