package pool

import (
	"net/netip"
	"slices"
	"testing"
)

// What comes of two pools is there once, in the order of the pools, and the first netmask counts.
func TestAttributesPlus(t *testing.T) {
	addr := netip.MustParseAddr
	four := Attributes{Netmask: addr("255.255.255.0"), DNS: []netip.Addr{addr("10.0.0.1")}, Domains: []string{"a.example"}}
	six := Attributes{Netmask: addr("255.0.0.0"), PrefixLen: 64, DNS: []netip.Addr{addr("2001:db8::1"), addr("10.0.0.1")}, Domains: []string{"a.example", "b.example"},
		Subnets: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	got := four.Plus(six)
	switch {
	case got.Netmask != four.Netmask, got.PrefixLen != 64:
		t.Errorf("netmask %v, prefix length %d", got.Netmask, got.PrefixLen)
	case !slices.Equal(got.DNS, []netip.Addr{addr("10.0.0.1"), addr("2001:db8::1")}), !slices.Equal(got.Domains, []string{"a.example", "b.example"}):
		t.Errorf("DNS %v, domains %v", got.DNS, got.Domains)
	case !slices.Equal(got.Subnets, six.Subnets):
		t.Errorf("subnets %v", got.Subnets)
	case len(four.DNS) != 1:
		t.Error("the attributes of a pool have changed")
	}
}
