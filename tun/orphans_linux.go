package tun

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// What refuses packets in a table that is not ours may be what this gateway left behind before its table was changed, or
// belong to another one that is stopped and holds its packets back. Nothing tells one from the other. So it stays, but behind
// what is ours: what has a way into our tunnel takes it, and all else goes on being refused. demoted is how much further back.
const demoted = 3

// ofOther reports whether a rule is one that leads to the tables of a gateway with others.
func (l *linuxLink) ofOther(r *netlink.Rule) bool {
	places := []int{l.o.Priority, l.o.Priority + 2, l.o.Priority + demoted, l.o.Priority + 2 + demoted}
	return r.Protocol == RouteProtocol && slices.Contains(places, r.Priority) && r.Goto <= 0 && r.Table != unix.RT_TABLE_MAIN &&
		r.Table != l.o.Table && r.Table != l.o.Table+1
}

// livesBeside reports whether a gateway with other tables runs: the rules that lead to table main are also its.
func (l *linuxLink) livesBeside(family int, rules []netlink.Rule) (bool, error) {
	for i := range rules {
		if !l.ofOther(&rules[i]) {
			continue
		}
		if used, err := l.inUse(family, rules[i].Table); err != nil || used {
			return used, err
		}
	}
	return false, nil
}

// orphans lists the rules of ours that lead to a table that is not, and that no living process has a route in.
func (l *linuxLink) orphans(family int) ([]netlink.Rule, error) {
	rules, err := l.rules(family)
	if err != nil {
		return nil, err
	}
	var out []netlink.Rule
	for _, r := range rules {
		if !l.ofOther(&r) {
			continue
		}
		used, err := l.inUse(family, r.Table)
		if err != nil {
			return nil, err
		}
		if !used {
			out = append(out, r)
		}
	}
	return out, nil
}

// demoteOrphans has the rules of orphans come after ours. The new one is there before the old one goes.
func (l *linuxLink) demoteOrphans(family int) error {
	list, err := l.orphans(family)
	if err != nil {
		return err
	}
	for i := range list {
		r := &list[i]
		if r.Priority >= l.o.Priority+demoted {
			continue
		}
		if r.Priority == l.o.Priority+2 {
			if err := l.addRule(l.spareRule(family, l.o.Priority+1+demoted)); err != nil {
				return err
			}
		}
		n := *r
		n.Priority += demoted
		if err := l.addRule(&n); err != nil {
			return err
		}
		if err := l.removeRule(r); err != nil {
			return err
		}
	}
	return nil
}

// sweepOrphans removes of the orphans what refuses the very prefixes that our tunnels have now, or all, and the rules that lead
// to nothing then.
func (l *linuxLink) sweepOrphans(family int, all bool) error {
	list, err := l.orphans(family)
	if err != nil {
		return err
	}
	var errs error
	for i := range list {
		r, left := &list[i], false
		match := func(dst netip.Prefix, n *netlink.Route) bool {
			_, wanted := l.want[dst]
			return isBlock(n) && (all || wanted)
		}
		errs = errors.Join(errs, l.clearRoutes(family, r.Table, match), l.eachRoute(family, r.Table, func(_ netip.Prefix, n *netlink.Route) {
			left = left || isBlock(n)
		}))
		if !left && errs == nil {
			errs = errors.Join(l.clearRoutes(family, r.Table, func(netip.Prefix, *netlink.Route) bool { return true }), l.removeRule(r))
		}
	}
	return errors.Join(errs, l.tidyDemoted(family))
}

// tidyDemoted removes demoted rules that lead to our own tables, which have others by now, and the one that no other needs.
func (l *linuxLink) tidyDemoted(family int) error {
	rules, err := l.rules(family)
	if err != nil {
		return err
	}
	var errs error
	var spare *netlink.Rule
	needed := false
	for i := range rules {
		r := &rules[i]
		switch {
		case r.Protocol != RouteProtocol || r.Priority < l.o.Priority+demoted || r.Priority > l.o.Priority+2+demoted:
		case r.Table == l.o.Table || r.Table == l.o.Table+1:
			errs = errors.Join(errs, l.removeRule(r))
		case r.Table == unix.RT_TABLE_MAIN:
			spare = r
		default:
			needed = needed || r.Priority == l.o.Priority+2+demoted
		}
	}
	if spare != nil && !needed {
		errs = errors.Join(errs, l.removeRule(spare))
	}
	return errs
}

// LeftBehind lists the routing tables, other than o's, in which something refuses packets for a gateway that does not run.
func LeftBehind(o LinkOptions) (tables []int, err error) {
	o.setDefaults()
	h, err := netlink.NewHandle(unix.NETLINK_ROUTE)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	if err := h.SetSocketTimeout(netlinkTimeout); err != nil {
		return nil, err
	}
	l := &linuxLink{h: h, dump: h, o: o, index: -1}
	for _, family := range families {
		list, err := l.orphans(family)
		if err != nil {
			return nil, err
		}
		for i := range list {
			if t := list[i].Table; !slices.Contains(tables, t) {
				tables = append(tables, t)
			}
		}
	}
	return tables, nil
}
