package dataplane

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"esplanade/tun"
)

// news counts what watchLinks reports.
type news chan netip.Addr

func (news) unreachable(_, _ netip.AddrPort, _ error) {}
func (n news) mtuChanged(remote netip.Addr, _ int)    { n <- remote }

// The kernel, too, reports the routes of others and not the tunnel's own.
func TestOwnRoutesAreNoNews(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skipf("SKIPPED: needs root for a network namespace, runs as uid %d", os.Geteuid())
	}
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	space, err := netns.New()
	if errors.Is(err, unix.EPERM) {
		t.Skipf("SKIPPED: not allowed to make a network namespace: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	defer space.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	lo, err := netlink.LinkByName("lo")
	must(err)
	must(netlink.LinkSetUp(lo))
	heard := make(news, 100)
	w := watchLinks(heard)
	if w == nil {
		t.Fatal("no news of links")
	}
	defer w.Close()
	route := func(dst string, protocol netlink.RouteProtocol) {
		t.Helper()
		_, n, err := net.ParseCIDR(dst)
		must(err)
		r := &netlink.Route{LinkIndex: lo.Attrs().Index, Dst: n, Protocol: protocol, Scope: netlink.SCOPE_LINK, Table: 100}
		must(netlink.RouteAdd(r))
		must(netlink.RouteDel(r))
	}
	// News come in order: with those of the last two changes, all have come.
	for range 10 {
		route("192.0.2.0/24", tun.RouteProtocol)
	}
	route("198.51.100.0/24", unix.RTPROT_STATIC)
	for range 2 {
		select {
		case a := <-heard:
			if a.IsValid() {
				t.Errorf("news about %v", a)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("no news of a route")
		}
	}
	if n := len(heard); n > 0 {
		t.Errorf("%d more news than two", n)
	}
}
