//go:build !linux

package dataplane

import (
	"net"
	"net/netip"
)

// probeMTU gives the MTU of the interface that has the route's local address, and 0 when there is none.
func probeMTU(r *route, _ uint32) int {
	local := r.path.Local.Addr()
	if !local.IsValid() || local.IsUnspecified() {
		// The address that the system would send from.
		c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(r.path.Remote))
		if err != nil {
			return 0
		}
		local = c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap()
		_ = c.Close()
	}
	ifs, err := net.Interfaces()
	if err != nil {
		return 0
	}
	for _, i := range ifs {
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap() == local {
				return min(i.MTU, maxPacket)
			}
		}
	}
	return 0
}
