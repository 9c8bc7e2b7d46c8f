//go:build linux

package lab

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
)

// Site is one end of the tunnel: a gateway host with outer addresses and a network behind it.
type Site struct {
	*Host
	Outer4, Outer6 netip.Addr
	Inner4, Inner6 netip.Addr   // addresses of the gateway in the networks behind it (on lo)
	Net4, Net6     netip.Prefix // the networks behind it
	Link           string       // the interface with the outer addresses
}

// The names of the sites' links.
const (
	LinkA = "a0"
	LinkB = "b0"
)

// Outer returns the outer address of a family.
func (s *Site) Outer(v6 bool) netip.Addr {
	if v6 {
		return s.Outer6
	}
	return s.Outer4
}

// Cable says what the virtual cables of a lab carry.
type Cable uint8

const (
	// CableMTU carries what a wire would: segmentation offload is off at both ends, so packets of at most one MTU pass.
	CableMTU Cable = iota
	// CableMerge is CableMTU, and the receiver merges again what the sender has cut, as network cards' drivers do.
	CableMerge
	// CableSuper carries super-packets of up to 64 KiB whole, as a veth pair does by itself.
	CableSuper
)

// offload are the arguments of ethtool -K for a cable; none for what a veth pair does by itself.
func (c Cable) offload() []string {
	off := []string{"tso", "off", "gso", "off", "tx-udp-segmentation", "off"}
	switch c {
	case CableSuper:
		return nil
	case CableMerge:
		return append(off, "gro", "on")
	case CableMTU:
	}
	return off
}

// Options choose the shape of a lab.
type Options struct {
	// Router puts a third host between the gateways, which forwards and can translate and block.
	Router bool
	// Bridge puts a third host between the gateways that passes frames in user space, and can lose, duplicate and
	// reorder them. Not together with Router.
	Bridge bool
	// Cable is what all cables carry.
	Cable Cable
}

// Lab is a network of two gateways, and a router between them if asked for.
type Lab struct {
	A, B *Site
	R    *Host // nil without Options.Router
	// Dir is for files of whoever uses the lab; each host has its own below it. Its path is short, since the path of a Unix
	// socket must fit into 108 octets.
	Dir string
	// Bridge is nil without Options.Bridge.
	Bridge *Bridge

	cable Cable
	hosts []*Host
}

// Build builds a lab; Close takes it down. Neither gateway knows a way to the networks behind the other.
func Build(o Options) (_ *Lab, err error) {
	l, err := empty()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	l.cable = o.Cable
	l.A = &Site{Link: LinkA, Outer4: addr("198.18.0.1"), Outer6: addr("2001:db8::1"), Inner4: addr("10.10.0.1"), Inner6: addr("fd10::1"),
		Net4: prefix("10.10.0.0/24"), Net6: prefix("fd10::/64")}
	l.B = &Site{Link: LinkB, Outer4: addr("198.18.0.2"), Outer6: addr("2001:db8::2"), Inner4: addr("10.20.0.1"), Inner6: addr("fd20::1"),
		Net4: prefix("10.20.0.0/24"), Net6: prefix("fd20::/64")}
	if l.A.Host, err = l.host("a"); err != nil {
		return nil, err
	}
	if l.B.Host, err = l.host("b"); err != nil {
		return nil, err
	}
	switch {
	case o.Router:
		err = l.route()
	case o.Bridge:
		err = l.bridge()
	default:
		err = l.wire(l.A.Host, l.A.Link, l.B.Host, l.B.Link)
	}
	if err != nil {
		return nil, err
	}
	for _, s := range l.Sites() {
		if err := s.IP("addr add "+s.Outer4.String()+"/24 dev "+s.Link, "addr add "+s.Outer6.String()+"/64 dev "+s.Link+" nodad",
			"addr add "+s.Inner4.String()+"/32 dev lo", "addr add "+s.Inner6.String()+"/128 dev lo"); err != nil {
			return nil, err
		}
	}
	if !o.Router {
		return l, nil
	}
	if err := l.A.IP("route add 198.18.2.0/24 via 198.18.1.254", "-6 route add 2001:db8:2::/64 via 2001:db8:1::fe"); err != nil {
		return nil, err
	}
	return l, l.B.IP("route add 198.18.1.0/24 via 198.18.2.254", "-6 route add 2001:db8:1::/64 via 2001:db8:2::fe")
}

// empty is a lab without hosts.
func empty() (*Lab, error) {
	dir, err := os.MkdirTemp("", "lab")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // readable to the unprivileged user of the demo test
		return nil, err
	}
	return &Lab{Dir: dir}, nil
}

// Sites are both gateways' hosts, a first.
func (l *Lab) Sites() [2]*Site { return [2]*Site{l.A, l.B} }

// Other is the site that is not s.
func (l *Lab) Other(s *Site) *Site {
	if s == l.A {
		return l.B
	}
	return l.A
}

// Close ends the hosts and removes the directory. The programs of the lab must have been stopped.
func (l *Lab) Close() {
	l.end()
	_ = os.RemoveAll(l.Dir) // in the system's directory for what may be removed
}

// end ends the hosts.
func (l *Lab) end() {
	if l.Bridge != nil {
		l.Bridge.close()
	}
	for _, h := range l.hosts {
		h.close()
	}
}

// Elsewhere are addresses that no host of a lab has; Anyone is no particular address.
var (
	Elsewhere  = addr("192.0.2.77")
	Elsewhere6 = addr("2001:db8:77::77")
	Anyone     netip.Addr
)

func addr(s string) netip.Addr     { return netip.MustParseAddr(s) }
func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// host adds a host, whose lo is up.
func (l *Lab) host(name string) (*Host, error) {
	h, err := newHost(name, l.Dir)
	if err != nil {
		return nil, err
	}
	l.hosts = append(l.hosts, h)
	return h, h.IP("link set lo up")
}

// wire joins two hosts by a virtual cable.
func (l *Lab) wire(x *Host, xLink string, y *Host, yLink string) error {
	if err := x.IP(fmt.Sprintf("link add %s type veth peer name %s netns %s", xLink, yLink, y.namespacePath())); err != nil {
		return err
	}
	for _, end := range []struct {
		h    *Host
		link string
	}{{x, xLink}, {y, yLink}} {
		if offload := l.cable.offload(); len(offload) > 0 {
			if err := end.h.setOffload(end.link, offload...); err != nil {
				return err
			}
		}
		// No link-local addresses: they come and go by themselves.
		if err := end.h.IP("link set " + end.link + " addrgenmode none up"); err != nil {
			return err
		}
	}
	return nil
}

// route joins the gateways through a host that forwards.
func (l *Lab) route() (err error) {
	l.A.Outer4, l.A.Outer6 = addr("198.18.1.1"), addr("2001:db8:1::1")
	l.B.Outer4, l.B.Outer6 = addr("198.18.2.1"), addr("2001:db8:2::1")
	if l.R, err = l.host("r"); err != nil {
		return err
	}
	if err := l.wire(l.A.Host, l.A.Link, l.R, "ra"); err != nil {
		return err
	}
	if err := l.wire(l.B.Host, l.B.Link, l.R, "rb"); err != nil {
		return err
	}
	if err := l.R.IP("addr add 198.18.1.254/24 dev ra", "addr add 2001:db8:1::fe/64 dev ra nodad",
		"addr add 198.18.2.254/24 dev rb", "addr add 2001:db8:2::fe/64 dev rb nodad",
		// A router asks for the neighbours of what it forwards from its link-local addresses only.
		"addr add fe80::fe/64 dev ra nodad", "addr add fe80::fe/64 dev rb nodad"); err != nil {
		return err
	}
	return l.R.Do(func() error {
		for _, f := range []string{"/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"} {
			if err := os.WriteFile(f, []byte("1"), 0); err != nil {
				return err
			}
		}
		return nil
	})
}

// bridge joins the gateways through a host that passes frames in user space.
func (l *Lab) bridge() error {
	h, err := l.host("r")
	if err != nil {
		return err
	}
	if err := l.wire(l.A.Host, l.A.Link, h, "ra"); err != nil {
		return err
	}
	if err := l.wire(l.B.Host, l.B.Link, h, "rb"); err != nil {
		return err
	}
	for _, end := range []struct {
		h    *Host
		link string
	}{{l.A.Host, l.A.Link}, {l.B.Host, l.B.Link}, {h, "ra"}, {h, "rb"}} {
		// Frames have to leave with their checksums: nobody finishes them for the bridge.
		if err := end.h.setOffload(end.link, "tx", "off", "gro", "off"); err != nil {
			return err
		}
	}
	l.Bridge, err = startBridge(h, "ra", "rb")
	return err
}

func (h *Host) setOffload(link string, what ...string) error {
	_, err := h.Run(append([]string{"ethtool", "-K", link}, what...)...)
	return err
}

// Offloads says what the cable does, in the words of `ethtool -k`.
func (l *Lab) Offloads() ([]string, error) {
	out, err := l.A.Run("ethtool", "-k", l.A.Link)
	if err != nil {
		return nil, err
	}
	shown := map[string]bool{"tcp-segmentation-offload": true, "generic-segmentation-offload": true, "generic-receive-offload": true,
		"tx-udp-segmentation": true, "rx-udp-gro-forwarding": true}
	var found []string
	for line := range strings.Lines(out) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && shown[name] {
			found = append(found, name+" "+strings.TrimSpace(value))
		}
	}
	return found, nil
}
