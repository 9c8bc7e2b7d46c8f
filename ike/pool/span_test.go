package pool

import (
	"errors"
	"math"
	"net/netip"
	"slices"
	"testing"
)

// The notation of swanctl's addrs, and which addresses of it are given.
func TestParseSpan(t *testing.T) {
	for _, c := range []struct {
		text, first, last string
		size              uint64
	}{
		{"10.30.0.0/24", "10.30.0.1", "10.30.0.254", 254},
		{"10.30.0.50/24", "10.30.0.50", "10.30.0.254", 205},
		{" 10.1.0.10 - 10.1.0.99 ", "10.1.0.10", "10.1.0.99", 90},
		{"10.1.0.10-10.1.0.10", "10.1.0.10", "10.1.0.10", 1},
		{"10.1.0.7", "10.1.0.7", "10.1.0.7", 1},
		{"10.0.0.0/8", "10.0.0.1", "10.255.255.254", 1<<24 - 2},
		{"192.0.2.4/31", "192.0.2.4", "192.0.2.5", 2},
		{"192.0.2.5/31", "192.0.2.5", "192.0.2.5", 1},
		{"192.0.2.4/32", "192.0.2.4", "192.0.2.4", 1},
		{"192.0.2.4/30", "192.0.2.5", "192.0.2.6", 2},
		{"0.0.0.0/0", "0.0.0.1", "255.255.255.254", 1<<32 - 2},
		{"2001:db8:3::/120", "2001:db8:3::1", "2001:db8:3::ff", 255},
		{"2001:db8:3::/64", "2001:db8:3::1", "2001:db8:3:0:ffff:ffff:ffff:ffff", math.MaxUint64},
		{"2001:db8:3::/48", "2001:db8:3::1", "2001:db8:3:ffff:ffff:ffff:ffff:ffff", math.MaxUint64},
		{"2001:db8:3::1:0/64", "2001:db8:3::1:0", "2001:db8:3:0:ffff:ffff:ffff:ffff", math.MaxUint64 - 0xffff},
		{"2001:db8::a/127", "2001:db8::a", "2001:db8::b", 2},
		{"2001:db8::fff0-2001:db8::1:f", "2001:db8::fff0", "2001:db8::1:f", 32},
	} {
		s, err := ParseSpan(c.text)
		if err != nil || s.First.String() != c.first || s.Last.String() != c.last || s.Size() != c.size {
			t.Errorf("%q: %v, %d addresses, %v; want %s to %s, %d", c.text, s, s.Size(), err, c.first, c.last, c.size)
		}
	}
}

func TestParseSpanWrong(t *testing.T) {
	for _, text := range []string{
		"", "10.30.0.0/", "10.30.0.0/33", "10.30.0.0/-1", "10.30.0", "10.1.0.9-10.1.0.8", "10.1.0.1-2001:db8::1", "10.1.0.1-", "-10.1.0.1",
		"10.1.0.1-10.1.0.2-10.1.0.3", "10.30.0.255/24", "::ffff:10.1.0.0/120", "::ffff:10.1.0.1", "fe80::1%eth0", "10.1.0.1-10.1.0.0/24", "10.030.0.0/24",
	} {
		s, err := ParseSpan(text)
		var bad *SyntaxError
		if !errors.As(err, &bad) || bad.Text != text || bad.Reason == "" || bad.Want == "" {
			t.Errorf("%q: %v, %v", text, s, err)
		}
	}
}

// Whatever is read is a span, and its prefixes are it.
func FuzzParseSpan(f *testing.F) {
	for _, s := range []string{"10.30.0.0/24", "10.1.0.10-10.1.0.99", "2001:db8:3::/64", "0.0.0.0/0", "::/0", "255.255.255.255", "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSpan(text)
		if err != nil {
			if s != (Span{}) {
				t.Errorf("%q: %v with %v", text, s, err)
			}
			return
		}
		if s.Last.Less(s.First) || s.First.Is4() != s.Last.Is4() || s.Size() == 0 || !s.Contains(s.First) || !s.Contains(s.Last) {
			t.Fatalf("%q: %v", text, s)
		}
		list := s.Prefixes()
		at := s.First
		for i, p := range list {
			x := PrefixSpan(p)
			if x.First != at || s.Last.Less(x.Last) {
				t.Fatalf("%q: prefix %d of %v is %v", text, i, s, p)
			}
			at = x.Last.Next()
		}
		if last := PrefixSpan(list[len(list)-1]).Last; last != s.Last || len(list) > 2*s.First.BitLen() {
			t.Fatalf("%q: %d prefixes up to %v", text, len(list), last)
		}
		if again, err := ParseSpan(s.String()); err != nil || again != s {
			t.Fatalf("%q: %v becomes %v, %v", text, s, again, err)
		}
	})
}

// Exclusions are cut out, and what touches becomes one.
func TestWithoutSpans(t *testing.T) {
	parse := func(list ...string) (out []Span) {
		for _, s := range list {
			x, err := ParseSpan(s)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, x)
		}
		return out
	}
	for _, c := range []struct{ spans, minus, want []Span }{
		{parse("10.0.0.1-10.0.0.9"), parse("10.0.0.4-10.0.0.5"), parse("10.0.0.1-10.0.0.3", "10.0.0.6-10.0.0.9")},
		{parse("10.0.0.1-10.0.0.9"), parse("10.0.0.1", "10.0.0.9", "192.0.2.0/24"), parse("10.0.0.2-10.0.0.8")},
		{parse("10.0.0.1-10.0.0.9"), parse("10.0.0.0-10.0.0.20"), nil},
		{parse("10.0.0.6-10.0.0.9", "10.0.0.1-10.0.0.5", "10.0.0.3-10.0.0.4"), nil, parse("10.0.0.1-10.0.0.9")},
		{parse("255.255.255.254-255.255.255.255"), parse("255.255.255.255"), parse("255.255.255.254")},
		{parse("10.0.0.1-10.0.0.9"), parse("::/0"), parse("10.0.0.1-10.0.0.9")},
	} {
		if got := withoutSpans(c.spans, c.minus); !slices.Equal(got, c.want) {
			t.Errorf("%v without %v is %v, want %v", c.spans, c.minus, got, c.want)
		}
	}
}

// An IPv6 client may say the lower half of the address.
func TestNear(t *testing.T) {
	p := New("six", "2001:db8:3::/64", []Span{{netip.MustParseAddr("2001:db8:3::1"), netip.MustParseAddr("2001:db8:3:0:ffff:ffff:ffff:ffff")}}, nil, Attributes{})
	for asked, want := range map[string]string{"fe80::1:2": "2001:db8:3::1:2", "2001:db8:9::7": "2001:db8:3::7", "::": "", "2001:db8:9::": "", "10.0.0.1": ""} {
		got, ok := p.near(netip.MustParseAddr(asked))
		if ok != (want != "") || ok && got.String() != want {
			t.Errorf("%s: %v, %v; want %s", asked, got, ok, want)
		}
	}
}
