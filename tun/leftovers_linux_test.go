package tun

import (
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// kill ends a link as the end of its process does: nothing is taken back.
func kill(l Link) {
	k := l.(*link)
	k.once.Do(k.stop)
}

// Rules and what refuses packets outlive a process that is killed; its device and routes do not. The next run takes them
// over, so that nothing leaves in the clear meanwhile, and removes what it does not want.
func TestLinkLeftovers(t *testing.T) {
	g := newGateway(t)
	clean := g.state()
	crash := func(o LinkOptions) {
		t.Helper()
		l := g.configure(g.dev, o)
		g.must(l.SetUp(testMTU))
		g.must(l.Exclude(addr(peerAddr)))
		g.must(l.Exclude(addr("2001:db8:99::20")))
		for _, dst := range []string{"198.51.100.0/24", "0.0.0.0/0", "::/0", "fd00:20::/32"} {
			g.must(l.AddRoute(Route{Dst: prefix(dst)}))
		}
		kill(l)
		g.must(g.dev.Close())
		g.dev = g.openQueues(allFeatures("ipsec0", testMTU, 1))
	}
	for _, o := range []LinkOptions{{Mark: 0x17}, {}} {
		crash(o)
		if g.state() == clean {
			t.Fatal("nothing was left behind: this tests nothing")
		}
		// Another mark now, as after a change of the configuration.
		l := g.configure(g.dev, LinkOptions{Mark: testMark})
		for _, dst := range []string{"198.51.100.77", "8.8.8.8", "2001:db8:77::1", "fd00:20::7"} {
			g.wantWay(dst, 0, "error: no route to host")
		}
		g.wantWay("8.8.8.8", testMark, "wan")
		g.wantWay("10.10.0.7", 0, "lan")
		if o.Mark != 0 {
			g.must(l.Sweep())
		} else { // the end does the same
			g.must(l.Close())
		}
		if after := g.state(); after != clean {
			t.Errorf("after %+v:\n%s\nwant:\n%s", o, after, clean)
		}
		g.must(l.Close())
	}
}

// Two processes may share tables and rules: neither takes the other's away.
func TestLinkShared(t *testing.T) {
	g := newGateway(t)
	before := g.state()
	a := g.configure(g.dev, LinkOptions{Mark: testMark})
	g.must(a.SetUp(testMTU))
	g.must(a.AddRoute(Route{Dst: prefix("10.20.0.0/16")}))
	devB := g.openQueues(allFeatures("ipsec1", testMTU, 1))
	b := g.configure(devB, LinkOptions{Mark: testMark})
	g.wantWay("10.20.1.1", 0, "ipsec0")
	g.must(b.SetUp(testMTU))
	g.must(b.AddRoute(Route{Dst: prefix("10.30.0.0/16")}))
	if err := b.AddRoute(Route{Dst: prefix("10.20.0.0/16")}); err == nil {
		t.Error("both have 10.20.0.0/16")
	}
	g.must(a.Close())
	g.wantWay("10.20.1.1", 0, "wan")
	g.wantWay("10.30.1.1", 0, "ipsec1")
	g.must(b.Close())
	g.must(devB.Close())
	if after := g.state(); after != before {
		t.Errorf("after Close:\n%s\nwant as before:\n%s", after, before)
	}
}

// A persistent device survives: its routes of an earlier run are removed, its settings are given back.
func TestLinkPersistentDevice(t *testing.T) {
	g := newGateway(t)
	attrs := netlink.NewLinkAttrs()
	attrs.Name = "keep0"
	g.do(func() error {
		return netlink.LinkAdd(&netlink.Tuntap{LinkAttrs: attrs, Mode: netlink.TUNTAP_MODE_TUN, Flags: netlink.TUNTAP_DEFAULTS | netlink.TUNTAP_NO_PI})
	})
	open := func() QueueDevice { return g.openQueues(allFeatures("keep0", testMTU, 1)) }
	dev := open()
	before := g.state()
	crashed := g.configure(dev, LinkOptions{Mark: testMark})
	g.must(crashed.SetUp(testMTU))
	g.must(crashed.AddRoute(Route{Dst: prefix("10.20.0.0/16")}))
	kill(crashed)
	g.must(dev.Close())
	g.must(g.LinkSetUp(g.link("keep0")))

	dev = open()
	l := g.configure(dev, LinkOptions{Mark: testMark})
	g.wantWay("10.20.1.1", 0, "error: no route to host")
	g.must(l.Sweep())
	g.wantWay("10.20.1.1", 0, "wan")
	g.must(g.LinkSetDown(g.link("keep0")))
	g.must(l.SetUp(1300))
	g.must(l.AddRoute(Route{Dst: prefix("10.20.0.0/16")}))
	g.wantWay("10.20.1.1", 0, "keep0")
	g.must(l.Close())
	if after := g.state(); after != before {
		t.Errorf("after Close:\n%s\nwant as before:\n%s", after, before)
	}
	a := g.link("keep0").Attrs()
	if a.MTU != testMTU || a.RawFlags&unix.IFF_UP != 0 {
		t.Errorf("left with mtu %d, flags %#x; want mtu %d and down", a.MTU, a.RawFlags, testMTU)
	}
}
