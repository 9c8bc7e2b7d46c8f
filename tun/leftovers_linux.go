package tun

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// takeOver goes on where a run ended that was killed, or was to leave its blocks behind. The kernel removes a device's
// routes and addresses with the device. What refuses the packets of the tunnel stays, and so do the rules: they go on
// working until sweep, so that nothing leaves in the clear between the two runs. What would be in the way is
// removed: the routes of a persistent device, rules of another mark. A table that routes to any device but ours belongs to a
// living process, and then its rules are left alone.
func (l *linuxLink) takeOver() error {
	var errs error
	for _, family := range families {
		errs = errors.Join(errs, l.demoteOrphans(family), l.takeOverFamily(family))
	}
	return errs
}

func (l *linuxLink) tables() [2]int { return [2]int{l.o.Table, l.o.Table + 1} }

func (l *linuxLink) takeOverFamily(family int) error {
	for _, table := range l.tables() {
		if err := l.clearRoutes(family, table, func(_ netip.Prefix, r *netlink.Route) bool { return r.LinkIndex == l.index }); err != nil {
			return err
		}
	}
	used, err := l.usedByOthers(family)
	if err != nil || used {
		return err
	}
	// The rules of the tables that refuse packets come first, with the present mark, then all others of ours go.
	for _, table := range l.tables() {
		blocks := false
		if err := l.eachRoute(family, table, func(_ netip.Prefix, r *netlink.Route) { blocks = blocks || isBlock(r) }); err != nil {
			return err
		}
		if !blocks {
			continue
		}
		if err := l.addRules(family, table); err != nil {
			return err
		}
	}
	return l.clearRules(family)
}

func (l *linuxLink) usedByOthers(family int) (bool, error) {
	for _, table := range l.tables() {
		if used, err := l.inUse(family, table); err != nil || used {
			return used, err
		}
	}
	return false, nil
}

func isBlock(r *netlink.Route) bool {
	return r.Type == unix.RTN_UNREACHABLE && r.Priority == blockMetric && r.Protocol == RouteProtocol
}

// sweep is called when what takeOver has left is replaced, as far as it is wanted.
func (l *linuxLink) sweep() error {
	var errs error
	for _, family := range families {
		errs = errors.Join(errs, l.sweepFamily(family), l.sweepOrphans(family, false))
	}
	return errs
}

func (l *linuxLink) sweepFamily(family int) error {
	// Another process's blocks look like ours.
	for _, table := range l.tables() {
		others := false
		err := l.eachRoute(family, table, func(_ netip.Prefix, r *netlink.Route) {
			others = others || r.Type == unix.RTN_UNICAST && r.LinkIndex > 0 && r.LinkIndex != l.index
		})
		if err != nil || others {
			return err
		}
	}
	for _, table := range l.tables() {
		wanted := l.wanted(family, table)
		if err := l.clearRoutes(family, table, func(dst netip.Prefix, r *netlink.Route) bool {
			return !slices.ContainsFunc(wanted[dst], func(n *netlink.Route) bool { return n.Type == r.Type })
		}); err != nil {
			return err
		}
		if l.uses(family, table) == 0 {
			delete(l.ruled, tableKey{family, table})
		}
	}
	return l.clearRules(family)
}

// clearRoutes removes those of our routes in a table that match.
func (l *linuxLink) clearRoutes(family, table int, match func(netip.Prefix, *netlink.Route) bool) error {
	var routes []netlink.Route
	if err := l.eachRoute(family, table, func(dst netip.Prefix, r *netlink.Route) {
		if r.Protocol == RouteProtocol && match(dst, r) {
			r.Dst = ipNet(dst)
			routes = append(routes, *r)
		}
	}); err != nil {
		return err
	}
	var errs error
	for i := range routes {
		if err := l.h.RouteDel(&routes[i]); err != nil && !gone(err) {
			errs = errors.Join(errs, err)
		}
	}
	return errs
}

// clearRules removes those of our rules that this process has not added, in a family that no other process uses.
func (l *linuxLink) clearRules(family int) error {
	rules, err := l.rules(family)
	if err != nil {
		return err
	}
	var keep []string
	for _, table := range l.tables() {
		if l.ruled[tableKey{family, table}] {
			for _, r := range l.tableRules(family, table) {
				keep = append(keep, ruleText(r))
			}
		}
	}
	if family == unix.AF_INET && l.excludesIPv4() {
		for _, r := range l.forwardRules() {
			keep = append(keep, ruleText(r))
		}
	}
	shared, err := l.livesBeside(family, rules)
	if err != nil {
		return err
	}
	var errs error
	for i := range rules {
		r := &rules[i]
		if l.isOurs(r) && (slices.Contains(keep, ruleText(r)) || shared && r.Table != l.o.Table && r.Table != l.o.Table+1) {
			continue
		}
		if l.isOurs(r) && r.Priority >= l.o.Priority || l.isOurs(r) && r.Priority < l.o.Priority && !l.excludes(r) {
			errs = errors.Join(errs, l.removeRule(r))
		}
	}
	return errs
}

// ruleText is what tells one of our rules from another.
func ruleText(r *netlink.Rule) string {
	dst, sport := "", ""
	if r.Dst != nil {
		dst = r.Dst.String()
	}
	if r.Sport != nil {
		sport = fmt.Sprint(r.Sport.Start, "-", r.Sport.End)
	}
	return fmt.Sprint(r.Priority, " ", r.Table, " ", r.Invert, " ", r.Mark, " ", r.SuppressPrefixlen, " ", dst, " ", r.IPProto, " ", sport, " ", r.IifName, " ", r.Goto)
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
	if r.Protocol != RouteProtocol || r.Priority < l.o.Priority-2 || r.Priority > l.o.Priority+2 {
		return false
	}
	return r.Goto == l.o.Priority || r.Table == l.o.Table || r.Table == l.o.Table+1 || r.Table == unix.RT_TABLE_MAIN
}
