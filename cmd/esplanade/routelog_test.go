package main

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"esplanade/ike/selector"
	"esplanade/tun"
)

// What is put back has bounded lines, full counts, and a place in the status.
func TestRouteLog(t *testing.T) {
	var out bytes.Buffer
	l := newRouteLog(slog.New(slog.NewTextHandler(&out, nil)))
	if l.state() != nil {
		t.Error("a state before anything has happened")
	}
	for range 1000 {
		l.restored(tun.Restored{Up: true, Rules: 2, Routes: 3, Contested: true})
		l.overlapping(tun.Overlap{Host: netip.MustParsePrefix("10.1.0.0/24"), Tunnel: netip.MustParsePrefix("10.0.0.0/8"), Kept: true})
	}
	if n := strings.Count(out.String(), "\n"); n != routeLines+1 {
		t.Errorf("%d lines", n)
	}
	if n := strings.Count(out.String(), "again and again"); n != 1 {
		t.Errorf("the contest is said %d times", n)
	}
	s := l.state()
	if s.Restored["rules"] != 2000 || s.Restored["routes"] != 3000 || s.Restored["device"] != 1000 || !s.Contested {
		t.Errorf("state %+v", s)
	}
	text := routingText(s, time.Now())
	for _, want := range []string{"device 1000, routes 3000, rules 2000", "AGAIN AND AGAIN"} {
		if !strings.Contains(text, want) {
			t.Errorf("status says %q", text)
		}
	}
	l.restored(tun.Restored{Err: errors.New("no device")})
	if text := routingText(l.state(), time.Now()); !strings.Contains(text, "MISSING: no device") || strings.Contains(text, "AGAIN") {
		t.Errorf("status says %q", text)
	}
}

// countedLink counts routes.
type countedLink struct {
	tun.Link
	routes map[tun.Route]int
	refuse netip.Addr // a source that the system refuses
	broken bool       // nothing can be added
	off    bool       // IPv6 is: its packets can only be refused
}

func (l *countedLink) AddRoute(r tun.Route) error {
	if l.broken {
		return syscall.ENOBUFS
	}
	if r.Src.IsValid() && r.Src == l.refuse {
		return syscall.EINVAL
	}
	l.routes[r]++
	if l.off && r.Dst.Addr().Is6() {
		return tun.ErrOnlyRefused
	}
	return nil
}

func (l *countedLink) RemoveRoute(r tun.Route) error { l.routes[r]--; return nil }

// Routes follow the addresses of this host, and a source that is none any more does not keep a route away.
func TestNetworkRefreshesSources(t *testing.T) {
	gone := netip.MustParseAddr("10.1.0.9")
	l := &countedLink{routes: map[tun.Route]int{}, refuse: gone}
	n := newNetwork(l, "")
	defer n.close()
	ts := selector.Pair{
		Local:  []selector.Selector{selector.FromPrefix(netip.MustParsePrefix("10.1.0.0/24"))},
		Remote: []selector.Selector{selector.FromPrefix(netip.MustParsePrefix("10.2.0.0/24"))},
	}
	dst := netip.MustParsePrefix("10.2.0.0/24")
	has, err := n.addRoute(tun.Route{Dst: dst, Src: gone})
	if err != nil || has.Src.IsValid() {
		t.Errorf("%v, %v", has, err)
	}
	_ = l.RemoveRoute(has)
	for range 2 {
		if err := n.AddRoutes(ts); err != nil {
			t.Fatal(err)
		}
	}
	// As if it had had a source when it was added.
	old := tun.Route{Dst: dst, Src: netip.MustParseAddr("10.1.0.7")}
	n.added[ts.String()].routes, l.routes = []tun.Route{old}, map[tun.Route]int{old: 1}
	if err := n.refresh(); err != nil {
		t.Error(err)
	}
	if l.routes[old] != 0 || l.routes[tun.Route{Dst: dst}] != 1 {
		t.Errorf("routes %v", l.routes)
	}
}

// TestNetworkKeepsWhatCannotBeRefreshed: where a route does not take another source, what is there is remembered, and removed in
// the end.
func TestNetworkKeepsWhatCannotBeRefreshed(t *testing.T) {
	l := &countedLink{routes: map[tun.Route]int{}}
	n := newNetwork(l, "")
	defer n.close()
	ts := selector.Pair{
		Local:  []selector.Selector{selector.FromPrefix(netip.MustParsePrefix("10.1.0.0/24"))},
		Remote: []selector.Selector{selector.FromPrefix(netip.MustParsePrefix("10.2.0.0/24"))},
	}
	old := tun.Route{Dst: netip.MustParsePrefix("10.2.0.0/24"), Src: netip.MustParseAddr("10.1.0.7")}
	n.added[ts.String()], l.routes = &addedRoutes{ts: ts, times: 2, routes: []tun.Route{old}}, map[tun.Route]int{old: 1}
	l.broken = true
	if err := n.refresh(); err == nil || l.routes[old] != 1 {
		t.Errorf("%v, routes %v", err, l.routes)
	}
	for range 2 {
		if err := n.RemoveRoutes(ts); err != nil {
			t.Error(err)
		}
	}
	if l.routes[old] != 0 {
		t.Errorf("routes %v", l.routes)
	}
}

// TestEachRouteStandsForItself: a prefix that cannot be routed takes no other with it, is tried again, and leaves nothing behind.
func TestEachRouteStandsForItself(t *testing.T) {
	l := &countedLink{routes: map[tun.Route]int{}, off: true}
	n := newNetwork(l, "")
	defer n.close()
	v4, v6 := tun.Route{Dst: netip.MustParsePrefix("10.2.0.0/24")}, tun.Route{Dst: netip.MustParsePrefix("fd02::/64")}
	ts := selector.Pair{Local: []selector.Selector{selector.FromPrefix(netip.MustParsePrefix("240.0.0.0/24"))},
		Remote: []selector.Selector{selector.FromPrefix(v6.Dst), selector.FromPrefix(v4.Dst)}}
	for range 3 {
		if err := n.AddRoutes(ts); !errors.Is(err, tun.ErrOnlyRefused) || l.routes[v4] != 1 || l.routes[v6] != 1 {
			t.Fatalf("%v, routes %v", err, l.routes)
		}
	}
	l.off = false
	if err := n.AddRoutes(ts); err != nil || l.routes[v4] != 1 || l.routes[v6] != 1 {
		t.Errorf("%v, routes %v", err, l.routes)
	}
	for range 4 {
		if err := n.RemoveRoutes(ts); err != nil {
			t.Error(err)
		}
	}
	if l.routes[v4] != 0 || l.routes[v6] != 0 || len(n.added) != 0 {
		t.Errorf("left %v, %v", l.routes, n.added)
	}
}

// What was added is removed, whatever has become of the addresses of this host meanwhile.
func TestNetworkRemembersRoutes(t *testing.T) {
	l := &countedLink{routes: map[tun.Route]int{}}
	n := newNetwork(l, "")
	ts := selector.Pair{
		Local:  []selector.Selector{selector.FromPrefix(netip.MustParsePrefix("0.0.0.0/0"))},
		Remote: []selector.Selector{selector.FromPrefix(netip.MustParsePrefix("10.2.0.0/24")), selector.FromPrefix(netip.MustParsePrefix("fd02::/64"))},
	}
	for range 2 {
		if err := n.AddRoutes(ts); err != nil {
			t.Fatal(err)
		}
	}
	_ = n.close()
	n.local = nil // nobody asks for addresses again
	for range 2 {
		if err := n.RemoveRoutes(ts); err != nil {
			t.Error(err)
		}
	}
	for r, left := range l.routes {
		if left != 0 {
			t.Errorf("%v is there %d times", r, left)
		}
	}
	if len(l.routes) != 2 || len(n.added) != 0 {
		t.Errorf("routes %v, remembered %v", l.routes, n.added)
	}
	if err := n.RemoveRoutes(ts); !errors.Is(err, tun.ErrNotAdded) {
		t.Errorf("once too often: %v", err)
	}
	// At the end of the gateway the routes are the link's to remove, or to leave something behind.
	r := tun.Route{Dst: netip.MustParsePrefix("10.2.0.0/24")}
	n.added[ts.String()], l.routes = &addedRoutes{ts: ts, times: 1, routes: []tun.Route{r}}, map[tun.Route]int{r: 1}
	if n.leave(); n.RemoveRoutes(ts) != nil || l.routes[r] != 1 {
		t.Errorf("removed at the end: %v", l.routes)
	}
}
