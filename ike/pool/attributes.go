package pool

import (
	"net/netip"
	"slices"
)

// Attributes are what a client learns in addition to its addresses. Whoever has one must not change it: it is shared.
type Attributes struct {
	// Netmask goes with an IPv4 address, and PrefixLen with an IPv6 one: how many bits of it are the network. Not set: the client gets
	// no netmask, and 128.
	Netmask   netip.Addr
	PrefixLen int
	// DNS, NBNS, DHCP and Servers are addresses of either family. NBNS has IPv4 only. Servers are those of INTERNAL_IP4_SERVER and
	// INTERNAL_IP6_SERVER, two attributes of Microsoft's.
	DNS, NBNS, DHCP, Servers []netip.Addr
	// Subnets are the networks that the client should reach through the gateway (RFC 7296 section 3.15.2). Excluded are those that it
	// should not, in Cisco's attribute.
	Subnets, Excluded []netip.Prefix
	// Domains are those whose names the DNS servers are asked for (RFC 8598): none of them means all names.
	Domains []string
}

// Plus is what the client of several pools learns: all lists, each value once. A netmask and a prefix length are those of the first that
// has one.
func (a Attributes) Plus(b Attributes) Attributes {
	if !a.Netmask.IsValid() {
		a.Netmask = b.Netmask
	}
	if a.PrefixLen == 0 {
		a.PrefixLen = b.PrefixLen
	}
	a.DNS, a.NBNS = union(a.DNS, b.DNS), union(a.NBNS, b.NBNS)
	a.DHCP, a.Servers = union(a.DHCP, b.DHCP), union(a.Servers, b.Servers)
	a.Subnets, a.Excluded = union(a.Subnets, b.Subnets), union(a.Excluded, b.Excluded)
	a.Domains = union(a.Domains, b.Domains)
	return a
}

func union[T comparable](a, b []T) []T {
	out := slices.Clone(a)
	for _, x := range b {
		if !slices.Contains(out, x) {
			out = append(out, x)
		}
	}
	return out
}
