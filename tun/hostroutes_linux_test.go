package tun

import (
	"net"
	"testing"

	"github.com/vishvananda/netlink"
)

// A route with several next hops has the names of their devices.
func TestHostRoutesNameAllDevices(t *testing.T) {
	g := newGateway(t)
	hop := func(dev, gw string) *netlink.NexthopInfo {
		return &netlink.NexthopInfo{LinkIndex: g.link(dev).Attrs().Index, Gw: net.ParseIP(gw)}
	}
	for dst, gws := range map[string][2]string{"10.88.0.0/16": {"203.0.113.1", "10.10.0.9"}, "fd00:88::/32": {"2001:db8:1::1", "fd00:10::9"}} {
		g.must(g.RouteAdd(&netlink.Route{Dst: ipNet(prefix(dst)), MultiPath: []*netlink.NexthopInfo{hop("wan", gws[0]), hop("lan", gws[1])}}))
	}
	var routes []HostRoute
	g.do(func() (err error) { routes, err = HostRoutes("ipsec0"); return err })
	found := 0
	for _, r := range routes {
		if s := r.Dst.String(); s != "10.88.0.0/16" && s != "fd00:88::/32" {
			continue
		}
		if found++; r.Device != "wan and lan" {
			t.Errorf("%s leads to %q, want wan and lan", r.Dst, r.Device)
		}
	}
	if found != 2 {
		t.Errorf("%d of the routes in %v", found, routes)
	}
}
