package selector

import (
	"net/netip"
	"testing"
)

// A pair is about both of its sides: what holds of one of them alone holds of none.
func TestPairNeedsBothSides(t *testing.T) {
	parse := func(s string) []Selector {
		if s == "" {
			return nil
		}
		x, err := Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		return []Selector{x}
	}
	of := func(local, remote string) Pair { return Pair{Local: parse(local), Remote: parse(remote)} }
	p := of("10.1.0.0/16", "10.2.0.0/16")
	for name, c := range map[string]struct {
		o                         Pair
		contains, equal, overlaps bool
	}{
		"the same":               {of("10.1.0.0/16", "10.2.0.0/16"), true, true, true},
		"a part":                 {of("10.1.1.0/24", "10.2.1.0/24"), true, false, true},
		"local more":             {of("10.0.0.0/8", "10.2.0.0/16"), false, false, true},
		"remote more":            {of("10.1.0.0/16", "10.0.0.0/8"), false, false, true},
		"local elsewhere":        {of("172.16.0.0/16", "10.2.0.0/16"), false, false, false},
		"remote elsewhere":       {of("10.1.0.0/16", "172.16.0.0/16"), false, false, false},
		"the sides changed over": {of("10.2.0.0/16", "10.1.0.0/16"), false, false, false},
	} {
		if p.Contains(c.o) != c.contains || p.Equal(c.o) != c.equal || p.Overlaps(c.o) != c.overlaps {
			t.Errorf("%s: contains %v, equal %v, overlaps %v", name, p.Contains(c.o), p.Equal(c.o), p.Overlaps(c.o))
		}
	}
	for _, c := range []struct {
		o    Pair
		want bool
	}{{of("10.1.0.0/16", "10.2.0.0/16"), false}, {of("", "10.2.0.0/16"), true}, {of("10.1.0.0/16", ""), true}, {of("", ""), true}} {
		if c.o.Empty() != c.want {
			t.Errorf("%s: empty is %v", c.o, c.o.Empty())
		}
	}
}

// An address of one IP version is in no range of the other, a range of all addresses included.
func TestMatchIsOfOneFamily(t *testing.T) {
	four, six := netip.MustParseAddr("10.1.0.5"), netip.MustParseAddr("fd01::5")
	for _, c := range []struct {
		ts       string
		is4, is6 bool
	}{{"0.0.0.0/0", true, false}, {"::/0", false, true}, {"10.1.0.0/16", true, false}, {"fd01::/64", false, true}} {
		s, err := Parse(c.ts)
		if err != nil {
			t.Fatal(err)
		}
		if s.Matches(four, 6, 80) != c.is4 || s.Matches(six, 6, 80) != c.is6 || s.MatchesOpaque(four, 6) != c.is4 || s.MatchesOpaque(six, 6) != c.is6 {
			t.Errorf("%s: %v and %v", c.ts, s.Matches(four, 6, 80), s.Matches(six, 6, 80))
		}
	}
	mixed := Selector{Start: four, End: six, EndPort: AnyEndPort}
	if mixed.Matches(netip.MustParseAddr("fd00::1"), 6, 80) || mixed.Matches(netip.MustParseAddr("10.2.0.0"), 6, 80) && mixed.Valid() {
		t.Error("a range from one family to the other has something in it")
	}
}
