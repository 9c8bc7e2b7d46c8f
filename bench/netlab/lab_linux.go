package netlab

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// Site is a host with its addresses.
type Site struct {
	*Host
	Outer netip.Addr   // on the veth
	Inner netip.Addr   // on lo, in Net
	Net   netip.Prefix // what is behind this gateway
	Link  string       // name of the veth
}

// Lab is two hosts and a cable.
type Lab struct {
	A, B Site
	// Dir is for the files of a contestant. It goes with the lab.
	Dir string
}

// mtuWire are the offloads that make nothing larger than the MTU appear on the wire. gro lets the receiver merge again what
// the sender cut, as network cards' drivers do.
var mtuWire = []string{"tx-udp-segmentation", "off", "tso", "off", "gso", "off", "gro", "on"}

// New makes a lab whose cable carries super-packets whole, or, with singlePackets, nothing larger than the MTU. It is
// empty: neither side knows a way to the other's inner network.
func New(ctx context.Context, singlePackets bool) (_ *Lab, err error) {
	l := &Lab{}
	defer func() {
		if err != nil {
			l.Close()
		}
	}()
	// Short, because the path of a Unix socket in it must fit into 108 octets.
	if l.Dir, err = os.MkdirTemp("", "sbs"); err != nil {
		return nil, err
	}
	l.A = Site{Link: "va", Outer: netip.MustParseAddr("198.18.0.1"), Inner: netip.MustParseAddr("10.10.0.1"), Net: netip.MustParsePrefix("10.10.0.0/24")}
	l.B = Site{Link: "vb", Outer: netip.MustParseAddr("198.18.0.2"), Inner: netip.MustParseAddr("10.20.0.1"), Net: netip.MustParsePrefix("10.20.0.0/24")}
	if l.A.Host, err = newHost("a"); err != nil {
		return nil, err
	}
	if l.B.Host, err = newHost("b"); err != nil {
		return nil, err
	}
	if err := l.A.Run(ctx, "ip", "link", "add", l.A.Link, "type", "veth", "peer", "name", l.B.Link, "netns", l.B.path()); err != nil {
		return nil, err
	}
	for _, s := range []Site{l.A, l.B} {
		lines := [][]string{
			{"ip", "link", "set", "lo", "up"},
			{"ip", "addr", "add", s.Inner.String() + "/32", "dev", "lo"},
			{"ip", "addr", "add", s.Outer.String() + "/24", "dev", s.Link},
		}
		if singlePackets {
			lines = append(lines, append([]string{"ethtool", "-K", s.Link}, mtuWire...))
		}
		for _, args := range append(lines, []string{"ip", "link", "set", s.Link, "up"}) {
			if err := s.Run(ctx, args...); err != nil {
				return nil, err
			}
		}
	}
	return l, nil
}

// Close takes everything down. The programs of the lab must have been stopped.
func (l *Lab) Close() {
	for _, s := range []Site{l.A, l.B} {
		if s.Host != nil {
			s.Host.close()
		}
	}
	if l.Dir != "" {
		_ = os.RemoveAll(l.Dir) // in the system's directory for what may be removed
	}
}

// Overflow is that of both hosts.
func (l *Lab) Overflow() (sum Overflow, err error) {
	for _, s := range l.Sites() {
		o, err := s.Overflow()
		if err != nil {
			return sum, err
		}
		sum.UDP += o.UDP
		sum.Device += o.Device
	}
	return sum, nil
}

// Sites are both, a first.
func (l *Lab) Sites() [2]Site { return [2]Site{l.A, l.B} }

// Other is the one that is not s.
func (l *Lab) Other(s Site) Site {
	if s.Name == l.A.Name {
		return l.B
	}
	return l.A
}

// offloads are the lines of `ethtool -k` that matter here.
var offloads = []string{"tcp-segmentation-offload", "generic-segmentation-offload", "generic-receive-offload", "tx-udp-segmentation", "rx-udp-gro-forwarding"}

// Offloads says what the veth does.
func (l *Lab) Offloads(ctx context.Context) ([]string, error) {
	out, _, err := l.A.Output(ctx, Command{Args: []string{"ethtool", "-k", l.A.Link}})
	if err != nil {
		return nil, err
	}
	var found []string
	for line := range strings.Lines(string(out)) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), ":")
		if ok && slices.Contains(offloads, name) {
			found = append(found, name+" "+strings.TrimSpace(value))
		}
	}
	return found, nil
}

// MTU is that of a device of a host.
func (h *Host) MTU(ctx context.Context, device string) (int, error) {
	out, _, err := h.Output(ctx, Command{Args: []string{"ip", "-o", "link", "show", "dev", device}})
	if err != nil {
		return 0, err
	}
	var mtu int
	_, rest, _ := strings.Cut(string(out), " mtu ")
	if _, err := fmt.Sscan(rest, &mtu); err != nil {
		return 0, fmt.Errorf("netlab: MTU of %s: %w", device, err)
	}
	return mtu, nil
}

// Missing says what this machine lacks for a lab and for the programs; it is empty when there is nothing.
func Missing(programs ...string) []string {
	var missing []string
	if os.Geteuid() != 0 {
		missing = append(missing, "root (for network namespaces and TUN devices)")
	} else {
		if h, err := newHost("probe"); err != nil {
			missing = append(missing, fmt.Sprintf("network namespaces (%v)", err))
		} else {
			h.close()
		}
		if f, err := os.OpenFile("/dev/net/tun", os.O_RDWR, 0); err != nil {
			missing = append(missing, fmt.Sprintf("a usable /dev/net/tun (%v)", err))
		} else {
			f.Close()
		}
	}
	for _, p := range append([]string{"ip", "ethtool"}, programs...) {
		if _, err := LookPath(p); err != nil {
			missing = append(missing, "the program "+p)
		}
	}
	return missing
}

// Kernel is the kernel's release.
func Kernel() (string, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "", errors.Join(errProc, err)
	}
	return unix.ByteSliceToString(u.Release[:]), nil
}
