package tun

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// shell is a system that ifconfig and route of one BSD configure. It keeps a routing table, so that what was added and
// removed can be told, and fails on demand.
type shell struct {
	t      *testing.T
	goos   string
	routes map[string]string // "inet 10.0.0.0/8" -> what followed it in the command
	addrs  map[string]bool
	log    []string
	fail   string // a command that contains it fails
}

func newShell(t *testing.T, goos string) *shell {
	return &shell{t: t, goos: goos, addrs: map[string]bool{}, routes: map[string]string{
		"inet default": "-gateway 203.0.113.1", "inet6 default": "-gateway fe80::1%em0",
		"inet 10.10.0.0/24": "-interface em1",
	}}
}

func (s *shell) run(argv ...string) (string, error) {
	line := strings.Join(argv, " ")
	s.log = append(s.log, line)
	if s.fail != "" && strings.Contains(line, s.fail) {
		return "route: must be root to alter routing table", errors.New("exit status 77")
	}
	switch argv[0] {
	case "/sbin/ifconfig":
		return s.ifconfig(argv[1:])
	case "/sbin/route":
		return s.route(argv[1:])
	}
	s.t.Errorf("ran %s", line)
	return "", errors.New("no such command")
}

func (s *shell) ifconfig(argv []string) (string, error) {
	switch {
	case len(argv) > 3 && argv[len(argv)-1] == "alias":
		s.addrs[argv[1]+" "+strings.Split(argv[2], "/")[0]] = true
	case len(argv) == 4 && argv[3] == "-alias":
		if k := argv[1] + " " + argv[2]; s.addrs[k] {
			delete(s.addrs, k)
		} else {
			return "ifconfig: ioctl (SIOCDIFADDR): Can't assign requested address", errors.New("exit status 1")
		}
	}
	return "", nil
}

func (s *shell) route(argv []string) (string, error) {
	for len(argv) > 0 && (argv[0] == "-q" || argv[0] == "-n") {
		argv = argv[1:]
	}
	key := strings.TrimPrefix(argv[1], "-") + " " + argv[2]
	target := strings.Join(argv[3:], " ")
	switch argv[0] {
	case "add":
		if _, ok := s.routes[key]; ok {
			return "add net: File exists", errors.New("exit status 1")
		}
		s.routes[key] = target
	case "delete":
		if old, ok := s.routes[key]; !ok || !strings.HasPrefix(old, target) {
			return "delete net " + argv[2] + ": not in table", errors.New("exit status 1")
		}
		delete(s.routes, key)
	case "get":
		return s.get(strings.TrimPrefix(argv[1], "-"), argv[2])
	default:
		s.t.Errorf("route %v", argv)
	}
	return "", nil
}

// get answers like "route -n get" of each system.
func (s *shell) get(family, dst string) (string, error) {
	best, bits := "", -1
	for key, target := range s.routes {
		f, p, _ := strings.Cut(key, " ")
		if f != family {
			continue
		}
		if p == "default" {
			if bits < 0 {
				best, bits = target, 0
			}
			continue
		}
		n, err := netip.ParsePrefix(p)
		if err != nil {
			n = netip.PrefixFrom(netip.MustParseAddr(p), netip.MustParseAddr(p).BitLen())
		}
		a, err := netip.ParseAddr(strings.Split(dst, "/")[0])
		if err == nil && n.Contains(a) && n.Bits() > bits {
			best, bits = target, n.Bits()
		}
	}
	if bits < 0 {
		return "route: writing to routing socket: not in table", errors.New("exit status 1")
	}
	words := strings.Fields(best)
	var b strings.Builder
	fmt.Fprintf(&b, "   route to: %s\ndestination: %s\n       mask: default\n", dst, dst)
	device, own := "em0", "203.0.113.10"
	switch words[0] {
	case "-gateway":
		fmt.Fprintf(&b, "    gateway: %s\n", words[1])
	case "-interface":
		device = words[1]
		fmt.Fprintf(&b, "    gateway: link#4\n")
	case "-iface":
		device, own = "tun0", words[1]
		fmt.Fprintf(&b, "    gateway: %s\n", words[1])
	}
	fmt.Fprintf(&b, "  interface: %s\n", device)
	if s.goos == "openbsd" {
		fmt.Fprintf(&b, " if address: %s\n   priority: 8 (static)\n", own)
	}
	fmt.Fprintf(&b, "      flags: <UP,GATEWAY,DONE,STATIC>\n     use       mtu    expire\n       0         0         0\n")
	return b.String(), nil
}

func (s *shell) wantLog(want ...string) {
	s.t.Helper()
	if !slices.Equal(s.log, want) {
		s.t.Errorf("%s: ran\n  %s\nwant\n  %s", s.goos, strings.Join(s.log, "\n  "), strings.Join(want, "\n  "))
	}
	s.log = nil
}

func (s *shell) state() string { return fmt.Sprint(s.routes, s.addrs) }

func TestBSDCommands(t *testing.T) {
	for _, c := range []struct {
		goos, dev string
		want      []string
	}{
		{"darwin", "utun4", []string{
			"/sbin/ifconfig utun4 mtu 1400",
			"/sbin/ifconfig utun4 up",
			"/sbin/ifconfig utun4 inet 10.99.0.1/32 10.99.0.1 alias",
			"/sbin/ifconfig utun4 inet6 fd00:99::1/128 alias",
			"/sbin/route -q -n add -inet 10.20.0.0/16 -interface utun4 -ifa 10.99.0.1",
			"/sbin/route -q -n add -inet6 fd00:20::/32 -interface utun4",
			"/sbin/route -q -n add -inet 0.0.0.0/1 -interface utun4",
			"/sbin/route -q -n add -inet 128.0.0.0/1 -interface utun4",
			"/sbin/route -q -n add -inet6 ::/1 -interface utun4",
			"/sbin/route -q -n add -inet6 8000::/1 -interface utun4",
		}},
		{"freebsd", "ipsec0", []string{
			"/sbin/ifconfig ipsec0 mtu 1400",
			"/sbin/ifconfig ipsec0 up",
			"/sbin/ifconfig ipsec0 inet 10.99.0.1/32 alias",
			"/sbin/ifconfig ipsec0 inet6 fd00:99::1/128 alias",
			"/sbin/route -q -n add -inet 10.20.0.0/16 -interface ipsec0 -ifa 10.99.0.1",
			"/sbin/route -q -n add -inet6 fd00:20::/32 -interface ipsec0",
			"/sbin/route -q -n add -inet 0.0.0.0/1 -interface ipsec0",
			"/sbin/route -q -n add -inet 128.0.0.0/1 -interface ipsec0",
			"/sbin/route -q -n add -inet6 ::/1 -interface ipsec0",
			"/sbin/route -q -n add -inet6 8000::/1 -interface ipsec0",
		}},
		{"openbsd", "tun0", []string{
			"/sbin/ifconfig tun0 mtu 1400",
			"/sbin/ifconfig tun0 up",
			"/sbin/ifconfig tun0 inet 10.99.0.1/32 10.99.0.1 alias",
			"/sbin/ifconfig tun0 inet6 fd00:99::1/128 alias",
			"/sbin/route -q -n add -inet 10.20.0.0/16 -iface 10.99.0.1",
			"/sbin/route -q -n add -inet6 fd00:20::/32 -iface fd00:99::1",
			"/sbin/route -q -n add -inet 0.0.0.0/1 -iface 10.99.0.1",
			"/sbin/route -q -n add -inet 128.0.0.0/1 -iface 10.99.0.1",
			"/sbin/route -q -n add -inet6 ::/1 -iface fd00:99::1",
			"/sbin/route -q -n add -inet6 8000::/1 -iface fd00:99::1",
		}},
	} {
		s := newShell(t, c.goos)
		before := s.state()
		l := newLink(c.dev, newBSDLink(c.goos, c.dev, s.run))
		mustNot(t, l.SetUp(1400))
		mustNot(t, l.AddAddress(prefixOf("10.99.0.1/32")))
		mustNot(t, l.AddAddress(prefixOf("fd00:99::1/128")))
		mustNot(t, l.AddRoute(Route{Dst: prefixOf("10.20.0.0/16"), Src: netip.MustParseAddr("10.99.0.1")}))
		mustNot(t, l.AddRoute(Route{Dst: prefixOf("fd00:20::/32"), Src: netip.MustParseAddr("fd00:10::1")})) // of another interface
		mustNot(t, l.AddRoute(Route{Dst: prefixOf("0.0.0.0/0")}))
		mustNot(t, l.AddRoute(Route{Dst: prefixOf("::/0")}))
		s.wantLog(c.want...)
		mustNot(t, l.Close())
		if s.state() != before {
			t.Errorf("%s: left %s, want %s\n%s", c.goos, s.state(), before, strings.Join(s.log, "\n"))
		}
	}
}

func prefixOf(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func TestBSDExclude(t *testing.T) {
	for _, c := range []struct{ goos, dev, onLink string }{
		{"darwin", "utun4", "-interface em1"},
		{"freebsd", "ipsec0", "-interface em1"},
	} {
		s := newShell(t, c.goos)
		before := s.state()
		l := newLink(c.dev, newBSDLink(c.goos, c.dev, s.run))
		peer, peer6, neighbour := netip.MustParseAddr("198.51.100.20"), netip.MustParseAddr("2001:db8::20"), netip.MustParseAddr("10.10.0.9")
		mustNot(t, l.Exclude(peer))
		s.wantLog()
		mustNot(t, l.AddRoute(Route{Dst: prefixOf("0.0.0.0/0")}))
		s.wantLog(
			"/sbin/route -n get -inet 198.51.100.20",
			"/sbin/route -q -n add -inet 198.51.100.20 -gateway 203.0.113.1",
			"/sbin/route -q -n add -inet 0.0.0.0/1 -interface "+c.dev,
			"/sbin/route -q -n add -inet 128.0.0.0/1 -interface "+c.dev)
		mustNot(t, l.Exclude(neighbour)) // on a network of ours
		s.wantLog("/sbin/route -n get -inet 10.10.0.9", "/sbin/route -q -n add -inet 10.10.0.9 "+c.onLink)
		mustNot(t, l.AddRoute(Route{Dst: prefixOf("2001:db8::/32")}))
		s.log = nil
		mustNot(t, l.Exclude(peer6)) // its route leads into the tunnel already: the default route tells the gateway
		s.wantLog(
			"/sbin/route -n get -inet6 2001:db8::20", "/sbin/route -n get -inet6 default",
			"/sbin/route -q -n add -inet6 2001:db8::20 -gateway fe80::1%em0")
		mustNot(t, l.Unexclude(peer6))
		s.wantLog("/sbin/route -q -n delete -inet6 2001:db8::20 -gateway fe80::1%em0")
		mustNot(t, l.Close())
		if s.state() != before {
			t.Errorf("%s: left %s, want %s", c.goos, s.state(), before)
		}
	}
}

func TestBSDHostRouteOfSomebodyElse(t *testing.T) {
	s := newShell(t, "darwin")
	s.routes["inet 198.51.100.20"] = "-gateway 203.0.113.77"
	before := s.state()
	l := newLink("utun4", newBSDLink("darwin", "utun4", s.run))
	mustNot(t, l.Exclude(netip.MustParseAddr("198.51.100.20")))
	mustNot(t, l.AddRoute(Route{Dst: prefixOf("0.0.0.0/0")}))
	mustNot(t, l.Close())
	if s.state() != before {
		t.Errorf("left %s, want %s", s.state(), before)
	}
}

func TestBSDRouteTaken(t *testing.T) {
	s := newShell(t, "freebsd")
	before := s.state()
	l := newLink("ipsec0", newBSDLink("freebsd", "ipsec0", s.run))
	if err := l.AddRoute(Route{Dst: prefixOf("10.10.0.0/24")}); err == nil || !strings.Contains(err.Error(), "by em1") {
		t.Errorf("got %v, want an error that names em1", err)
	}
	s.routes["inet 10.20.0.0/16"] = "-interface ipsec0" // of an earlier run: taken over
	mustNot(t, l.AddRoute(Route{Dst: prefixOf("10.20.0.0/16")}))
	mustNot(t, l.Close())
	if s.state() != before {
		t.Errorf("left %s, want %s", s.state(), before)
	}
}

// Each command may fail; nothing is left half-done.
func TestBSDFailures(t *testing.T) {
	for _, goos := range []string{"darwin", "freebsd", "openbsd"} {
		for _, fail := range []string{"add -inet 0.0.0.0/1", "add -inet 128.0.0.0/1", "add -inet 198.51.100.20", "get -inet"} {
			s := newShell(t, goos)
			l := newLink("tun0", newBSDLink(goos, "tun0", s.run))
			mustNot(t, l.AddAddress(prefixOf("10.99.0.1/32")))
			mustNot(t, l.Exclude(netip.MustParseAddr("198.51.100.20")))
			before := s.state()
			s.fail = fail
			err := l.AddRoute(Route{Dst: prefixOf("0.0.0.0/0")})
			var e *LinkError
			if !errors.As(err, &e) || !strings.Contains(e.Fix, "run as root") || !strings.Contains(err.Error(), fail) {
				t.Errorf("%s, %s fails: %v; want a LinkError with the command and the fix", goos, fail, err)
			}
			if s.state() != before {
				t.Errorf("%s, %s fails: left %s, want %s", goos, fail, s.state(), before)
			}
			s.fail = ""
			mustNot(t, l.AddRoute(Route{Dst: prefixOf("0.0.0.0/0")}))
			mustNot(t, l.Close())
		}
	}
}

func TestBSDOpenBSDNeedsAnAddress(t *testing.T) {
	s := newShell(t, "openbsd")
	l := newLink("tun0", newBSDLink("openbsd", "tun0", s.run))
	mustNot(t, l.AddAddress(prefixOf("fd00:99::1/128")))
	s.log = nil
	err := l.AddRoute(Route{Dst: prefixOf("10.20.0.0/16")})
	var e *LinkError
	if !errors.As(err, &e) || !strings.Contains(e.Fix, "give the tunnel an address") {
		t.Errorf("got %v", err)
	}
	s.wantLog()
}

func TestBSDChangeSource(t *testing.T) {
	s := newShell(t, "darwin")
	l := newLink("utun4", newBSDLink("darwin", "utun4", s.run))
	mustNot(t, l.AddAddress(prefixOf("10.99.0.1/32")))
	mustNot(t, l.AddRoute(Route{Dst: prefixOf("10.20.0.0/16")}))
	mustNot(t, l.AddRoute(Route{Dst: prefixOf("10.20.0.0/16"), Src: netip.MustParseAddr("10.99.0.1")}))
	if got := s.routes["inet 10.20.0.0/16"]; got != "-interface utun4 -ifa 10.99.0.1" {
		t.Errorf("route is %q", got)
	}
}

func TestParseWay(t *testing.T) {
	for _, c := range []struct {
		out  string
		want way
	}{
		{"   route to: 8.8.8.8\ndestination: default\n       mask: default\n    gateway: 192.168.1.1\n  interface: en0\n      flags: <UP,GATEWAY,DONE,STATIC,PRCLONING,GLOBAL>\n",
			way{gateway: "192.168.1.1", device: "en0"}},
		{"   route to: 192.168.1.9\ndestination: 192.168.1.9\n  interface: en0\n", way{device: "en0"}},
		{"    gateway: link#2\n  interface: em0\n        fib: 0\n", way{device: "em0"}},
		{"    gateway: fe80::1%en0\n  interface: en0\n", way{gateway: "fe80::1%en0", device: "en0"}},
		{"    gateway: 00:11:22:33:44:55\n  interface: em0\n", way{device: "em0"}},
		// OpenBSD
		{"    gateway: 10.0.2.2\n  interface: vio0\n if address: 10.0.2.15\n   priority: 8 (static)\n", way{gateway: "10.0.2.2", device: "vio0", address: "10.0.2.15"}},
		{"    gateway: 10.0.2.15\n  interface: vio0\n if address: 10.0.2.15\n   priority: 4 (connected)\n", way{device: "vio0", address: "10.0.2.15"}},
		{"", way{}},
		{"interface en0\n:\n: \n gateway:\n", way{}},
	} {
		if got := parseWay(c.out); got != c.want {
			t.Errorf("%q: %+v, want %+v", c.out, got, c.want)
		}
	}
}

func FuzzParseWay(f *testing.F) {
	f.Add("    gateway: 10.0.2.15\n  interface: vio0\n if address: 10.0.2.15\n")
	f.Fuzz(func(t *testing.T, out string) {
		w := parseWay(out)
		if w.gateway != "" {
			if _, err := netip.ParseAddr(w.gateway); err != nil {
				t.Errorf("%q: gateway %q", out, w.gateway)
			}
		}
	})
}
