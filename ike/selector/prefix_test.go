package selector

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
)

func TestPrefixes(t *testing.T) {
	tests := []struct{ text, want string }{
		{"10.0.0.0/24", "[10.0.0.0/24]"},
		{"0.0.0.0/0", "[0.0.0.0/0]"},
		{"::/0", "[::/0]"},
		{"10.0.0.1-10.0.0.9", "[10.0.0.1/32 10.0.0.2/31 10.0.0.4/30 10.0.0.8/31]"},
		{"0.0.0.0-255.255.255.254", "[0.0.0.0/1 128.0.0.0/2 192.0.0.0/3 224.0.0.0/4 240.0.0.0/5 248.0.0.0/6 252.0.0.0/7 " +
			"254.0.0.0/8 255.0.0.0/9 255.128.0.0/10 255.192.0.0/11 255.224.0.0/12 255.240.0.0/13 255.248.0.0/14 " +
			"255.252.0.0/15 255.254.0.0/16 255.255.0.0/17 255.255.128.0/18 255.255.192.0/19 255.255.224.0/20 " +
			"255.255.240.0/21 255.255.248.0/22 255.255.252.0/23 255.255.254.0/24 255.255.255.0/25 255.255.255.128/26 " +
			"255.255.255.192/27 255.255.255.224/28 255.255.255.240/29 255.255.255.248/30 255.255.255.252/31 255.255.255.254/32]"},
		{"255.255.255.255", "[255.255.255.255/32]"},
		{"fd00::ffff-fd00::1:0", "[fd00::ffff/128 fd00::1:0/128]"},
		{"8000::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "[8000::/1]"},
		{"::-7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "[::/1]"},
	}
	for _, tt := range tests {
		if got := fmt.Sprint(mustParse(t, tt.text).Prefixes()); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.text, got, tt.want)
		}
	}
	if got := (Selector{}).Prefixes(); got != nil {
		t.Errorf("the zero selector has prefixes %v", got)
	}
}

// TestPrefixesExhaustive takes every range of 64 addresses at each end and across a carry of each family: the prefixes
// must be exactly the range, ascending, and no two of them may be halves of one (which is what "fewest" means for
// ascending aligned blocks).
func TestPrefixesExhaustive(t *testing.T) {
	for _, base := range []string{"0.0.0.0", "10.0.255.224", "255.255.255.192", "::", "fd00::ffff:ffff:ffff:ffe0",
		"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffc0"} {
		b := netip.MustParseAddr(base)
		width := b.BitLen()
		at := func(i int) netip.Addr { u, _ := toNumber(b).add(u128{0, uint64(i)}); return toAddr(u, width) }
		for i := range 64 {
			for j := i; j < 64; j++ {
				s := Selector{Start: at(i), End: at(j), EndPort: 65535}
				next := at(i)
				ps := s.Prefixes()
				for k, p := range ps {
					if p.Masked() != p || p.Addr() != next {
						t.Fatalf("%s: %v is not aligned or leaves a gap", s, ps)
					}
					next = lastAddr(p).Next()
					if k > 0 {
						up, _ := p.Addr().Prefix(p.Bits() - 1)
						if ps[k-1].Bits() == p.Bits() && up.Contains(ps[k-1].Addr()) {
							t.Fatalf("%s: %v could be shorter", s, ps)
						}
					}
				}
				if lastAddr(ps[len(ps)-1]) != s.End {
					t.Fatalf("%s: %v ends at the wrong address", s, ps)
				}
				if s.IsRange() != (len(ps) != 1) {
					t.Fatalf("%s: IsRange() = %v with %v", s, s.IsRange(), ps)
				}
			}
		}
	}
}

func TestFromPrefix(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		var a [16]byte
		for i := range a {
			a[i] = byte(r.Uint32())
		}
		p := netip.PrefixFrom(netip.AddrFrom16(a), r.IntN(129))
		if r.IntN(2) == 0 {
			p = netip.PrefixFrom(netip.AddrFrom4([4]byte(a[:4])), r.IntN(33))
		}
		s := FromPrefix(p)
		if ps := s.Prefixes(); len(ps) != 1 || ps[0] != p.Masked() || s.IsRange() || !s.AnyPorts() {
			t.Fatalf("FromPrefix(%v) = %v", p, s)
		}
	}
	if s := FromPrefix(netip.MustParsePrefix("::ffff:10.1.0.0/112")); s.String() != "10.1.0.0/16" {
		t.Errorf("a mapped prefix became %v", s)
	}
	if s := FromPrefix(netip.Prefix{}); s != (Selector{}) {
		t.Errorf("an invalid prefix became %v", s)
	}
	if s := FromAddr(netip.MustParseAddr("::ffff:10.1.0.1")); s.String() != "10.1.0.1/32" || !s.IsHost() {
		t.Errorf("a mapped address became %v", s)
	}
	if s := FromAddr(netip.Addr{}); s != (Selector{}) {
		t.Errorf("no address became %v", s)
	}
}
