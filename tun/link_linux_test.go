package tun

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

const (
	testMark  = 0xdc
	peerAddr  = "198.51.100.20"
	peerAddr6 = "2001:db8:99::20"
	testMTU   = 1406
)

func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }
func addr(s string) netip.Addr     { return netip.MustParseAddr(s) }

// gateway is a namespace with a wan, a lan and a default route, and the Internet behind its wan, where the peer is.
type gateway struct {
	*space
	internet *space
	dev      QueueDevice
}

func newGateway(t *testing.T) *gateway {
	t.Helper()
	needRoot(t)
	g := &gateway{space: newSpace(t), internet: newSpace(t)}
	veth(t, g.space, "wan", g.internet, "uplink")
	g.address("wan", "203.0.113.10/24")
	g.address("wan", "2001:db8:1::10/64")
	g.internet.address("uplink", "203.0.113.1/24")
	g.internet.address("uplink", "2001:db8:1::1/64")
	g.internet.address("lo", peerAddr+"/32")
	g.internet.address("lo", peerAddr6+"/128")
	for _, gw := range []string{"203.0.113.1", "2001:db8:1::1"} {
		g.must(g.RouteAdd(&netlink.Route{LinkIndex: g.link("wan").Attrs().Index, Gw: net.ParseIP(gw)}))
	}
	veth(t, g.space, "lan", newSpace(t), "host")
	g.address("lan", "10.10.0.1/24")
	g.address("lan", "fd00:10::1/64")
	g.dev = g.openQueues(allFeatures("ipsec0", testMTU, 1))
	return g
}

func (g *gateway) wantWay(dst string, mark uint32, want string) {
	g.t.Helper()
	if got := g.way(dst, mark); got != want {
		g.t.Errorf("a packet to %s with mark %#x leaves by %s, want %s", dst, mark, got, want)
	}
}

func TestLinkRoutes(t *testing.T) {
	g := newGateway(t)
	before := g.state()
	l := g.configure(g.dev, LinkOptions{Mark: testMark})
	g.must(l.SetUp(1380))
	if mtu, err := g.dev.MTU(); err != nil || mtu != 1380 {
		t.Errorf("MTU is %d, %v; want 1380", mtu, err)
	}
	if n := g.link("ipsec0").Attrs().TxQLen; n != DefaultTxQueueLen {
		t.Errorf("txqueuelen is %d, want %d", n, DefaultTxQueueLen)
	}
	g.must(l.AddAddress(prefix("10.99.0.1/32")))
	g.must(l.AddAddress(prefix("fd00:99::1/128")))
	g.must(l.AddRoute(Route{Dst: prefix("10.20.0.0/16"), Src: addr("10.10.0.1")}))
	g.must(l.AddRoute(Route{Dst: prefix("fd00:20::/32"), Src: addr("fd00:10::1")}))
	g.must(l.AddRoute(Route{Dst: prefix("198.51.100.0/24")})) // covers the peer
	g.must(l.AddRoute(Route{Dst: prefix("2001:db8:99::/48")}))
	for _, c := range []struct {
		dst  string
		mark uint32
		want string
	}{
		{"10.20.1.1", 0, "ipsec0"}, {"10.20.1.1", testMark, "wan"},
		{"fd00:20::1", 0, "ipsec0"}, {"fd00:20::1", testMark, "wan"},
		{peerAddr, 0, "ipsec0"}, {peerAddr, testMark, "wan"},
		{peerAddr6, 0, "ipsec0"}, {peerAddr6, testMark, "wan"},
		{peerAddr, testMark + 1, "ipsec0"}, // somebody else's mark is not ours
		{"10.10.0.7", 0, "lan"}, {"8.8.8.8", 0, "wan"}, {"2001:db8:77::1", 0, "wan"},
	} {
		g.wantWay(c.dst, c.mark, c.want)
	}
	routes, err := g.RouteGet(net.ParseIP("10.20.1.1"))
	if err != nil || len(routes) != 1 || !routes[0].Src.Equal(net.ParseIP("10.10.0.1")) {
		t.Errorf("route to 10.20.1.1 is %v, %v; want source 10.10.0.1", routes, err)
	}
	// A closer look than Close's: what is removed one by one is gone, too.
	g.must(l.RemoveRoute(Route{Dst: prefix("10.20.0.0/16"), Src: addr("10.10.0.1")}))
	g.wantWay("10.20.1.1", 0, "wan")
	g.wantWay(peerAddr, 0, "ipsec0")
	g.must(l.Close())
	if after := g.state(); after != before {
		t.Errorf("after Close:\n%s\nwant as before:\n%s", after, before)
	}
	if mtu, err := g.dev.MTU(); err != nil || mtu != testMTU {
		t.Errorf("MTU is %d, %v after Close; want %d", mtu, err, testMTU)
	}
	g.must(l.Close())
}

func TestLinkDefaultRoute(t *testing.T) {
	g := newGateway(t)
	before := g.state()
	l := g.configure(g.dev, LinkOptions{Mark: testMark, Table: 4500, Priority: 5000}) // a table number beyond one octet
	g.must(l.SetUp(testMTU))
	g.must(l.AddRoute(Route{Dst: prefix("0.0.0.0/0")}))
	g.must(l.AddRoute(Route{Dst: prefix("::/0")}))
	g.must(l.AddRoute(Route{Dst: prefix("203.0.113.128/25")})) // wins over the connected wan
	for _, c := range []struct {
		dst  string
		mark uint32
		want string
	}{
		{"8.8.8.8", 0, "ipsec0"}, {"8.8.8.8", testMark, "wan"},
		{"2001:db8:77::1", 0, "ipsec0"}, {"2001:db8:77::1", testMark, "wan"},
		{peerAddr, 0, "ipsec0"}, {peerAddr, testMark, "wan"},
		{"10.10.0.7", 0, "lan"}, {"10.10.0.7", testMark, "lan"}, {"fd00:10::7", 0, "lan"},
		{"203.0.113.1", 0, "wan"}, {"203.0.113.200", 0, "ipsec0"}, {"203.0.113.200", testMark, "wan"},
	} {
		g.wantWay(c.dst, c.mark, c.want)
	}
	g.must(l.RemoveRoute(Route{Dst: prefix("0.0.0.0/0")}))
	g.wantWay("8.8.8.8", 0, "wan")
	g.wantWay("2001:db8:77::1", 0, "ipsec0")
	g.must(l.Close())
	if after := g.state(); after != before {
		t.Errorf("after Close:\n%s\nwant as before:\n%s", after, before)
	}
}

// udp sends and receives with real sockets, of which one has the mark.
func (s *space) udp(local string, mark int) *net.UDPConn {
	s.t.Helper()
	var c *net.UDPConn
	s.do(func() error {
		a, err := net.ResolveUDPAddr("udp", local)
		if err != nil {
			return err
		}
		if c, err = net.ListenUDP("udp", a); err != nil {
			return err
		}
		raw, err := c.SyscallConn()
		if err != nil {
			return err
		}
		var e error
		if err := raw.Control(func(fd uintptr) {
			e = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, mark)
		}); err != nil {
			return err
		}
		return e
	})
	s.t.Cleanup(func() { c.Close() })
	return c
}

// How long exchange waits for a datagram that should arrive, and for one that should not.
const (
	arrives = 5 * time.Second
	stopped = 300 * time.Millisecond
)

// exchange sends a datagram from a to b's address and an answer back; it reports how far it came.
func exchange(a *net.UDPConn, peer string, b *net.UDPConn, wait time.Duration) error {
	to, err := net.ResolveUDPAddr("udp", peer)
	if err != nil {
		return err
	}
	if _, err := a.WriteTo([]byte("question"), to); err != nil {
		return fmt.Errorf("question not sent: %w", err)
	}
	buf := make([]byte, 100)
	b.SetReadDeadline(time.Now().Add(wait))
	_, from, err := b.ReadFrom(buf)
	if err != nil {
		return fmt.Errorf("question did not arrive: %w", err)
	}
	if _, err := b.WriteTo([]byte("answer"), from); err != nil {
		return fmt.Errorf("answer not sent: %w", err)
	}
	a.SetReadDeadline(time.Now().Add(wait))
	if _, _, err := a.ReadFrom(buf); err != nil {
		return fmt.Errorf("answer did not arrive: %w", err)
	}
	return nil
}

// The tunnel's own packets stay outside, even with selectors that cover the peer and a strict reverse path filter.
func TestLinkPeerInsideSelectors(t *testing.T) {
	for _, dst := range []string{peerAddr + "/32", "0.0.0.0/0"} {
		t.Run(dst, func(t *testing.T) {
			g := newGateway(t)
			neighbour := newSpace(t)
			veth(t, g.space, "lan2", neighbour, "eth")
			g.address("lan2", "10.77.0.1/24")
			neighbour.address("eth", "10.77.0.7/24")
			neighbour.must(neighbour.RouteAdd(&netlink.Route{LinkIndex: neighbour.link("eth").Attrs().Index, Gw: net.ParseIP("10.77.0.1")}))
			g.internet.must(g.internet.RouteAdd(&netlink.Route{Dst: ipNet(prefix("10.77.0.0/24")), Gw: net.ParseIP("203.0.113.10")}))
			g.sysctl("ipv4/ip_forward", "1")
			before := g.state()
			g.sysctl("ipv4/conf/all/rp_filter", "1")
			g.sysctl("ipv4/conf/wan/rp_filter", "1")
			l := g.configure(g.dev, LinkOptions{Mark: testMark})
			g.must(l.SetUp(testMTU))
			ike := g.udp("203.0.113.10:4500", testMark)
			peer := g.internet.udp(peerAddr+":4500", 0)
			g.must(l.AddRoute(Route{Dst: prefix(dst)}))
			if err := exchange(ike, peerAddr+":4500", peer, stopped); err == nil || !strings.Contains(err.Error(), "answer did not arrive") {
				t.Errorf("without Exclude the strict filter should stop the answer; got %v", err)
			}
			g.must(l.Exclude(addr(peerAddr)))
			if err := exchange(ike, peerAddr+":4500", peer, arrives); err != nil {
				t.Errorf("with Exclude: %v", err)
			}
			// Everything else to the peer's address takes the tunnel, also with the same peer port.
			other := g.udp("203.0.113.10:9999", 0)
			if err := exchange(other, peerAddr+":4500", peer, stopped); err == nil || !strings.Contains(err.Error(), "question did not arrive") {
				t.Errorf("another socket's packet should take the tunnel; got %v", err)
			}
			// So does what comes from others and only looks like ours: the port of its source is anybody's choice.
			if err := exchange(neighbour.udp("10.77.0.7:4500", 0), peerAddr+":4500", peer, stopped); err == nil || !strings.Contains(err.Error(), "question did not arrive") {
				t.Errorf("a forwarded packet should take the tunnel; got %v", err)
			}
			g.must(l.Close())
			if after := g.state(); after != before {
				t.Errorf("after Close:\n%s\nwant as before:\n%s", after, before)
			}
		})
	}
}

func TestLinkPeerInsideSelectors6(t *testing.T) {
	g := newGateway(t)
	l := g.configure(g.dev, LinkOptions{Mark: testMark})
	g.must(l.SetUp(testMTU))
	ike := g.udp("[2001:db8:1::10]:4500", testMark)
	peer := g.internet.udp("["+peerAddr6+"]:4500", 0)
	g.must(l.Exclude(addr(peerAddr6)))
	g.must(l.AddRoute(Route{Dst: prefix("::/0")}))
	if err := exchange(ike, "["+peerAddr6+"]:4500", peer, arrives); err != nil {
		t.Error(err)
	}
}

func TestLinkWithoutMark(t *testing.T) {
	g := newGateway(t)
	before := g.state()
	l := g.configure(g.dev, LinkOptions{})
	g.must(l.SetUp(testMTU))
	g.must(l.Exclude(addr(peerAddr)))
	for _, dst := range []string{"198.51.100.0/24", "0.0.0.0/0", "::/0"} {
		g.must(l.AddRoute(Route{Dst: prefix(dst)}))
	}
	g.must(l.Exclude(addr(peerAddr6))) // after its route
	g.wantWay(peerAddr, 0, "wan")
	g.wantWay("198.51.100.21", 0, "ipsec0")
	g.wantWay("8.8.8.8", 0, "ipsec0")
	g.wantWay(peerAddr6, 0, "wan")
	g.wantWay("2001:db8:99::21", 0, "ipsec0")
	g.must(l.Unexclude(addr(peerAddr)))
	g.wantWay(peerAddr, 0, "ipsec0")
	g.must(l.Close())
	if after := g.state(); after != before {
		t.Errorf("after Close:\n%s\nwant as before:\n%s", after, before)
	}
}

// What fails half-way leaves nothing behind.
func TestLinkFailuresLeaveNothing(t *testing.T) {
	g := newGateway(t)
	l := g.configure(g.dev, LinkOptions{Mark: testMark})
	g.must(l.Exclude(addr(peerAddr)))
	before := g.state()
	want := func(what string, err, cause error, fix string) {
		t.Helper()
		var e *LinkError
		if !errors.As(err, &e) || !errors.Is(err, cause) || !strings.Contains(e.Fix, fix) || e.Device != "ipsec0" {
			t.Errorf("%s: got %v, want a LinkError of %v with a fix that says %q", what, err, cause, fix)
		}
		if after := g.state(); after != before {
			t.Errorf("%s has left something:\n%s\nwant as before:\n%s", what, after, before)
		}
	}
	// What has no way into the device refuses its packets until it is removed.
	refused := func(r Route) error {
		err := l.AddRoute(r)
		if !errors.Is(err, ErrOnlyRefused) {
			t.Errorf("%v: %v", r, err)
		}
		if r.Dst.Bits() > 0 {
			g.wantWay(r.Dst.Addr().Next().String(), 0, "error: no route to host")
		}
		g.must(l.RemoveRoute(r))
		return err
	}
	want("route while down", refused(Route{Dst: prefix("198.51.100.0/24")}), unix.ENETDOWN, "bring the device up")
	want("default route while down", refused(Route{Dst: prefix("0.0.0.0/0")}), unix.ENETDOWN, "bring the device up")
	g.must(l.SetUp(testMTU))
	before = g.state()
	want("foreign source", refused(Route{Dst: prefix("0.0.0.0/0"), Src: addr("192.0.2.1")}), unix.EINVAL, "preferred source")
	want("foreign source, IPv6", refused(Route{Dst: prefix("::/0"), Src: addr("2001:db8:5::5")}), unix.EINVAL, "preferred source")
	want("not added", l.RemoveRoute(Route{Dst: prefix("0.0.0.0/0")}), ErrNotAdded, "")
	// Another tunnel of the same table has the prefix.
	g.must(g.RouteAdd(&netlink.Route{LinkIndex: g.link("lan").Attrs().Index, Table: DefaultTable, Dst: ipNet(prefix("10.20.0.0/16")), Scope: netlink.SCOPE_LINK}))
	before = g.state()
	err := l.AddRoute(Route{Dst: prefix("10.20.0.0/16")})
	var taken *routeTakenError
	if !errors.As(err, &taken) || taken.device != "lan" || !strings.Contains(err.Error(), "already routes 10.20.0.0/16 to device lan") {
		t.Errorf("got %v, want a routeTakenError that names lan", err)
	}
	// The rule of the table stays: the other tunnel needs it.
	for _, r := range []string{"0.0.0.0/0", "10.20.0.0/16"} {
		if err := l.RemoveRoute(Route{Dst: prefix(r)}); !errors.Is(err, ErrNotAdded) {
			t.Errorf("remove %s: %v, want ErrNotAdded", r, err)
		}
	}
}

// The device may vanish first: then Close has only the rules to remove, and no error to tell.
func TestLinkCloseAfterDevice(t *testing.T) {
	g := newGateway(t)
	l := g.configure(g.dev, LinkOptions{Mark: testMark})
	g.must(l.SetUp(testMTU))
	clean := "rule"
	g.must(l.AddAddress(prefix("10.99.0.1/32")))
	g.must(l.AddRoute(Route{Dst: prefix("10.20.0.0/16")}))
	g.must(l.AddRoute(Route{Dst: prefix("::/0")}))
	g.must(g.dev.Close())
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	for line := range strings.Lines(g.state()) {
		if strings.HasPrefix(line, clean) && strings.Contains(line, "proto=220") {
			t.Errorf("left behind: %s", line)
		}
	}
}

// No link-local address and no router solicitation: nothing that would start a tunnel by itself.
func TestLinkIsQuiet(t *testing.T) {
	g := newGateway(t)
	l := g.configure(g.dev, LinkOptions{Mark: testMark})
	g.must(l.SetUp(testMTU))
	addrs, err := g.AddrList(g.link("ipsec0"), netlink.FAMILY_ALL)
	if err != nil || len(addrs) != 0 {
		t.Errorf("addresses of its own: %v, %v", addrs, err)
	}
}

func TestLinkOptionLimits(t *testing.T) {
	g := newGateway(t)
	for _, o := range []LinkOptions{{Table: 252}, {Table: 253}, {Table: 254}, {Table: 255}, {Table: -1}, {Priority: 1}, {Priority: 32765}, {Priority: -4}} {
		g.do(func() error {
			if l, err := Configure(g.dev, o); !errors.Is(err, ErrBadRequest) {
				if err == nil {
					l.Close()
				}
				return fmt.Errorf("%+v: got %v, want ErrBadRequest", o, err)
			}
			return nil
		})
	}
}

func TestLinkDisabledIPv6(t *testing.T) {
	g := newGateway(t)
	g.sysctl("ipv6/conf/ipsec0/disable_ipv6", "1")
	l := g.configure(g.dev, LinkOptions{Mark: testMark})
	g.must(l.SetUp(testMTU))
	err := l.AddAddress(prefix("fd00:99::1/128"))
	var e *LinkError
	if !errors.As(err, &e) || !strings.Contains(e.Fix, "disable_ipv6") {
		t.Errorf("got %v, want a LinkError whose fix names disable_ipv6", err)
	}
}

// TestDeviceOfAnAdministrator: a process without any capability uses a device that was made for its user, with what that has: its
// MTU, its addresses, up. What it would have to change is an error, and nothing is changed at the end.
func TestDeviceOfAnAdministrator(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	const user = 65534
	given, other := prefix("10.99.0.1/32"), prefix("10.99.0.2/32")
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "given0"
	s.do(func() error {
		return netlink.LinkAdd(&netlink.Tuntap{LinkAttrs: attrs, Mode: netlink.TUNTAP_MODE_TUN, Flags: netlink.TUNTAP_NO_PI, Owner: user})
	})
	s.must(s.LinkSetMTU(s.link("given0"), testMTU))
	s.address("given0", given.String())
	s.must(s.LinkSetUp(s.link("given0")))
	s.do(func() error {
		// Of this thread only: it loses all its capabilities with it.
		if _, _, e := unix.RawSyscall(unix.SYS_SETRESUID, user, user, user); e != 0 {
			return e
		}
		dev, err := OpenQueues(allFeatures("given0", testMTU, 1))
		if err != nil {
			return err
		}
		defer dev.Close()
		l, err := Configure(dev, LinkOptions{})
		if err != nil {
			return err
		}
		if err := errors.Join(l.SetUp(testMTU), l.AddAddress(given), l.Sweep()); err != nil {
			return err
		}
		if err := l.AddAddress(other); !errors.Is(err, unix.EPERM) {
			t.Errorf("an address that the device does not have: %v", err)
		}
		if err := l.SetUp(testMTU - 1); !errors.Is(err, unix.EPERM) {
			t.Errorf("another MTU: %v", err)
		}
		if err := l.SetUp(testMTU); err != nil {
			return err
		}
		return l.Close()
	})
	a := s.link("given0").Attrs()
	have, err := s.AddrList(s.link("given0"), netlink.FAMILY_V4)
	if err != nil || a.RawFlags&unix.IFF_UP == 0 || a.MTU != testMTU || len(have) != 1 {
		t.Errorf("left with mtu %d, flags %#x, addresses %v, %v", a.MTU, a.RawFlags, have, err)
	}
}
