package tun

import (
	"fmt"
	"net/netip"
	"testing"
)

// The source of the gateway's own packets is that of the way outside the tunnels, also when a tunnel covers the peer and
// its routes have a source of their own.
func TestSourceFor(t *testing.T) {
	g := newGateway(t)
	l := g.configure(g.dev, LinkOptions{Mark: testMark})
	g.must(l.SetUp(testMTU))
	g.must(l.AddAddress(prefix("10.99.0.1/32")))
	for _, r := range []Route{{Dst: prefix("198.51.100.0/24"), Src: addr("10.99.0.1")}, {Dst: prefix("0.0.0.0/0"), Src: addr("10.10.0.1")}, {Dst: prefix("::/0"), Src: addr("fd00:10::1")}} {
		g.must(l.AddRoute(r))
	}
	want := func(remote string, mark uint32, source string) {
		t.Helper()
		g.do(func() error {
			a, err := SourceFor(netip.MustParseAddr(remote), mark)
			if err != nil || a != netip.MustParseAddr(source) {
				return fmt.Errorf("the source for %s with mark %#x is %v, %v; want %s", remote, mark, a, err, source)
			}
			return nil
		})
	}
	want(peerAddr, testMark, "203.0.113.10")
	want(peerAddr6, testMark, "2001:db8:1::10")
	want("192.0.2.77", testMark, "203.0.113.10")
	want(peerAddr, 0, "10.99.0.1") // what a socket without the mark would have
}
