package tun

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// restoreLog collects what a link has put back.
type restoreLog struct {
	mu  sync.Mutex
	sum Restored
}

func (l *restoreLog) add(r Restored) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sum.Up = l.sum.Up || r.Up
	l.sum.Rules += r.Rules
	l.sum.Routes += r.Routes
	l.sum.Addresses += r.Addresses
	l.sum.Contested = l.sum.Contested || r.Contested
}

func (l *restoreLog) get() Restored {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sum
}

// Whatever vanishes is put back: the routes and addresses that go with the device, rules and routes that somebody removes.
// A device that is down lets nothing out in the clear.
func TestLinkPutsBack(t *testing.T) {
	g := newGateway(t)
	before := g.state()
	var log restoreLog
	l := g.configure(g.dev, LinkOptions{Mark: testMark, Restored: log.add})
	g.must(l.SetUp(testMTU))
	g.must(l.AddAddress(prefix("10.99.0.1/32")))
	g.must(l.AddAddress(prefix("fd00:99::1/128")))
	g.must(l.Exclude(addr(peerAddr)))
	for _, r := range []Route{{Dst: prefix("10.0.0.0/8"), Src: addr("10.10.0.1")}, {Dst: prefix("fd00::/8")}, {Dst: prefix("0.0.0.0/0")}, {Dst: prefix("::/0")}} {
		g.must(l.AddRoute(r))
	}
	whole := g.state()
	same := func(what string) {
		t.Helper()
		g.soon(what, func() bool { return g.state() == whole })
	}
	same("the beginning")

	// Nothing of it leaves by another way, at no moment: the keeper has no turn while the link is held.
	held := func(f func()) {
		l.(*link).mu.Lock()
		defer l.(*link).mu.Unlock()
		f()
	}
	held(func() {
		g.must(g.LinkSetDown(g.link("ipsec0")))
		for _, dst := range []string{"10.20.0.7", "fd00:20::7", "8.8.8.8", "2001:db8:77::1"} {
			g.wantWay(dst, 0, "error: no route to host")
		}
		g.wantWay("10.10.0.7", 0, "lan")
	})
	same("device down")
	if r := log.get(); !r.Up || r.Addresses == 0 || r.Routes == 0 {
		t.Errorf("told %+v", r)
	}
	held(func() {
		routes, err := g.RouteListFiltered(unix.AF_INET, &netlink.Route{Table: DefaultTable}, netlink.RT_FILTER_TABLE)
		g.must(err)
		for i := range routes {
			g.must(g.RouteDel(&routes[i]))
		}
	})
	same("routes removed")
	rules := func(fam int) {
		list, err := g.RuleList(fam)
		g.must(err)
		for i := range list {
			if list[i].Protocol == RouteProtocol {
				g.must(g.RuleDel(&list[i]))
			}
		}
	}
	held(func() { rules(unix.AF_INET) })
	g.soon("rules removed", func() bool { return g.way("10.20.0.7", 0) == "ipsec0" && g.way("8.8.8.8", 0) == "ipsec0" })
	held(func() { rules(unix.AF_INET6) })
	g.soon("rules of IPv6 removed", func() bool { return g.way("fd00:20::7", 0) == "ipsec0" })
	same("rules removed")
	// The address that is the source of a route has gone as well: the route is put back without.
	held(func() {
		g.must(g.AddrDel(g.link("lan"), address(prefix("10.10.0.1/24"))))
		g.must(g.LinkSetDown(g.link("ipsec0")))
	})
	g.soon("a route without the source", func() bool { return len(g.tunnelRoutes(unix.RTN_UNICAST)) == 1 })
	g.address("lan", "10.10.0.1/24")
	g.waySoon("10.10.0.7", "lan")
	if r := log.get(); r.Rules == 0 || r.Err != nil {
		t.Errorf("told %+v", r)
	}
	g.must(l.Close())
	if after := g.state(); after != before {
		t.Errorf("after Close:\n%s\nwant as before:\n%s", after, before)
	}
}

// Somebody who takes away again and again what is put back costs a bounded number of attempts, and it is said.
func TestContest(t *testing.T) {
	now := time.Unix(1, 0)
	var c contest
	for i := range contestBurst - 1 {
		if c.after(now, true) {
			t.Fatalf("contested after %d times", i+1)
		}
		now = now.Add(contestRest)
	}
	if !c.after(now, true) || !c.after(now.Add(contestRest), false) {
		t.Error("not contested")
	}
	if now = now.Add(contestOver + time.Second); c.after(now, true) {
		t.Error("contested for ever")
	}
}

// What is to outlive a run in good order refuses the packets until the next run takes it over, without a gap.
func TestLinkBlocksWhenStopped(t *testing.T) {
	g := newGateway(t)
	clean := g.state()
	o := LinkOptions{Mark: testMark, BlockWhenStopped: true}
	blocked := func(want string) {
		t.Helper()
		for _, dst := range []string{"10.20.0.7", "fd00:20::7", "8.8.8.8"} {
			g.wantWay(dst, 0, want)
		}
		g.wantWay("10.10.0.7", 0, "lan")
		g.wantWay("8.8.8.8", testMark, "wan")
	}
	add := func(l Link) {
		g.must(l.SetUp(testMTU))
		for _, dst := range []string{"10.0.0.0/8", "fd00::/8", "0.0.0.0/0"} {
			g.must(l.AddRoute(Route{Dst: prefix(dst)}))
			g.wantWay("10.20.0.7", 0, g.way("10.20.0.7", 0))
		}
	}
	l := g.configure(g.dev, o)
	add(l)
	blocked("ipsec0")
	g.must(l.Close())
	blocked("error: no route to host")
	g.must(g.dev.Close())
	blocked("error: no route to host")

	g.dev = g.openQueues(allFeatures("ipsec0", testMTU, 1))
	l = g.configure(g.dev, o)
	blocked("error: no route to host")
	add(l)
	g.must(l.Sweep())
	blocked("ipsec0")
	// What is not wanted any longer is not refused either.
	g.must(l.RemoveRoute(Route{Dst: prefix("0.0.0.0/0")}))
	g.wantWay("8.8.8.8", 0, "wan")
	g.must(l.Close())
	g.wantWay("10.20.0.7", 0, "error: no route to host")
	g.must(g.dev.Close())

	g.do(func() error {
		n, err := Unblock(o, false)
		if err == nil && n == 0 {
			t.Error("nothing was removed")
		}
		return err
	})
	if after := g.state(); after != clean {
		t.Errorf("after Unblock:\n%s\nwant:\n%s", after, clean)
	}
}

// A gateway that runs keeps its routes.
func TestUnblockWhileRunning(t *testing.T) {
	g := newGateway(t)
	l := g.configure(g.dev, LinkOptions{Mark: testMark})
	g.must(l.SetUp(testMTU))
	g.must(l.AddRoute(Route{Dst: prefix("10.20.0.0/16")}))
	before := g.state()
	g.do(func() error {
		if _, err := Unblock(LinkOptions{Mark: testMark}, false); err == nil {
			t.Error("no error")
		}
		return nil
	})
	if g.state() != before {
		t.Error("something was removed")
	}
}

// What has no way into the device is refused, and has one as soon as it is added again after that.
func TestLinkRefusesWhatItCannotRoute(t *testing.T) {
	g := newGateway(t)
	l := g.configure(g.dev, LinkOptions{Mark: testMark})
	g.must(l.SetUp(testMTU))
	before := g.state()
	g.sysctl("ipv6/conf/ipsec0/disable_ipv6", "1")
	four, six := Route{Dst: prefix("10.20.0.0/16")}, Route{Dst: prefix("fd00:20::/32")}
	for range 2 {
		if err := l.AddRoute(six); !errors.Is(err, ErrOnlyRefused) {
			t.Errorf("with IPv6 off: %v", err)
		}
	}
	g.must(l.AddRoute(four))
	g.wantWay("fd00:20::7", 0, "error: no route to host")
	g.wantWay("10.20.0.7", 0, "ipsec0")
	g.sysctl("ipv6/conf/ipsec0/disable_ipv6", "0")
	g.must(l.AddRoute(six))
	g.wantWay("fd00:20::7", 0, "ipsec0")
	for range 3 {
		g.must(l.RemoveRoute(six))
	}
	g.must(l.RemoveRoute(four))
	if after := g.state(); after != before {
		t.Errorf("left:\n%s\nwant:\n%s", after, before)
	}
}
