package tun

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// mainPriority is where the kernel has the rule for table main.
const mainPriority = 32766

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
	spare := newRule(family, l.o.Priority+1, unix.RT_TABLE_MAIN)
	spare.SuppressPrefixlen = 0
	return []*netlink.Rule{spare, unmarked(l.o.Priority + 2)}
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
		for _, r := range l.peerRules(peer) {
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
		return errs
	}
	for _, r := range l.throwRoutes(peer) {
		if err := l.h.RouteDel(r); err != nil && !gone(err) {
			errs = errors.Join(errs, fmt.Errorf("remove throw route from table %d: %w", r.Table, err))
		}
	}
	return errs
}
