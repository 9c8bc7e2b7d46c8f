package tun

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// mainPriority is where the kernel has the rule for table main.
const mainPriority = 32766

// loopback is where, to the rules, the packets of this host itself come from.
const loopback = "lo"

// actionNone is the action of a rule that leads nowhere, FR_ACT_NOP of linux/fib_rules.h.
const actionNone = 3

// newRule gives a rule that carries our protocol.
func newRule(family, priority, table int) *netlink.Rule {
	r := netlink.NewRule()
	r.Family = family
	r.Priority = priority
	r.Table = table
	r.Protocol = RouteProtocol
	return r
}

// tableRules are the rules that lead to one of our tables, in the order of their priority.
func (l *linuxLink) tableRules(family, table int) []*netlink.Rule {
	unmarked := func(priority int) *netlink.Rule {
		r := newRule(family, priority, table)
		if l.o.Mark != 0 {
			r.Invert = true
			r.Mark = l.o.Mark
			all := ^uint32(0)
			r.Mask = &all
		}
		return r
	}
	if table == l.o.Table {
		return []*netlink.Rule{unmarked(l.o.Priority)}
	}
	return []*netlink.Rule{l.spareRule(family, l.o.Priority+1), unmarked(l.o.Priority + 2)}
}

// spareRule looks at table main, without its default route.
func (l *linuxLink) spareRule(family, priority int) *netlink.Rule {
	r := newRule(family, priority, unix.RT_TABLE_MAIN)
	r.SuppressPrefixlen = 0
	return r
}

// addRule adds a rule that may be there already, from another process that shares our table.
func (l *linuxLink) addRule(r *netlink.Rule) error {
	if err := l.h.RuleAdd(r); err != nil && !errors.Is(err, unix.EEXIST) {
		return fmt.Errorf("add routing rule %d: %w", r.Priority, err)
	}
	return nil
}

func (l *linuxLink) removeRule(r *netlink.Rule) error {
	if err := l.h.RuleDel(r); err != nil && !gone(err) && !noFamily(err) {
		return fmt.Errorf("remove routing rule %d: %w", r.Priority, err)
	}
	return nil
}

// peerRules keep a peer's packets out of the tunnel in the one place that knows no mark: the reverse path filter. It looks
// up the way back to the source of a packet that has come in (as ours would go, local port as source), without the socket's
// mark; with a strict filter (rp_filter = 1) a peer that is reached through the tunnel could not be heard otherwise. The
// rules name our own ports and ESP: other packets to the peer's address still take the tunnel. IPv6 has no such filter.
func (l *linuxLink) peerRules(peer netip.Addr) []*netlink.Rule {
	if !peer.Is4() {
		return nil
	}
	to := func() *netlink.Rule {
		r := newRule(unix.AF_INET, l.o.Priority-1, unix.RT_TABLE_MAIN)
		r.Dst = ipNet(netip.PrefixFrom(peer, peer.BitLen()))
		return r
	}
	esp := to()
	esp.IPProto = unix.IPPROTO_ESP
	rules := []*netlink.Rule{esp}
	for _, port := range l.o.ports() {
		r := to()
		r.IPProto = unix.IPPROTO_UDP
		r.Sport = netlink.NewRulePortRange(port, port)
		rules = append(rules, r)
	}
	return rules
}

// forwardRules make what this host forwards pass over the peerRules: whoever is behind it may write our ports into its packets.
// What the filter asks about a packet for this host counts as its own, "from lo". That cannot be a part of the peerRules:
// with it the kernel does not look at ports. The second rule does nothing but be there for the first to lead to.
func (l *linuxLink) forwardRules() []*netlink.Rule {
	over := newRule(unix.AF_INET, l.o.Priority-2, unix.RT_TABLE_UNSPEC)
	over.Invert, over.IifName, over.Goto = true, loopback, l.o.Priority
	target := newRule(unix.AF_INET, l.o.Priority, unix.RT_TABLE_MAIN)
	target.Type = actionNone
	return []*netlink.Rule{target, over}
}

func (l *linuxLink) excludesIPv4() bool {
	for peer := range l.peers {
		if peer.Is4() {
			return l.o.Mark != 0
		}
	}
	return false
}

// tidyForward removes the forwardRules when there are no peerRules left, ours or another process's.
func (l *linuxLink) tidyForward() error {
	if l.excludesIPv4() {
		return nil
	}
	rules, err := l.rules(unix.AF_INET)
	if err != nil {
		return err
	}
	for i := range rules {
		if l.isOurs(&rules[i]) && rules[i].Priority == l.o.Priority-1 {
			return nil
		}
	}
	var errs error
	for _, r := range slices.Backward(l.forwardRules()) {
		errs = errors.Join(errs, l.removeRule(r))
	}
	return errs
}

// throwRoutes make a lookup that has come to one of our tables go on to the next rule. They keep the packets of sockets
// without a mark out of the tunnel, and with them every other packet to the peer.
func (l *linuxLink) throwRoutes(peer netip.Addr) []*netlink.Route {
	var routes []*netlink.Route
	for _, table := range []int{l.o.Table, l.o.Table + 1} {
		routes = append(routes, &netlink.Route{
			Dst: ipNet(netip.PrefixFrom(peer, peer.BitLen())), Table: table, Type: unix.RTN_THROW, Protocol: RouteProtocol,
		})
	}
	return routes
}

func (l *linuxLink) exclude(peer netip.Addr) error {
	l.peers[peer] = true
	err := l.excludeAll(peer)
	if err != nil {
		err = errors.Join(err, l.unexclude(peer))
	}
	return err
}

// excludes reports whether a rule is one of those of an excluded peer.
func (l *linuxLink) excludes(r *netlink.Rule) bool {
	if r.Dst == nil {
		return false
	}
	a, ok := netip.AddrFromSlice(r.Dst.IP)
	return ok && l.peers[a.Unmap()]
}

func (l *linuxLink) excludeAll(peer netip.Addr) error {
	if l.o.Mark != 0 {
		var rules []*netlink.Rule
		if peer.Is4() {
			rules = append(l.forwardRules(), l.peerRules(peer)...)
		}
		for _, r := range rules {
			// Before Linux 4.17 there are no rules about protocols and ports: then only a strict filter is in the way.
			if err := l.addRule(r); err != nil && !errors.Is(err, unix.EINVAL) {
				return err
			}
		}
		return nil
	}
	for _, r := range l.throwRoutes(peer) {
		if err := l.h.RouteAdd(r); err != nil && !errors.Is(err, unix.EEXIST) {
			return fmt.Errorf("add throw route to table %d: %w", r.Table, err)
		}
	}
	return nil
}

func (l *linuxLink) unexclude(peer netip.Addr) error {
	delete(l.peers, peer)
	var errs error
	if l.o.Mark != 0 {
		for _, r := range l.peerRules(peer) {
			errs = errors.Join(errs, l.removeRule(r))
		}
		if peer.Is4() {
			errs = errors.Join(errs, l.tidyForward())
		}
		return errs
	}
	for _, r := range l.throwRoutes(peer) {
		if err := l.h.RouteDel(r); err != nil && !gone(err) {
			errs = errors.Join(errs, fmt.Errorf("remove throw route from table %d: %w", r.Table, err))
		}
	}
	return errs
}
