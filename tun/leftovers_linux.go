package tun

import (
	"errors"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// clearLeftovers removes what a run that could not clean up has left. The kernel removes a device's routes and addresses
// with the device; rules and throw routes stay, and so do the routes of a persistent device. A table that routes
// to any device but ours belongs to a living process, and then its rules are left alone.
func (l *linuxLink) clearLeftovers() error {
	var errs error
	for _, family := range []int{unix.AF_INET, unix.AF_INET6} {
		errs = errors.Join(errs, l.clearFamily(family))
	}
	return errs
}

func (l *linuxLink) clearFamily(family int) error {
	tables := []int{l.o.Table, l.o.Table + 1}
	for _, table := range tables {
		if err := l.clearRoutes(family, table, func(r netlink.Route) bool { return r.LinkIndex == l.index }); err != nil {
			return err
		}
	}
	for _, table := range tables {
		if used, err := l.inUse(family, table); err != nil || used {
			return err
		}
	}
	for _, table := range tables {
		if err := l.clearRoutes(family, table, func(r netlink.Route) bool { return r.Type == unix.RTN_THROW }); err != nil {
			return err
		}
	}
	rules, err := l.rules(family)
	if err != nil {
		return err
	}
	var errs error
	for i := range rules {
		if r := &rules[i]; l.isOurs(r) {
			errs = errors.Join(errs, l.removeRule(r))
		}
	}
	return errs
}

// clearRoutes removes those of our routes in a table that match.
func (l *linuxLink) clearRoutes(family, table int, match func(netlink.Route) bool) error {
	routes, err := l.routes(family, &netlink.Route{Table: table, Protocol: RouteProtocol},
		netlink.RT_FILTER_TABLE|netlink.RT_FILTER_PROTOCOL)
	if err != nil {
		return err
	}
	var errs error
	for i := range routes {
		if r := &routes[i]; match(*r) {
			if err := l.h.RouteDel(r); err != nil && !gone(err) {
				errs = errors.Join(errs, err)
			}
		}
	}
	return errs
}

// rules lists the routing rules of one family. A kernel without rules has none; adding one will say so.
func (l *linuxLink) rules(family int) (rules []netlink.Rule, err error) {
	for range dumpTries {
		if rules, err = l.h.RuleList(family); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	if noFamily(err) {
		return nil, nil
	}
	return rules, err
}

// isOurs recognises a rule of ours, whatever its mark: the mark may be another since the configuration was changed.
func (l *linuxLink) isOurs(r *netlink.Rule) bool {
	if r.Protocol != RouteProtocol || r.Priority < l.o.Priority-1 || r.Priority > l.o.Priority+2 {
		return false
	}
	return r.Table == l.o.Table || r.Table == l.o.Table+1 || r.Table == unix.RT_TABLE_MAIN
}
