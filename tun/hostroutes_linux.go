package tun

import (
	"net/netip"
	"slices"
	"strings"

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
			through := devices(r, names)
			if l.isLocal(dst, r) && through != device && !dst.Addr().IsLinkLocalUnicast() {
				out = append(out, HostRoute{Dst: dst, Device: through, Connected: isConnected(r)})
			}
		}); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// devices names what a route leads to: one device, or each of those of a route with several next hops.
func devices(r *netlink.Route, names map[int]string) string {
	if len(r.MultiPath) == 0 {
		return names[r.LinkIndex]
	}
	var out []string
	for _, hop := range r.MultiPath {
		if name := names[hop.LinkIndex]; !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return strings.Join(out, " and ")
}
