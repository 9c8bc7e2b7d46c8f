package tun

import (
	"slices"
	"testing"
)

// A killed run has left blocks in a table that is not configured any more: the tunnels of the next one work, and what only the
// killed one protected goes on being refused until the operator says otherwise, or a gateway with that table starts.
func TestLinkLeftoversOfAnotherTable(t *testing.T) {
	g := newGateway(t)
	clean := g.state()
	now := LinkOptions{Mark: testMark, Table: 300}
	for _, end := range []string{"unblock", "start"} {
		old := g.configure(g.dev, LinkOptions{Mark: testMark})
		g.must(old.SetUp(testMTU))
		g.must(old.Exclude(addr(peerAddr)))
		for _, dst := range []string{"198.51.100.0/24", "192.0.2.0/24", "0.0.0.0/0", "::/0", "fd00:20::/32"} {
			g.must(old.AddRoute(Route{Dst: prefix(dst)}))
		}
		kill(old)
		g.must(g.dev.Close())
		g.dev = g.openQueues(allFeatures("ipsec0", testMTU, 1))

		refused := func(when string, dst ...string) {
			t.Helper()
			for _, d := range dst {
				if got := g.way(d, 0); got != "error: no route to host" {
					t.Errorf("%s: a packet to %s leaves by %s", when, d, got)
				}
			}
			g.wantWay("10.10.0.7", 0, "lan")
		}
		l := g.configure(g.dev, now)
		refused("taken over", "198.51.100.7", "192.0.2.7", "8.8.8.8", "2001:db8:77::1", "fd00:20::7")
		g.must(l.SetUp(testMTU))
		for _, dst := range []string{"198.51.100.0/24", "fd00:20::/48"} { // one of which the old run had a larger one
			g.must(l.AddRoute(Route{Dst: prefix(dst)}))
		}
		for range 2 {
			for _, dst := range []string{"198.51.100.7", "fd00:20::7"} {
				g.wantWay(dst, 0, "ipsec0")
			}
			refused("runs", "192.0.2.7", "8.8.8.8", "2001:db8:77::1", "fd00:20:1::7")
			g.must(l.Sweep())
		}
		g.must(l.Close())
		refused("stopped", "198.51.100.7", "192.0.2.7", "fd00:20::7")
		g.do(func() error {
			tables, err := LeftBehind(now)
			if err == nil && (!slices.Contains(tables, DefaultTable) || !slices.Contains(tables, DefaultTable+1)) {
				t.Errorf("left behind in %v", tables)
			}
			return err
		})
		if end == "unblock" {
			g.do(func() error {
				if n, err := Unblock(now, false); n != 0 || err != nil {
					t.Errorf("%d removed, %v", n, err)
				}
				n, err := Unblock(now, true)
				if n == 0 {
					t.Error("nothing was removed")
				}
				return err
			})
		} else {
			again := g.configure(g.dev, LinkOptions{Mark: testMark})
			refused("again", "198.51.100.7", "192.0.2.7", "8.8.8.8", "2001:db8:77::1", "fd00:20::7")
			g.must(again.Sweep())
			g.must(again.Close())
		}
		if after := g.state(); after != clean {
			t.Errorf("after %s:\n%s\nwant:\n%s", end, after, clean)
		}
	}
}

// A gateway that runs with another table keeps its place.
func TestLinkLeavesRunningTables(t *testing.T) {
	g := newGateway(t)
	a := g.configure(g.dev, LinkOptions{Mark: testMark})
	g.must(a.SetUp(testMTU))
	g.must(a.AddRoute(Route{Dst: prefix("10.20.0.0/16")}))
	g.must(a.AddRoute(Route{Dst: prefix("0.0.0.0/0")}))
	before := g.state()
	b := g.configure(g.openQueues(allFeatures("ipsec1", testMTU, 1)), LinkOptions{Mark: testMark, Table: 300})
	g.must(b.Sweep())
	g.do(func() error { _, err := Unblock(LinkOptions{Mark: testMark, Table: 300}, true); return err })
	if after := g.state(); after != before {
		t.Errorf("now:\n%s\nwant:\n%s", after, before)
	}
}
