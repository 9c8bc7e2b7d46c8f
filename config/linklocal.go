package config

import (
	"net/netip"
	"slices"
	"strings"
)

// badZone says what is wrong with the interface of an address: a link-local IPv6 address is one on each link, so that the
// system can't use it without one (RFC 4007, section 6), and no other address has one.
func badZone(a netip.Addr) (reason, want string) {
	const digits, longest = "0123456789", 15 // IFNAMSIZ without the NUL
	switch zone := a.Zone(); {
	case zone == "" && a.Is6() && a.IsLinkLocalUnicast():
		return a.String() + " is link-local", "write its interface, " + a.String() + "%eth0"
	case zone != "" && !a.IsLinkLocalUnicast():
		return quote(a.String()) + " has an interface, which only link-local addresses have", "write " + quote(a.WithZone("").String())
	case len(zone) > longest || strings.ContainsAny(zone, "/ \t%:"):
		return quote(zone) + " is not the name of an interface", "write one address and its interface, " + a.WithZone("").String() + "%eth0"
	case zone != "" && strings.Trim(zone, digits) == "":
		return quote(a.String()) + " has a number for its interface", "write the interface's name, " + a.WithZone("").String() + "%eth0"
	}
	return "", ""
}

// badRange says what is wrong with a range of addresses: one that is a single address is no better than that, and nobody can be
// at a multicast address. Link-local ones among several need no interface: they are only compared with.
func badRange(e Endpoint, text, forms string) (reason, want string) {
	switch {
	case noHost(e.First) && noHost(e.Last):
		return quote(text) + " is not a gateway's address", forms
	case e.First == e.Last:
		return badZone(e.First)
	}
	return "", ""
}

// checkLinks reports addresses of the two sides that can't meet because a link-local one of them is on another link.
func (c *Config) checkLinks(r *reader) {
	for _, n := range c.Connections {
		var local []netip.Addr
		free := false // there are others than link-local ones
		for _, e := range n.LocalAddrs {
			switch a := e.Addr(); {
			case !a.IsValid() || a.Is6() && a.Zone() == "":
				free = true
			case a.Is6():
				local = append(local, a)
			}
		}
		if free || len(local) == 0 {
			continue
		}
		for _, e := range n.RemoteAddrs {
			a := e.Addr()
			if !a.IsValid() || !a.Is6() || slices.ContainsFunc(local, func(l netip.Addr) bool { return l.Zone() == a.Zone() }) {
				continue
			}
			if a.Zone() == "" {
				r.warnf(n.At("local_addrs"), "add an address that routers pass on, or leave local_addrs out", "connections.%s.local_addrs has "+
					"only link-local IPv6 addresses, whose packets no router passes on to %s", n.Name, a)
			} else {
				r.errorf(n.At("local_addrs"), "write the address on "+a.Zone()+", or leave local_addrs out", "connections.%s: %s can't be "+
					"reached from %s, which is on another link", n.Name, a, local[0])
			}
		}
	}
}
