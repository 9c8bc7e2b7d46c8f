//go:build !linux

package tun

import (
	"net"
	"net/netip"
)

// HostRoutes lists the networks that this host is directly connected to, without that of the tunnel's device.
func HostRoutes(device string) ([]HostRoute, error) {
	list, err := net.Interfaces()
	if err != nil {
		return nil, err
	}
	var out []HostRoute
	for _, i := range list {
		if i.Flags&net.FlagUp == 0 || i.Flags&net.FlagLoopback != 0 || i.Name == device {
			continue
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue // it went meanwhile
		}
		for _, a := range addrs {
			n, ok := a.(*net.IPNet)
			if !ok {
				continue
			}
			bits, _ := n.Mask.Size()
			if ip, ok := netip.AddrFromSlice(n.IP); ok && !ip.IsLinkLocalUnicast() {
				out = append(out, HostRoute{Dst: netip.PrefixFrom(ip.Unmap(), bits).Masked(), Device: i.Name, Connected: true})
			}
		}
	}
	return out, nil
}
