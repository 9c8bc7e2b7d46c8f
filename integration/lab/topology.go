//go:build linux

package lab

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Site is one end of the tunnel: a gateway host with outer addresses and a network behind it.
type Site struct {
	*Host
	Outer4, Outer6 netip.Addr
	Inner4, Inner6 netip.Addr   // addresses of the gateway in the networks behind it (on lo)
	Net4, Net6     netip.Prefix // the networks behind it
	link           string       // the interface with the outer addresses
}

// Outer returns the outer address of a family.
func (s *Site) Outer(v6 bool) netip.Addr {
	if v6 {
		return s.Outer6
	}
	return s.Outer4
}

// Options choose the shape of a lab.
type Options struct {
	// Router puts a third host between the gateways, which forwards and can translate and block.
	Router bool
	// Bridge puts a third host between the gateways that passes frames in user space, and can lose, duplicate and
	// reorder them. Not together with Router.
	Bridge bool
}

// Lab is a network of two gateways, and a router between them if asked for.
type Lab struct {
	A, B *Site
	R    *Host // nil without Options.Router
	Dir  string
	// Bridge is nil without Options.Bridge.
	Bridge *Bridge

	t     testing.TB
	hosts []*Host
}

// New builds a lab that goes away when the test ends. Its directory has a short path, since the path of a Unix
// socket must fit into 108 octets. On failure the directory is kept (in $ESPLANADE_ARTEFACTS if set) and named.
func New(t testing.TB, o Options) *Lab {
	t.Helper()
	dir, err := os.MkdirTemp("", "lab")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil { // readable to the unprivileged user of the demo test
		t.Fatal(err)
	}
	l := &Lab{t: t, Dir: dir}
	t.Cleanup(l.close)
	l.A = &Site{Host: l.host("a"), link: "a0",
		Outer4: addr("198.18.0.1"), Outer6: addr("2001:db8::1"), Inner4: addr("10.10.0.1"), Inner6: addr("fd10::1"),
		Net4: prefix("10.10.0.0/24"), Net6: prefix("fd10::/64")}
	l.B = &Site{Host: l.host("b"), link: "b0",
		Outer4: addr("198.18.0.2"), Outer6: addr("2001:db8::2"), Inner4: addr("10.20.0.1"), Inner6: addr("fd20::1"),
		Net4: prefix("10.20.0.0/24"), Net6: prefix("fd20::/64")}
	if o.Router {
		l.A.Outer4, l.A.Outer6 = addr("198.18.1.1"), addr("2001:db8:1::1")
		l.B.Outer4, l.B.Outer6 = addr("198.18.2.1"), addr("2001:db8:2::1")
		l.R = l.host("r")
		l.wire(l.A.Host, "a0", l.R, "ra")
		l.wire(l.B.Host, "b0", l.R, "rb")
		l.ip(l.R, "addr add 198.18.1.254/24 dev ra", "addr add 2001:db8:1::fe/64 dev ra nodad",
			"addr add 198.18.2.254/24 dev rb", "addr add 2001:db8:2::fe/64 dev rb nodad",
			// A router asks for the neighbours of what it forwards from its link-local addresses only.
			"addr add fe80::fe/64 dev ra nodad", "addr add fe80::fe/64 dev rb nodad")
		l.forward(l.R)
	} else if o.Bridge {
		l.bridge()
	} else {
		l.wire(l.A.Host, "a0", l.B.Host, "b0")
	}
	for _, s := range []*Site{l.A, l.B} {
		l.ip(s.Host, "addr add "+s.Outer4.String()+"/24 dev "+s.link, "addr add "+s.Outer6.String()+"/64 dev "+s.link+" nodad",
			"addr add "+s.Inner4.String()+"/32 dev lo", "addr add "+s.Inner6.String()+"/128 dev lo")
	}
	if o.Router {
		l.ip(l.A.Host, "route add 198.18.2.0/24 via 198.18.1.254", "-6 route add 2001:db8:2::/64 via 2001:db8:1::fe")
		l.ip(l.B.Host, "route add 198.18.1.0/24 via 198.18.2.254", "-6 route add 2001:db8:1::/64 via 2001:db8:2::fe")
	}
	return l
}

// NewLone builds a host with nothing but lo, which is up.
func NewLone(t testing.TB) *Host {
	t.Helper()
	dir, err := os.MkdirTemp("", "lab")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	l := &Lab{t: t, Dir: dir}
	t.Cleanup(l.close)
	return l.host("lone")
}

// Elsewhere are addresses that no host of a lab has; Anyone is no particular address.
var (
	Elsewhere  = addr("192.0.2.77")
	Elsewhere6 = addr("2001:db8:77::77")
	Anyone     netip.Addr
)

func addr(s string) netip.Addr     { return netip.MustParseAddr(s) }
func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

func (l *Lab) host(name string) *Host {
	l.t.Helper()
	h, err := newHost(name, l.Dir)
	if err != nil {
		l.t.Fatal(err)
	}
	l.hosts = append(l.hosts, h)
	l.ip(h, "link set lo up")
	return h
}

// wire joins two hosts by a virtual cable. Segmentation offload is off, so that what passes is what would pass on
// a wire: packets of at most one MTU.
func (l *Lab) wire(x *Host, xLink string, y *Host, yLink string) {
	l.t.Helper()
	l.ip(x, fmt.Sprintf("link add %s type veth peer name %s netns %s", xLink, yLink, y.namespacePath()))
	for _, end := range []struct {
		h    *Host
		link string
	}{{x, xLink}, {y, yLink}} {
		if out, err := end.h.Run("ethtool", "-K", end.link, "tso", "off", "gso", "off", "tx-udp-segmentation", "off"); err != nil {
			l.t.Fatal(out, err)
		}
		l.ip(end.h, "link set "+end.link+" addrgenmode none up") // no link-local addresses: they come and go by themselves
	}
}

// bridge joins the gateways through a host that passes frames in user space.
func (l *Lab) bridge() {
	l.t.Helper()
	h := l.host("r")
	l.wire(l.A.Host, "a0", h, "ra")
	l.wire(l.B.Host, "b0", h, "rb")
	for _, end := range []struct {
		h    *Host
		link string
	}{{l.A.Host, "a0"}, {l.B.Host, "b0"}, {h, "ra"}, {h, "rb"}} {
		// Frames have to leave with their checksums: nobody finishes them for the bridge.
		if out, err := end.h.Run("ethtool", "-K", end.link, "tx", "off", "gro", "off"); err != nil {
			l.t.Fatal(out, err)
		}
	}
	var err error
	if l.Bridge, err = startBridge(h, "ra", "rb"); err != nil {
		l.t.Fatal(err)
	}
}

// ip runs lines of iproute2's batch language on a host.
func (l *Lab) ip(h *Host, lines ...string) {
	l.t.Helper()
	if err := h.IP(lines...); err != nil {
		l.t.Fatal(err)
	}
}

func (l *Lab) forward(h *Host) {
	l.t.Helper()
	err := h.Do(func() error {
		for _, f := range []string{"/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"} {
			if err := os.WriteFile(f, []byte("1"), 0); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		l.t.Fatal(err)
	}
}

// close ends the hosts and removes the directory, or keeps and names it when the test failed.
func (l *Lab) close() {
	if l.Bridge != nil {
		l.Bridge.close()
	}
	for _, h := range l.hosts {
		h.close()
	}
	if !l.t.Failed() {
		os.RemoveAll(l.Dir)
		return
	}
	kept := l.Dir
	if to := os.Getenv("ESPLANADE_ARTEFACTS"); to != "" {
		dst := filepath.Join(to, strings.ReplaceAll(l.t.Name(), "/", "_"))
		if err := copyTree(dst, l.Dir); err != nil {
			l.t.Logf("artefacts: %v", err)
		} else {
			kept = dst
			os.RemoveAll(l.Dir)
		}
	}
	l.t.Logf("artefacts kept in %s", kept)
}

// copyTree copies the regular files below src, and leaves out sockets.
func copyTree(dst, src string) error {
	return filepath.WalkDir(src, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(src, path)
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			return os.MkdirAll(filepath.Join(dst, rel), 0o755)
		case !d.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dst, rel), b, 0o644)
	})
}
