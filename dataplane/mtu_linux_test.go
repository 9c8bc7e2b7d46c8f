package dataplane

import (
	"net/netip"
	"os"
	"runtime"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"esplanade/esp"
)

func testRoute(local, remote string) *route {
	return &route{path: esp.Path{Local: netip.MustParseAddrPort(local), Remote: netip.MustParseAddrPort(remote)}}
}

// The sockets of a prober say of every path what a new one says, also when addresses and routes have changed in between.
func TestProberFollows(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skipf("SKIPPED: needs root for a network namespace, runs as uid %d", os.Geteuid())
	}
	runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
	space, err := netns.New()
	if err != nil {
		t.Skipf("SKIPPED: not allowed to make a network namespace: %v", err)
	}
	defer space.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.MTU = "wan", 1500
	must(netlink.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "far"}))
	far, err := netlink.LinkByName("far")
	must(err)
	must(netlink.LinkSetUp(far))
	wan, err := netlink.LinkByName("wan")
	must(err)
	must(netlink.LinkSetUp(wan))
	prefixes := []string{"192.0.2.1/24", "203.0.113.2/24", "2001:db8::1/64"}
	change := func(do func(netlink.Link, *netlink.Addr) error) {
		t.Helper()
		for _, p := range prefixes {
			a, err := netlink.ParseAddr(p)
			must(err)
			a.Flags = 0x02 // IFA_F_NODAD: at once
			must(do(wan, a))
		}
	}
	route := func(dst string, mtu int) {
		t.Helper()
		d, err := netlink.ParseIPNet(dst)
		must(err)
		must(netlink.RouteReplace(&netlink.Route{LinkIndex: wan.Attrs().Index, Dst: d, MTU: mtu}))
	}
	paths := []struct{ local, remote string }{
		{"192.0.2.1:4500", "192.0.2.9:4500"}, {"192.0.2.1:4500", "198.51.100.9:4500"}, {"203.0.113.2:4500", "198.51.100.9:500"},
		{"0.0.0.0:4500", "198.51.100.9:4500"}, {"[2001:db8::1]:4500", "[2001:db8::9]:4500"},
	}
	var p prober
	defer p.close()
	same := func(what string, want ...int) {
		t.Helper()
		for range 2 {
			for i, x := range paths {
				r := testRoute(x.local, x.remote)
				if got, fresh := p.ask(r), probeMTU(r, 0); got != want[i] || fresh != want[i] {
					t.Errorf("%s: %s to %s: %d, a new socket says %d, want %d", what, x.local, x.remote, got, fresh, want[i])
				}
			}
		}
	}
	same("without addresses", 0, 0, 0, 0, 0)
	change(netlink.AddrAdd)
	route("198.51.100.0/24", 1400)
	same("with addresses", 1500, 1400, 1400, 1400, 1500)
	if len(p.sockets) != 3 {
		t.Errorf("%d sockets for 3 local addresses", len(p.sockets))
	}
	route("198.51.100.0/24", 1300)
	same("another route", 1500, 1300, 1300, 1300, 1500)
	change(netlink.AddrDel)
	same("addresses gone", 0, 0, 0, 0, 0)
	change(netlink.AddrAdd)
	route("198.51.100.0/24", 1350)
	same("addresses back", 1500, 1350, 1350, 1350, 1500)
	p.close()
	same("closed", 1500, 1350, 1350, 1350, 1500)
	if len(p.sockets) != 0 {
		t.Error("sockets after close")
	}
}

func BenchmarkPathMTU(b *testing.B) {
	r := testRoute("127.0.0.1:4500", "127.0.0.2:4500")
	var p prober
	defer p.close()
	for name, ask := range map[string]func() int{"new": func() int { return probeMTU(r, 0) }, "kept": func() int { return p.ask(r) }} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if ask() == 0 {
					b.Fatal("no MTU")
				}
			}
		})
	}
}
