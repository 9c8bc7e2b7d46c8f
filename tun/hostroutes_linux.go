package tun

import (
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// HostRoutes lists the routes of the main table that could meet those of a tunnel on the device: it needs no privilege.
func HostRoutes(device string) ([]HostRoute, error) {
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	names := map[int]string{}
	links, err := h.LinkList()
	if err != nil {
		return nil, err
	}
	for _, l := range links {
		names[l.Attrs().Index] = l.Attrs().Name
	}
	l := &linuxLink{h: h, dump: h, index: -1}
	var out []HostRoute
	for _, family := range families {
		if err := l.eachRoute(family, unix.RT_TABLE_MAIN, func(dst netip.Prefix, r *netlink.Route) {
			if l.isLocal(dst, r) && names[r.LinkIndex] != device && !dst.Addr().IsLinkLocalUnicast() {
				out = append(out, HostRoute{Dst: dst, Device: names[r.LinkIndex], Connected: isConnected(r)})
			}
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}
