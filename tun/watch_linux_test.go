package tun

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Addresses, routes and interfaces that come and go are news.
func TestKernelNews(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	veth(t, s, "wan", newSpace(t), "far")
	ctx, cancel := context.WithCancel(t.Context())
	news, ended := make(chan struct{}, 100), make(chan error, 1)
	go func() { // its thread has the namespace, and makes the sockets
		ended <- s.within(func() error { return subscribe(ctx, WatchOptions{}, func() { news <- struct{}{} }) })
	}()
	want := func(what string, do func()) {
		t.Helper()
		for len(news) > 0 {
			<-news
		}
		do()
		select {
		case <-news:
		case <-time.After(10 * time.Second):
			t.Errorf("%s: no news", what)
		}
	}
	wan := s.link("wan")
	// Until the subscription stands, nothing is heard.
	for heard := false; !heard; {
		s.must(s.LinkSetUp(wan))
		s.must(s.LinkSetDown(wan))
		select {
		case <-news:
			heard = true
		case <-time.After(50 * time.Millisecond):
		}
	}
	want("interface up", func() { s.must(s.LinkSetUp(wan)) })
	want("address", func() { s.address("wan", "192.0.2.1/24") })
	_, dst, _ := net.ParseCIDR("198.51.100.0/24")
	r := &netlink.Route{LinkIndex: wan.Attrs().Index, Dst: dst}
	want("route", func() { s.must(s.RouteAdd(r)) })
	want("route gone", func() { s.must(s.RouteDel(r)) })
	// The tunnel's own are none, whichever table they are in. News come in order: with the last change's, all have come.
	_, own, _ := net.ParseCIDR("203.0.113.0/24")
	for len(news) > 0 {
		<-news
	}
	const changes = 10
	for range changes {
		o := &netlink.Route{LinkIndex: wan.Attrs().Index, Dst: own, Protocol: RouteProtocol, Table: 222}
		s.must(s.RouteAdd(o))
		s.must(s.RouteDel(o))
	}
	s.must(s.RouteAdd(r))
	s.must(s.RouteDel(r))
	for range 2 {
		select {
		case <-news:
		case <-time.After(10 * time.Second):
			t.Error("route again: no news")
		}
	}
	if n := len(news); n >= changes { // a few are late ones, of what the kernel makes with an address
		t.Errorf("%d news of the tunnel's own routes", n)
	}
	want("interface down", func() { s.must(s.LinkSetDown(wan)) })
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// What the tunnel itself does to the routes is no news.
func TestRoutesThatConcern(t *testing.T) {
	o := WatchOptions{Table: 220}
	for table, want := range map[int]bool{unix.RT_TABLE_MAIN: true, unix.RT_TABLE_LOCAL: false, 220: false, 221: false, 222: true} {
		if got := o.concerns(table, 0); got != want {
			t.Errorf("table %d: %v", table, got)
		}
	}
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip(err)
	}
	o.Device = "lo"
	if o.concerns(unix.RT_TABLE_MAIN, lo.Index) || !o.isDevice(lo.Index) || o.isDevice(lo.Index+1000) {
		t.Error("the device is not known")
	}
}
