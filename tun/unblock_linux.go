package tun

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// errRuns is why nothing is unblocked.
var errRuns = errors.New("a gateway that runs uses these routing tables")

// Unblock removes what a run has left behind to refuse packets, and tells how many rules and routes that were. With a
// gateway that runs it does nothing. all is for what others have left behind as well, in whichever routing table.
func Unblock(o LinkOptions, all bool) (removed int, err error) {
	const op = "unblock"
	o.setDefaults()
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return 0, &LinkError{Op: op, Err: err}
	}
	defer h.Close()
	l := &linuxLink{h: h, dump: h, o: o, index: -1, bypass: newBypass()}
	if err := h.SetSocketTimeout(netlinkTimeout); err != nil {
		return 0, &LinkError{Op: op, Err: err}
	}
	for _, family := range families {
		used, err := l.usedByOthers(family)
		if err == nil && used && !all {
			err = errRuns
		}
		if err != nil {
			return 0, &LinkError{Op: op, Object: fmt.Sprintf("tables %d and %d", o.Table, o.Table+1), Err: err, Fix: l.explain(err)}
		}
	}
	before, err := l.countOurs()
	for _, family := range families {
		used, err2 := l.usedByOthers(family)
		if err = errors.Join(err, err2); err == nil && !used {
			err = l.sweepFamily(family)
		}
		if err == nil && all {
			err = l.sweepOrphans(family, true)
		}
	}
	after, err2 := l.countOurs()
	if err = errors.Join(err, err2); err != nil {
		return before - after, &LinkError{Op: op, Err: err, Fix: l.explain(err)}
	}
	return before - after, nil
}

// countOurs counts our rules and routes.
func (l *linuxLink) countOurs() (n int, err error) {
	for _, family := range families {
		rules, err := l.rules(family)
		if err != nil {
			return n, err
		}
		for i := range rules {
			if l.isOurs(&rules[i]) {
				n++
			}
		}
		list, err := l.orphans(family)
		if err != nil {
			return n, err
		}
		for i := range list {
			n++
			if err := l.eachRoute(family, list[i].Table, func(netip.Prefix, *netlink.Route) { n++ }); err != nil {
				return n, err
			}
		}
		for _, table := range l.tables() {
			if err := l.eachRoute(family, table, func(_ netip.Prefix, r *netlink.Route) {
				if r.Protocol == RouteProtocol {
					n++
				}
			}); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}
