package selector

import (
	"net/netip"
	"testing"
	"time"
)

func TestNarrow(t *testing.T) {
	tests := []struct {
		name         string
		ours, theirs []string
		want         string
	}{
		{"same", []string{"10.1.0.0/16"}, []string{"10.1.0.0/16"}, "10.1.0.0/16"},
		{"theirs wider", []string{"10.1.2.0/24"}, []string{"0.0.0.0/0"}, "10.1.2.0/24"},
		{"ours wider", []string{"0.0.0.0/0"}, []string{"10.1.2.0/24"}, "10.1.2.0/24"},
		{"partial", []string{"10.1.0.0-10.1.0.9"}, []string{"10.1.0.5-10.1.0.20"}, "10.1.0.5-10.1.0.9"},
		{"disjoint", []string{"10.1.0.0/24"}, []string{"10.2.0.0/24"}, "(none)"},
		{"other family", []string{"10.1.0.0/24"}, []string{"::/0"}, "(none)"},
		{"v4 of both", []string{"10.1.0.0/24"}, []string{"::/0", "0.0.0.0/0"}, "10.1.0.0/24"},
		{"both families", []string{"10.1.0.0/24", "fd00::/64"}, []string{"::/0", "0.0.0.0/0"}, "fd00::/64 10.1.0.0/24"},
		{"protocol", []string{"10.1.0.0/24[tcp]"}, []string{"10.1.0.0/16"}, "10.1.0.0/24[tcp]"},
		{"their protocol", []string{"10.1.0.0/24"}, []string{"10.1.0.0/16[udp/53]"}, "10.1.0.0/24[udp/53]"},
		{"other protocol", []string{"10.1.0.0/24[tcp]"}, []string{"10.1.0.0/24[udp]"}, "(none)"},
		{"ports", []string{"10.1.0.0/24[tcp/1-100]"}, []string{"10.1.0.0/24[tcp/50-200]"}, "10.1.0.0/24[tcp/50-100]"},
		{"OPAQUE of ANY", []string{"10.1.0.0/24"}, []string{"10.1.0.0/24[udp/opaque]"}, "10.1.0.0/24[udp/opaque]"},
		{"OPAQUE is no number", []string{"10.1.0.0/24[udp/0-65534]"}, []string{"10.1.0.0/24[udp/opaque]"}, "(none)"},
		{"icmp", []string{"10.1.0.0/24[icmp/8]"}, []string{"10.1.0.0/24[icmp/0-255]"}, "10.1.0.0/24[icmp/8]"},
		// The triggering packet comes first and is within the second: one selector remains, and it covers the packet.
		{"the packet's selector", []string{"10.1.0.0/16"}, []string{"10.1.3.4/32[tcp/5555]", "10.1.3.0/24"}, "10.1.3.0/24"},
		// The packet decides which of our networks comes first.
		{"the packet's network first", []string{"10.1.0.0/24", "10.1.3.0/24"}, []string{"10.1.3.4/32[tcp/5555]", "10.1.0.0/16"},
			"10.1.3.0/24 10.1.0.0/24"},
		{"the packet outside", []string{"10.1.0.0/24"}, []string{"10.9.3.4/32[tcp/5555]", "10.1.0.0/16"}, "10.1.0.0/24"},
		{"several", []string{"10.1.0.0/24", "10.3.0.0/24"}, []string{"10.3.0.0/16", "10.1.0.0/16"}, "10.3.0.0/24 10.1.0.0/24"},
		{"duplicates", []string{"10.1.0.0/24", "10.1.0.0/24"}, []string{"10.1.0.0/24", "10.1.0.0/24"}, "10.1.0.0/24"},
		{"nothing offered", []string{"10.1.0.0/24"}, nil, "(none)"},
	}
	for _, tt := range tests {
		got := Format(Narrow(list(t, tt.ours...), list(t, tt.theirs...)))
		if got != tt.want {
			t.Errorf("%s: Narrow(%v, %v) = %s, want %s", tt.name, tt.ours, tt.theirs, got, tt.want)
		}
	}
}

// TestNarrowMalformed: a peer's selector with start after end, or of mixed families, is no selector at all.
func TestNarrowMalformed(t *testing.T) {
	a, b := netip.MustParseAddr("10.1.0.1"), netip.MustParseAddr("10.1.0.9")
	ours := list(t, "0.0.0.0/0", "::/0")
	for _, s := range []Selector{
		{Start: b, End: a, EndPort: 65535},
		{Start: a, End: b, StartPort: 9, EndPort: 1},
		{Start: a, End: b, StartPort: 65535, EndPort: 1},
		{Start: a, End: netip.MustParseAddr("fd00::1"), EndPort: 65535},
		{Start: a, EndPort: 65535},
		{EndPort: 65535},
		{Start: netip.MustParseAddr("::ffff:10.1.0.1"), End: netip.MustParseAddr("::ffff:10.1.0.9"), EndPort: 65535},
		{},
	} {
		if got := Narrow(ours, []Selector{s}); len(got) != 0 {
			t.Errorf("%#v was narrowed to %v", s, got)
		}
		if got := Narrow([]Selector{s}, ours); len(got) != 0 {
			t.Errorf("%#v as ours was narrowed to %v", s, got)
		}
		if s.Contains(s) || s.Valid() || Covered([]Selector{s}, ours) {
			t.Errorf("%#v counts as something", s)
		}
		if s.String() == "" {
			t.Errorf("%#v prints nothing", s)
		}
	}
}

// TestNarrowBounded: the most selectors that fit a payload, and a configuration as large, end in one payload again and
// soon.
func TestNarrowBounded(t *testing.T) {
	var ours, theirs []Selector
	for i := range MaxSelectors {
		o := FromPrefix(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 16))
		ours = append(ours, o)
		s := Selector{Start: netip.MustParseAddr("10.0.0.0"), End: netip.MustParseAddr("10.255.255.255"), Protocol: 6,
			StartPort: uint16(i * 2), EndPort: uint16(i * 2)}
		theirs = append(theirs, s)
	}
	start := time.Now()
	got := Narrow(ours, theirs)
	if len(got) != MaxSelectors {
		t.Errorf("%d selectors", len(got))
	}
	if !Covered(got, ours) || !Covered(got, theirs) {
		t.Error("the cut answer is not a subset")
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("took %v", d)
	}
}
