package tun

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// blockMetric is the metric of the routes that refuse what has no way into the tunnel: the worst that an int
// of any machine holds, less one. Any route to the device is better.
const blockMetric = 1<<31 - 2

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

// families are those that have rules and routes.
var families = [...]int{unix.AF_INET, unix.AF_INET6}

// table is the routing table of a route's destination. A default route gives way to all of main's others, which needs one
// rule and no route each.
func (l *linuxLink) table(dst netip.Prefix) int {
	if dst.Bits() == 0 && l.o.Local == LocalKept {
		return l.o.Table + 1
	}
	return l.o.Table
}

// deviceRoute leads into the tunnel.
func (l *linuxLink) deviceRoute(r Route, table int) *netlink.Route {
	n := &netlink.Route{LinkIndex: l.index, Dst: ipNet(r.Dst), Table: table, Type: unix.RTN_UNICAST, Protocol: RouteProtocol}
	if r.Dst.Addr().Is4() {
		n.Scope = netlink.SCOPE_LINK // no gateway behind a tunnel
	}
	if r.Src.IsValid() {
		n.Src = r.Src.AsSlice()
	}
	return n
}

// blockRoute refuses what has no way into the tunnel, because the device is down or gone, instead of letting it go on to
// the default route.
func blockRoute(dst netip.Prefix, table int) *netlink.Route {
	return &netlink.Route{Dst: ipNet(dst), Table: table, Type: unix.RTN_UNREACHABLE, Priority: blockMetric, Protocol: RouteProtocol}
}

// bypassRoute sends a lookup on to the next rule, which is that of table main. Its scope is that of a connected network: the
// kernel looks for the device of a route's gateway among such routes only, and would find the tunnel's otherwise.
func bypassRoute(dst netip.Prefix, table int) *netlink.Route {
	n := &netlink.Route{Dst: ipNet(dst), Table: table, Type: unix.RTN_THROW, Protocol: RouteProtocol}
	if dst.Addr().Is4() {
		n.Scope = netlink.SCOPE_LINK
	}
	return n
}

func (l *linuxLink) addRoute(r Route) error {
	if err := l.readMainOnce(); err != nil {
		return err
	}
	table := l.table(r.Dst)
	l.want[r.Dst] = r
	err := l.addRules(family(r.Dst.Addr()), table)
	if err == nil && table == l.o.Table {
		// What keeps its way is known before the route is there that would take it.
		l.bypass.tunnel.Insert(r.Dst)
		for _, p := range l.bypass.within(r.Dst) {
			if p != r.Dst {
				err = errors.Join(err, l.settle(p))
			}
		}
	}
	if err == nil {
		err = l.settle(r.Dst)
	}
	// What refuses the packets is there first, and stays if there is no way into the device: nothing leaves by another way.
	if err == nil {
		err = l.add(blockRoute(r.Dst, table))
	}
	if err != nil {
		return errors.Join(err, l.forgetRoute(r.Dst))
	}
	if err = l.addDeviceRoute(r, table); err != nil {
		var taken *routeTakenError
		if errors.As(err, &taken) { // what refuses packets is the other's as well
			return errors.Join(err, l.forgetRoute(r.Dst))
		}
		return fmt.Errorf("%w: %w", ErrOnlyRefused, err)
	}
	if host, ok := l.bypass.main.LookupPrefixLPM(r.Dst); ok && l.o.Overlapping != nil {
		l.o.Overlapping(Overlap{Host: host, Tunnel: r.Dst})
	}
	return nil
}

// add adds a route that may be there already.
func (l *linuxLink) add(n *netlink.Route) error {
	if err := l.h.RouteAdd(n); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("add %s route to table %d: %w", routeKind(n), n.Table, err)
	}
	return nil
}

func (l *linuxLink) remove(n *netlink.Route) error {
	if err := l.h.RouteDel(n); err != nil && !gone(err) && !noFamily(err) {
		return fmt.Errorf("remove %s route from table %d: %w", routeKind(n), n.Table, err)
	}
	return nil
}

func routeKind(n *netlink.Route) string {
	switch n.Type {
	case unix.RTN_UNREACHABLE:
		return "unreachable"
	case unix.RTN_THROW:
		return "throw"
	}
	return "device"
}

func (l *linuxLink) addDeviceRoute(r Route, table int) error {
	n := l.deviceRoute(r, table)
	err := l.h.RouteAdd(n)
	if errors.Is(err, unix.ENETDOWN) && l.up {
		// Somebody has set the device down a moment ago.
		if dev, e := l.link(); e == nil && l.h.LinkSetUp(dev) == nil {
			err = l.h.RouteAdd(n)
		}
	}
	if errors.Is(err, unix.EEXIST) {
		if err = l.takenBy(r.Dst, table); err == nil {
			err = l.h.RouteReplace(n) // ours: of an earlier run, on a persistent device
		}
	}
	return err
}

// takenBy names the other device that has the route to dst; nil means that it is ours.
func (l *linuxLink) takenBy(dst netip.Prefix, table int) error {
	var taken error
	err := l.eachRoute(family(dst.Addr()), table, func(p netip.Prefix, r *netlink.Route) {
		if p != dst || r.Type != unix.RTN_UNICAST || r.LinkIndex == l.index || taken != nil {
			return
		}
		device := fmt.Sprint("number ", r.LinkIndex)
		if dev, err := l.h.LinkByIndex(r.LinkIndex); err == nil {
			device = dev.Attrs().Name
		}
		taken = &routeTakenError{dst: dst, table: table, device: device}
	})
	return errors.Join(err, taken)
}

func (l *linuxLink) changeSource(r Route) error {
	err := l.h.RouteReplace(l.deviceRoute(r, l.table(r.Dst)))
	if err == nil {
		l.want[r.Dst] = r
	}
	return err
}

// removeRoute leaves, with block, all that refuses the packets of the prefix once the device is gone.
func (l *linuxLink) removeRoute(r Route, block bool) error {
	table := l.table(r.Dst)
	n := l.deviceRoute(Route{Dst: r.Dst}, table) // whichever source it has by now
	if err := l.remove(n); err != nil {
		return err
	}
	if block {
		if l.bypass.covers[r.Dst] > 0 {
			n.Table = l.o.Table + 1
			return l.remove(n)
		}
		return nil
	}
	if err := l.remove(blockRoute(r.Dst, table)); err != nil {
		return err
	}
	return l.forgetRoute(r.Dst)
}

// forgetRoute lets the destinations that were kept out of a route go their way without it.
func (l *linuxLink) forgetRoute(dst netip.Prefix) error {
	delete(l.want, dst)
	var errs error
	table := l.table(dst)
	if table == l.o.Table {
		l.bypass.tunnel.Delete(dst)
		for _, p := range l.bypass.within(dst) {
			errs = errors.Join(errs, l.settle(p))
		}
	}
	return errors.Join(errs, l.tidy(family(dst.Addr()), table))
}

// settle makes the system keep a destination out of the tunnel, or not any longer.
func (l *linuxLink) settle(dst netip.Prefix) error {
	b := &l.bypass
	cover, keep := b.verdict(dst)
	old, kept := b.kept[dst]
	switch {
	case keep && !kept && len(b.kept) >= maxBypasses:
		l.crowded = true
		return nil
	case !keep && !kept || keep && kept && old == cover:
		return nil
	case !keep:
		if err := l.remove(bypassRoute(dst, l.o.Table)); err != nil {
			return err
		}
		b.release(dst)
		return l.dropNet(old)
	}
	if b.covers[cover] == 0 {
		if err := l.addNet(cover); err != nil {
			return err
		}
	}
	if !kept {
		if err := l.add(bypassRoute(dst, l.o.Table)); err != nil {
			return errors.Join(err, l.dropNet(cover))
		}
	}
	b.keep(dst, cover)
	if kept {
		return l.dropNet(old)
	}
	if l.o.Overlapping != nil {
		l.o.Overlapping(Overlap{Host: dst, Tunnel: cover, Kept: true})
	}
	return nil
}

// addNet has a covering route into the tunnel a second time, in the table after main's: there it catches the packets of a
// destination that was kept out of the tunnel and has no way in main any more.
func (l *linuxLink) addNet(cover netip.Prefix) error {
	err := l.addRules(family(cover.Addr()), l.o.Table+1)
	if err == nil {
		err = l.add(blockRoute(cover, l.o.Table+1))
	}
	if err != nil {
		return errors.Join(err, l.dropNet(cover))
	}
	// Without a way into the device, as where IPv6 is off, the packets of a vanished route of main are refused.
	_ = l.addDeviceRoute(Route{Dst: cover}, l.o.Table+1)
	return nil
}

// dropNet undoes addNet when nothing is kept out of the covering route.
func (l *linuxLink) dropNet(cover netip.Prefix) error {
	if l.bypass.covers[cover] > 0 {
		return nil
	}
	return errors.Join(l.remove(l.deviceRoute(Route{Dst: cover}, l.o.Table+1)), l.remove(blockRoute(cover, l.o.Table+1)),
		l.tidy(family(cover.Addr()), l.o.Table+1))
}

// uses counts what this process has in a table.
func (l *linuxLink) uses(fam, table int) int {
	n := 0
	for dst := range l.want {
		if family(dst.Addr()) == fam && l.table(dst) == table {
			n++
			break
		}
	}
	if table == l.o.Table+1 {
		for cover := range l.bypass.covers {
			if family(cover.Addr()) == fam {
				n++
				break
			}
		}
	}
	return n
}

// addRules adds the rules that lead to a table. They are there already when this process has a route in it.
func (l *linuxLink) addRules(family, table int) error {
	if l.ruled[tableKey{family, table}] {
		return nil
	}
	for _, rule := range l.tableRules(family, table) {
		if err := l.addRule(rule); err != nil {
			return err
		}
	}
	l.ruled[tableKey{family, table}] = true
	return nil
}

// tidy removes the rules of a table that nobody uses any longer. While we use it ourselves, nobody need be asked: the list of
// thousands of routes is long.
func (l *linuxLink) tidy(family, table int) error {
	if l.uses(family, table) > 0 {
		return nil
	}
	used, err := l.inUse(family, table)
	if err != nil {
		return err
	}
	delete(l.ruled, tableKey{family, table})
	if used {
		return nil
	}
	rules, err := l.rules(family)
	if err != nil {
		return err
	}
	shared, err := l.livesBeside(family, rules)
	if err != nil {
		return err
	}
	var errs error
	for _, rule := range l.tableRules(family, table) {
		if shared && rule.Table == unix.RT_TABLE_MAIN {
			continue
		}
		errs = errors.Join(errs, l.removeRule(rule))
	}
	return errs
}

// inUse reports whether a table has routes to a device, ours or another process's.
func (l *linuxLink) inUse(family, table int) (used bool, err error) {
	err = l.eachRoute(family, table, func(_ netip.Prefix, r *netlink.Route) {
		used = used || r.LinkIndex > 0 && r.Type == unix.RTN_UNICAST
	})
	return used, err
}
