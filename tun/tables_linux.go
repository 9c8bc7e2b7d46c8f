package tun

import (
	"errors"
	"net"
	"net/netip"

	"github.com/gaissmai/bart"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// dumpTries is how often a list is asked for that changes while the kernel gives it.
const dumpTries = 8

// eachRoute goes through the routes of one family in a table. A kernel without that family has none. What changes meanwhile
// may be seen twice.
func (l *linuxLink) eachRoute(family, table int, f func(netip.Prefix, *netlink.Route)) (err error) {
	for range dumpTries {
		// The socket has strict checks on: the kernel gives the routes of that table only, and not those of the others,
		// which may be a million.
		err = l.dump.RouteListFilteredIter(family, &netlink.Route{Table: table}, netlink.RT_FILTER_TABLE, func(r netlink.Route) bool {
			if dst, ok := destination(r.Dst, family); ok {
				f(dst, &r)
			}
			return true
		})
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if noFamily(err) || errors.Is(err, unix.ENOENT) { // there is no such table yet
		return nil
	}
	return err
}

// destination is the prefix of a route; a default route may have none.
func destination(n *net.IPNet, family int) (netip.Prefix, bool) {
	if n == nil {
		if family == unix.AF_INET {
			return netip.PrefixFrom(netip.IPv4Unspecified(), 0), true
		}
		return netip.PrefixFrom(netip.IPv6Unspecified(), 0), true
	}
	a, ok := netip.AddrFromSlice(n.IP)
	bits, _ := n.Mask.Size()
	if a = a.Unmap(); !ok || a.Is4() != (family == unix.AF_INET) {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, bits), true
}

// noFamily reports whether the kernel has no IPv6, or no routing rules.
func noFamily(err error) bool {
	return errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EOPNOTSUPP)
}

// isLocal reports whether a route of table main is one that keeps its way. Routes that refuse packets are none: an
// administrator who drops what has no way in main does not mean what has one into the tunnel.
func (l *linuxLink) isLocal(dst netip.Prefix, r *netlink.Route) bool {
	if dst.Bits() == 0 || r.Type != unix.RTN_UNICAST || r.LinkIndex == l.index {
		return false
	}
	switch l.o.Local {
	case LocalKept:
		return true
	case LocalConnected:
		return isConnected(r)
	default: // LocalTunnelled
		return false
	}
}

// isConnected reports whether a route is that of an address of this host.
func isConnected(r *netlink.Route) bool {
	return r.Protocol == unix.RTPROT_KERNEL && len(r.Gw) == 0 && r.Via == nil && len(r.MultiPath) == 0
}

// readMain brings the bypass to what table main has now.
func (l *linuxLink) readMain() error {
	l.mainKnown = true
	if l.o.Local == LocalTunnelled {
		return nil
	}
	main := new(bart.Lite)
	for _, family := range families {
		if err := l.eachRoute(family, unix.RT_TABLE_MAIN, func(dst netip.Prefix, r *netlink.Route) {
			if l.isLocal(dst, r) {
				main.Insert(dst)
			}
		}); err != nil {
			return err
		}
	}
	var errs error
	for _, p := range l.bypass.setMain(main) {
		errs = errors.Join(errs, l.settle(p))
	}
	return errs
}

func (l *linuxLink) readMainOnce() error {
	if l.mainKnown {
		return nil
	}
	return l.readMain()
}

// mainAdded is told of a new route in table main.
func (l *linuxLink) mainAdded(dst netip.Prefix, r *netlink.Route) error {
	if !l.mainKnown || !l.isLocal(dst, r) {
		return nil
	}
	l.bypass.main.Insert(dst)
	return l.settle(dst)
}
