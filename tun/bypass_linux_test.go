package tun

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// soon waits until something holds that the kernel tells a link of.
func (g *gateway) soon(what string, holds func() bool) {
	g.t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			g.t.Fatalf("%s: not after 20 seconds\n%s", what, g.state())
		}
	}
}

func (g *gateway) waySoon(dst, want string) {
	g.t.Helper()
	g.soon("a packet to "+dst+" leaves by "+want, func() bool { return g.way(dst, 0) == want })
}

// tunnelRoutes lists what is in the tunnel's table of a type, of IPv4.
func (g *gateway) tunnelRoutes(kind int) []netlink.Route {
	g.t.Helper()
	// The filter looks at the first of its criteria that does not fit.
	all, err := g.RouteListFiltered(unix.AF_INET, &netlink.Route{Table: DefaultTable}, netlink.RT_FILTER_TABLE)
	g.must(err)
	return slices.DeleteFunc(all, func(r netlink.Route) bool { return r.Type != kind })
}

func (g *gateway) mainRoute(dst, dev string) *netlink.Route {
	return &netlink.Route{Dst: ipNet(prefix(dst)), LinkIndex: g.link(dev).Attrs().Index, Scope: netlink.SCOPE_LINK}
}

// Networks of the host that are more specific than the tunnel's keep their way, whatever comes first, and all others take
// the tunnel, those too that are as specific or more specific.
func TestLinkKeepsLocalNetworks(t *testing.T) {
	g := newGateway(t)
	before := g.state()
	l := g.configure(g.dev, LinkOptions{Mark: testMark})
	g.must(l.SetUp(testMTU))
	g.must(l.AddRoute(Route{Dst: prefix("10.0.0.0/8")}))
	g.must(l.AddRoute(Route{Dst: prefix("fd00::/8")}))
	local := func() {
		t.Helper()
		g.wantWay("10.10.0.7", 0, "lan") // at once
		g.wantWay("fd00:10::7", 0, "lan")
		g.wantWay("10.10.0.7", testMark, "lan")
		g.wantWay("10.10.1.7", 0, "ipsec0")
		g.wantWay("fd00:11::7", 0, "ipsec0")
		g.wantWay("8.8.8.8", 0, "wan")
	}
	local()
	// An overlapping child, which leaves the LAN alone as well, and one that names a part of the LAN.
	g.must(l.AddRoute(Route{Dst: prefix("10.10.0.0/16")}))
	local()
	g.must(l.AddRoute(Route{Dst: prefix("10.10.0.128/25")}))
	local()
	g.wantWay("10.10.0.200", 0, "ipsec0")
	// The LAN itself: then that is what the operator wants. And back.
	g.must(l.AddRoute(Route{Dst: prefix("10.10.0.0/24")}))
	g.wantWay("10.10.0.7", 0, "ipsec0")
	g.must(l.RemoveRoute(Route{Dst: prefix("10.10.0.0/24")}))
	local()
	g.must(l.RemoveRoute(Route{Dst: prefix("10.0.0.0/8")}))
	g.wantWay("10.20.0.7", 0, "wan")
	g.wantWay("10.10.0.7", 0, "lan")
	g.must(l.AddRoute(Route{Dst: prefix("10.0.0.0/8")}))
	local()
	// A default route into the tunnel changes nothing about it.
	g.must(l.AddRoute(Route{Dst: prefix("0.0.0.0/0")}))
	g.wantWay("10.10.0.7", 0, "lan")
	g.wantWay("10.10.1.7", 0, "ipsec0")
	g.wantWay("8.8.8.8", 0, "ipsec0")
	g.must(l.RemoveRoute(Route{Dst: prefix("0.0.0.0/0")}))
	local()
	g.must(l.Close())
	if after := g.state(); after != before {
		t.Errorf("after Close:\n%s\nwant as before:\n%s", after, before)
	}
}

// A route that is added through a router of the LAN, without naming the device, leads to the LAN, although a route into the tunnel
// covers the router's address.
func TestLinkLeavesGatewaysAlone(t *testing.T) {
	g := newGateway(t)
	l := g.configure(g.dev, LinkOptions{Mark: testMark})
	g.must(l.SetUp(testMTU))
	g.must(l.AddRoute(Route{Dst: prefix("10.0.0.0/8")}))
	g.must(l.AddRoute(Route{Dst: prefix("fd00::/8")}))
	for gw, dst := range map[string]string{"10.10.0.77": "10.66.0.0/16", "fd00:10::77": "fd00:66::/32"} {
		r := &netlink.Route{Dst: ipNet(prefix(dst)), Gw: netip.MustParseAddr(gw).AsSlice()}
		g.must(g.RouteAdd(r))
		g.waySoon(prefix(dst).Addr().Next().String(), "lan")
	}
	g.must(l.Close())
}

// The host's routes come and go while the tunnel is there. What goes leaves nothing in the clear, not for a moment, where
// it had been kept out of the tunnel.
func TestLinkFollowsLocalNetworks(t *testing.T) {
	g := newGateway(t)
	before := g.state()
	l := g.configure(g.dev, LinkOptions{Mark: testMark})
	g.must(l.SetUp(testMTU))
	g.must(l.AddRoute(Route{Dst: prefix("10.0.0.0/8")}))
	g.must(l.AddRoute(Route{Dst: prefix("fd00::/8")}))
	g.wantWay("10.50.0.7", 0, "ipsec0")
	throws := func() int { return len(g.tunnelRoutes(unix.RTN_THROW)) }
	for _, dst := range []string{"10.50.0.0/16", "fd00:50::/32"} {
		r := g.mainRoute(dst, "lan")
		host := prefix(dst).Addr().Next().String()
		g.must(g.RouteAdd(r))
		g.waySoon(host, "lan")
		g.must(g.RouteDel(r))
		g.wantWay(host, 0, "ipsec0") // at once
		// What was kept out for a route that is gone is forgotten by and by.
		g.soon("one network is kept out of the tunnel", func() bool { return throws() == 1 })
	}
	g.address("lan", "10.60.0.1/24")
	g.waySoon("10.60.0.7", "lan")
	g.must(g.AddrDel(g.link("lan"), address(prefix("10.60.0.1/24"))))
	g.wantWay("10.60.0.7", 0, "ipsec0")
	g.must(g.LinkSetDown(g.link("lan")))
	g.wantWay("10.10.0.7", 0, "ipsec0")
	g.must(g.LinkSetUp(g.link("lan")))
	g.waySoon("10.10.0.7", "lan")
	g.soon("one network is kept out of the tunnel", func() bool { return throws() == 1 })
	g.must(l.Close())
	after := g.state()
	if after != before { // IPv6 addresses go with an interface that is set down
		g.address("lan", "fd00:10::1/64")
		if after = g.state(); after != before {
			t.Errorf("after Close:\n%s\nwant as before:\n%s", after, before)
		}
	}
}

// An administrator who drops what has no way in the main table does not mean what has one into the tunnel.
func TestLinkAndBlackHolesOfMain(t *testing.T) {
	g := newGateway(t)
	g.must(g.RouteAdd(&netlink.Route{Dst: ipNet(prefix("10.0.0.0/8")), Type: unix.RTN_BLACKHOLE}))
	g.must(g.RouteAdd(&netlink.Route{Dst: ipNet(prefix("10.20.0.0/16")), Type: unix.RTN_UNREACHABLE}))
	g.must(g.RouteAdd(&netlink.Route{Dst: ipNet(prefix("fd00::/8")), Type: unix.RTN_UNREACHABLE}))
	l := g.configure(g.dev, LinkOptions{Mark: testMark})
	g.must(l.SetUp(testMTU))
	for _, dst := range []string{"10.0.0.0/8", "fd00:20::/32", "fd00::/8"} {
		g.must(l.AddRoute(Route{Dst: prefix(dst)}))
	}
	for _, dst := range []string{"10.20.0.1", "10.30.0.1", "fd00:20::1", "fd00:30::1"} {
		g.wantWay(dst, 0, "ipsec0")
	}
	g.wantWay("10.10.0.7", 0, "lan")
}

// The configuration may say that only connected networks keep their way, or none.
func TestLinkLocalRoutes(t *testing.T) {
	for local, want := range map[LocalRoutes][2]string{LocalKept: {"lan", "lan"}, LocalConnected: {"lan", "ipsec0"}, LocalTunnelled: {"ipsec0", "ipsec0"}} {
		g := newGateway(t)
		before := g.state()
		g.must(g.RouteAdd(&netlink.Route{Dst: ipNet(prefix("10.50.0.0/16")), Gw: net.ParseIP("10.10.0.99")}))
		l := g.configure(g.dev, LinkOptions{Mark: testMark, Local: local})
		g.must(l.SetUp(testMTU))
		for _, dst := range []string{"10.0.0.0/8", "0.0.0.0/0"} {
			g.must(l.AddRoute(Route{Dst: prefix(dst)}))
			g.wantWay("10.10.0.7", 0, want[0])
			g.wantWay("10.50.0.7", 0, want[1])
			g.wantWay("10.50.0.7", testMark, "lan")
			g.wantWay("10.51.0.7", 0, "ipsec0")
			g.must(l.RemoveRoute(Route{Dst: prefix(dst)}))
			g.wantWay("10.51.0.7", 0, "wan")
		}
		g.must(l.Close())
		g.must(g.RouteDel(&netlink.Route{Dst: ipNet(prefix("10.50.0.0/16"))}))
		if after := g.state(); after != before {
			t.Errorf("after Close:\n%s\nwant as before:\n%s", after, before)
		}
	}
}
