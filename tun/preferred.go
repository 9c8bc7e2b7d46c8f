package tun

import (
	"net"
	"net/netip"
)

// PreferredSource picks the Src of the route to dst: the first of addrs that has dst's family and lies in local, the
// prefixes of the tunnel's local traffic selectors. Without it packets of the gateway itself would leave
// with an address that the peer's policy refuses. The zero Addr means that this host has no such address. Addresses
// that are never a source outside their own link (loopback, link-local, multicast) are passed over.
func PreferredSource(dst netip.Prefix, local []netip.Prefix, addrs []netip.Addr) netip.Addr {
	for _, a := range addrs {
		a = a.Unmap().WithZone("")
		if !a.IsValid() || a.Is4() != dst.Addr().Unmap().Is4() ||
			a.IsUnspecified() || a.IsLoopback() || a.IsMulticast() || a.IsLinkLocalUnicast() {
			continue
		}
		for _, p := range local {
			if p.Contains(a) {
				return a
			}
		}
	}
	return netip.Addr{}
}

// LocalAddresses lists this host's addresses in the order the system has them, for PreferredSource.
func LocalAddresses() ([]netip.Addr, error) {
	list, err := net.InterfaceAddrs()
	if err != nil {
		return nil, err
	}
	var addrs []netip.Addr
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(n.IP); ok {
				addrs = append(addrs, addr.Unmap())
			}
		}
	}
	return addrs, nil
}
