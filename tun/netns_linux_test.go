package tun

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// needRoot skips a test that cannot run here, and says why.
func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skipf("SKIPPED: needs root for network namespaces and TUN devices, runs as uid %d", os.Geteuid())
	}
	fd, err := unix.Open(cloneDevice, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("SKIPPED: needs a usable %s: %v", cloneDevice, err)
	}
	unix.Close(fd)
}

// space is a network namespace of one test. It has no name: the kernel deletes it with its last user.
type space struct {
	t *testing.T
	h netns.NsHandle
	*netlink.Handle
}

// newSpace makes a namespace with loopback up.
func newSpace(t *testing.T) *space {
	t.Helper()
	var h netns.NsHandle
	var err error
	onThread(t, func() { h, err = netns.New() })
	if err != nil {
		if errors.Is(err, unix.EPERM) {
			t.Skipf("SKIPPED: not allowed to make a network namespace: %v", err)
		}
		t.Fatal(err)
	}
	s := &space{t: t, h: h}
	s.Handle, err = netlink.NewHandleAt(h, unix.NETLINK_ROUTE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Handle.Close(); s.h.Close() })
	// No link-local addresses: they appear by and by, and the tests compare states.
	s.sysctl("ipv6/conf/default/addr_gen_mode", "1")
	s.must(s.LinkSetUp(s.link("lo")))
	return s
}

// onThread runs f on a thread that ends with it, so that f may change the thread's namespaces and capabilities.
func onThread(t *testing.T, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		f()
	}()
	<-done
}

// do runs f inside the namespace. f must not call t.FailNow.
func (s *space) do(f func() error) {
	s.t.Helper()
	if err := s.within(f); err != nil {
		s.t.Fatal(err)
	}
}

// within is do for any goroutine: it returns the error.
func (s *space) within(f func() error) (err error) {
	onThread(s.t, func() {
		if err = netns.Set(s.h); err == nil {
			err = f()
		}
	})
	return err
}

func (s *space) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *space) link(name string) netlink.Link {
	s.t.Helper()
	l, err := s.LinkByName(name)
	s.must(err)
	return l
}

func (s *space) address(dev, prefix string) {
	s.t.Helper()
	s.must(s.AddrAdd(s.link(dev), address(netip.MustParsePrefix(prefix))))
}

func (s *space) sysctl(name, value string) {
	s.t.Helper()
	s.do(func() error {
		return os.WriteFile("/proc/sys/net/"+name, []byte(value), 0o644)
	})
}

// veth connects two namespaces.
func veth(t *testing.T, a *space, nameA string, b *space, nameB string) {
	t.Helper()
	attrs := netlink.NewLinkAttrs()
	attrs.Name = nameA
	a.must(a.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: nameB, PeerNamespace: netlink.NsFd(b.h)}))
	a.must(a.LinkSetUp(a.link(nameA)))
	b.must(b.LinkSetUp(b.link(nameB)))
	for a.link(nameA).Attrs().OperState != netlink.OperUp || b.link(nameB).Attrs().OperState != netlink.OperUp {
		runtime.Gosched() // a moment: the kernel's link watch
	}
}

// way names the interface that a packet to dst with that mark leaves by.
func (s *space) way(dst string, mark uint32) string {
	s.t.Helper()
	routes, err := s.RouteGetWithOptions(net.ParseIP(dst), &netlink.RouteGetOptions{Mark: mark})
	if err != nil || len(routes) == 0 {
		return fmt.Sprintf("error: %v", err)
	}
	l, err := s.LinkByIndex(routes[0].LinkIndex)
	s.must(err)
	return l.Attrs().Name
}

// state describes all rules, addresses and routes, to be compared before and after.
func (s *space) state() string {
	s.t.Helper()
	var b strings.Builder
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		rules, err := s.RuleList(family)
		s.must(err)
		for _, r := range rules {
			fmt.Fprintf(&b, "rule %d: %+v invert=%v mark=%x suppress=%d proto=%d\n", family, r, r.Invert, r.Mark, r.SuppressPrefixlen, r.Protocol)
		}
		routes, err := s.RouteListFiltered(family, &netlink.Route{Table: unix.RT_TABLE_UNSPEC}, netlink.RT_FILTER_TABLE)
		s.must(err)
		for _, r := range routes {
			if r.Table == unix.RT_TABLE_LOCAL {
				continue // follows from the addresses, and in IPv6 some time later
			}
			fmt.Fprintf(&b, "route table %d: %v\n", r.Table, r)
		}
	}
	addrs, err := s.AddrList(nil, netlink.FAMILY_ALL)
	s.must(err)
	for _, a := range addrs {
		fmt.Fprintf(&b, "address %v\n", a.IPNet)
	}
	return b.String()
}

// openQueues opens a device inside the namespace.
func (s *space) openQueues(o QueueOptions) QueueDevice {
	s.t.Helper()
	var d QueueDevice
	s.do(func() (err error) { d, err = OpenQueues(o); return err })
	s.t.Cleanup(func() { d.Close() })
	return d
}

func (s *space) configure(dev Device, o LinkOptions) Link {
	s.t.Helper()
	var l Link
	s.do(func() (err error) { l, err = Configure(dev, o); return err })
	s.t.Cleanup(func() { l.Close() })
	return l
}
