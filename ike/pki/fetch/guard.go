package fetch

import (
	"fmt"
	"net/netip"
	"slices"
)

// Guard says which addresses may be connected to. It is immutable; any goroutine may use it.
type Guard struct {
	// Allowed are networks that may be connected to although they are not of the public Internet.
	Allowed []netip.Prefix
	// Own returns the addresses of this host, which are connected to only when the operator has written so. It may be nil.
	Own func() []netip.Addr
}

// ForbiddenError says that an address leads to where this gateway does not go.
type ForbiddenError struct {
	Addr netip.Addr
	// What it is: "loopback".
	What string
}

// Error names the address and what it is.
func (e *ForbiddenError) Error() string {
	return fmt.Sprintf("it leads to %s, which is %s: nothing is fetched from there unless fetch_allow names it", e.Addr, e.What)
}

// network is a range of addresses that are not of the public Internet. near: it is one that an operator may well have a server in.
type network struct {
	prefix netip.Prefix
	what   string
	near   bool
}

func special(p, what string, near bool) network { return network{netip.MustParsePrefix(p), what, near} }

// networks are those of IANA's registries of special addresses (RFC 6890) that are not globally reachable, or that lead to others. Of IPv6
// all is left out that is not global unicast, 2000::/3.
var networks = []network{
	special("127.0.0.0/8", "loopback", true),
	special("::1/128", "loopback", true),
	special("10.0.0.0/8", "a private address", true),
	special("172.16.0.0/12", "a private address", true),
	special("192.168.0.0/16", "a private address", true),
	special("100.64.0.0/10", "an address of a provider's NAT", true),
	special("fc00::/7", "a private address", true),
	special("0.0.0.0/8", "no address of a host", false),
	special("169.254.0.0/16", "a link-local address", false),
	special("192.0.0.0/24", "reserved", false),
	special("192.0.2.0/24", "for documentation", false),
	special("192.88.99.0/24", "a relay of 6to4", false),
	special("198.18.0.0/15", "for benchmarks", false),
	special("198.51.100.0/24", "for documentation", false),
	special("203.0.113.0/24", "for documentation", false),
	special("224.0.0.0/4", "multicast", false),
	special("240.0.0.0/4", "reserved", false),
	special("::/128", "no address of a host", false),
	special("fe80::/10", "a link-local address", false),
	special("ff00::/8", "multicast", false),
	special("2001::/23", "reserved", false), // Teredo, ORCHID and others
	special("2001:db8::/32", "for documentation", false),
	special("2002::/16", "an address of 6to4, which leads to one of IPv4", false),
	special("3fff::/20", "for documentation", false),
}

var (
	globalUnicast = netip.MustParsePrefix("2000::/3")
	nat64         = netip.MustParsePrefix("64:ff9b::/96")
)

// Check returns nil if an address may be connected to, and a [*ForbiddenError] if not. configured: the operator has written the name or
// the address that leads there.
func (g *Guard) Check(a netip.Addr, configured bool) error {
	a = a.Unmap()
	forbid := func(what string) error { return &ForbiddenError{a, what} }
	if slices.ContainsFunc(g.Allowed, func(p netip.Prefix) bool { return p.Contains(a.WithZone("")) }) {
		return nil
	}
	for _, n := range networks {
		if n.prefix.Contains(a.WithZone("")) {
			if n.near && configured {
				return nil
			}
			return forbid(n.what)
		}
	}
	switch {
	case !a.IsValid() || a.Zone() != "":
		return forbid("of a link")
	case nat64.Contains(a):
		// RFC 6052 section 2.1: the last 32 bits are an address of IPv4.
		b := a.As16()
		return g.Check(netip.AddrFrom4([4]byte(b[12:])), configured)
	case a.Is6() && !globalUnicast.Contains(a):
		return forbid("no global unicast address")
	case !configured && g.Own != nil && slices.ContainsFunc(g.Own(), func(o netip.Addr) bool { return o.Unmap() == a }):
		return forbid("an address of this host")
	}
	return nil
}
