package tun

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// routeTakenError says that somebody else routes the same prefix in our table.
type routeTakenError struct {
	dst    netip.Prefix
	table  int
	device string
}

func (e *routeTakenError) Error() string {
	return fmt.Sprintf("table %d already routes %v to device %s", e.table, e.dst, e.device)
}

// family is the address family of a prefix.
func family(a netip.Addr) int {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// table is the routing table of a route's destination.
func (l *linuxLink) table(dst netip.Prefix) int {
	if dst.Bits() == 0 {
		return l.o.Table + 1
	}
	return l.o.Table
}

// route gives what netlink wants to know of a route.
func (l *linuxLink) route(r Route) *netlink.Route {
	n := &netlink.Route{
		LinkIndex: l.index,
		Dst:       ipNet(r.Dst),
		Table:     l.table(r.Dst),
		Protocol:  RouteProtocol,
	}
	if r.Dst.Addr().Is4() {
		n.Scope = netlink.SCOPE_LINK // no gateway behind a tunnel
	}
	if r.Src.IsValid() {
		n.Src = r.Src.AsSlice()
	}
	return n
}

func (l *linuxLink) addRoute(r Route) error {
	table := l.table(r.Dst)
	key := tableKey{family(r.Dst.Addr()), table}
	if l.routed[key] == 0 {
		for _, rule := range l.tableRules(key.family, table) {
			if err := l.addRule(rule); err != nil {
				return errors.Join(err, l.tidy(key.family, table))
			}
		}
	}
	n := l.route(r)
	err := l.h.RouteAdd(n)
	if errors.Is(err, unix.EEXIST) {
		if err = l.takenBy(r.Dst, table); err == nil {
			err = l.h.RouteReplace(n) // ours: of an earlier run, on a persistent device
		}
	}
	if err != nil {
		return errors.Join(err, l.tidy(key.family, table))
	}
	l.routed[key]++
	return nil
}

// dumpTries is how often a list is asked for that changes while the kernel gives it.
const dumpTries = 8

// routes lists the routes of one family that match a filter. A kernel without that family has none.
func (l *linuxLink) routes(family int, filter *netlink.Route, mask uint64) (routes []netlink.Route, err error) {
	for range dumpTries {
		if routes, err = l.h.RouteListFiltered(family, filter, mask); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if noFamily(err) {
		return nil, nil
	}
	return routes, err
}

// noFamily reports whether the kernel has no IPv6, or no routing rules.
func noFamily(err error) bool {
	return errors.Is(err, unix.EAFNOSUPPORT) || errors.Is(err, unix.EOPNOTSUPP)
}

// takenBy names the other device that has the route to dst; nil means that it is ours.
func (l *linuxLink) takenBy(dst netip.Prefix, table int) error {
	routes, err := l.routes(family(dst.Addr()), &netlink.Route{Table: table, Dst: ipNet(dst)},
		netlink.RT_FILTER_TABLE|netlink.RT_FILTER_DST)
	if err != nil {
		return err
	}
	for _, r := range routes {
		if r.LinkIndex == l.index {
			continue
		}
		device := fmt.Sprint("number ", r.LinkIndex)
		if dev, err := l.h.LinkByIndex(r.LinkIndex); err == nil {
			device = dev.Attrs().Name
		}
		return &routeTakenError{dst: dst, table: table, device: device}
	}
	return nil
}

func (l *linuxLink) changeSource(r Route) error { return l.h.RouteReplace(l.route(r)) }

func (l *linuxLink) removeRoute(r Route) error {
	n := l.route(r)
	n.Src = nil // whichever source it has by now
	err := l.h.RouteDel(n)
	if gone(err) {
		err = nil
	}
	key := tableKey{family(r.Dst.Addr()), l.table(r.Dst)}
	if err == nil && l.routed[key] > 0 {
		l.routed[key]--
	}
	return errors.Join(err, l.tidy(key.family, key.table))
}

// inUse reports whether a table has routes to a device, ours or another process's.
func (l *linuxLink) inUse(family, table int) (bool, error) {
	routes, err := l.routes(family, &netlink.Route{Table: table}, netlink.RT_FILTER_TABLE)
	// Throw routes do not count: they belong to the others. In IPv6 they name the loopback device.
	return slices.ContainsFunc(routes, func(r netlink.Route) bool { return r.LinkIndex > 0 && r.Type != unix.RTN_THROW }), err
}

// tidy removes the rules of a table that nobody uses any longer. While we use it ourselves, nobody need be asked: the list of
// thousands of routes is long.
func (l *linuxLink) tidy(family, table int) error {
	if l.routed[tableKey{family, table}] > 0 {
		return nil
	}
	used, err := l.inUse(family, table)
	if err != nil || used {
		return err
	}
	var errs error
	for _, rule := range l.tableRules(family, table) {
		errs = errors.Join(errs, l.removeRule(rule))
	}
	return errs
}
