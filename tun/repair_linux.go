package tun

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// wanted lists what this process wants to have in one of its tables.
func (l *linuxLink) wanted(fam, table int) map[netip.Prefix][]*netlink.Route {
	out := map[netip.Prefix][]*netlink.Route{}
	add := func(dst netip.Prefix, routes ...*netlink.Route) { out[dst] = append(out[dst], routes...) }
	for dst, r := range l.want {
		if family(dst.Addr()) == fam && l.table(dst) == table {
			add(dst, l.deviceRoute(r, table), blockRoute(dst, table))
		}
	}
	if table == l.o.Table {
		for dst := range l.bypass.kept {
			if family(dst.Addr()) == fam {
				add(dst, bypassRoute(dst, table))
			}
		}
	} else {
		for dst := range l.bypass.covers {
			if family(dst.Addr()) == fam && out[dst] == nil {
				add(dst, l.deviceRoute(Route{Dst: dst}, table), blockRoute(dst, table))
			}
		}
	}
	if l.o.Mark == 0 {
		for peer := range l.peers {
			if dst := netip.PrefixFrom(peer, peer.BitLen()); family(peer) == fam {
				add(dst, bypassRoute(dst, table))
			}
		}
	}
	return out
}

func (l *linuxLink) repair(addresses []netip.Prefix, _ []netip.Addr) Restored {
	var done Restored
	var errs error
	dev, err := l.link()
	if err == nil {
		err = l.repairDevice(dev, addresses, &done)
	}
	errs = errors.Join(errs, err)
	for _, family := range families {
		errs = errors.Join(errs, l.repairRules(family, &done))
		for _, table := range l.tables() {
			errs = errors.Join(errs, l.repairTable(family, table, &done))
		}
	}
	done.Err, done.Crowded = errs, l.crowded
	return done
}

// repairDevice brings the device up again, and gives it the addresses that it has lost with that.
func (l *linuxLink) repairDevice(dev netlink.Link, addresses []netip.Prefix, done *Restored) error {
	if !l.up {
		return nil
	}
	if dev.Attrs().RawFlags&unix.IFF_UP == 0 {
		if err := l.h.LinkSetUp(dev); err != nil {
			return fmt.Errorf("bring up: %w", err)
		}
		done.Up = true
	}
	list, err := l.h.AddrList(dev, netlink.FAMILY_ALL)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return err
	}
	there := map[netip.Prefix]bool{}
	for _, a := range list {
		if ip, ok := netip.AddrFromSlice(a.IP); ok {
			bits, _ := a.Mask.Size()
			there[netip.PrefixFrom(ip.Unmap(), bits)] = true
		}
	}
	var errs error
	for _, p := range addresses {
		if there[p] {
			continue
		}
		if err := l.h.AddrAdd(dev, address(p)); err == nil {
			done.Addresses++
		} else if !errors.Is(err, unix.EEXIST) {
			errs = errors.Join(errs, fmt.Errorf("address %v: %w", p, err))
		}
	}
	return errs
}

func (l *linuxLink) repairRules(fam int, done *Restored) error {
	var wanted []*netlink.Rule
	for _, table := range l.tables() {
		if l.ruled[tableKey{fam, table}] {
			wanted = append(wanted, l.tableRules(fam, table)...)
		}
	}
	if fam == unix.AF_INET && l.excludesIPv4() {
		wanted = append(wanted, l.forwardRules()...)
		for peer := range l.peers {
			wanted = append(wanted, l.peerRules(peer)...)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	list, err := l.rules(fam)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for i := range list {
		there[ruleText(&list[i])] = true
	}
	var errs error
	for _, r := range wanted {
		if there[ruleText(r)] {
			continue
		}
		switch err := l.h.RuleAdd(r); {
		case err == nil:
			done.Rules++
		case !errors.Is(err, unix.EEXIST) && !errors.Is(err, unix.EINVAL): // see excludeAll
			errs = errors.Join(errs, fmt.Errorf("add routing rule %d: %w", r.Priority, err))
		}
	}
	return errs
}

func (l *linuxLink) repairTable(fam, table int, done *Restored) error {
	wanted := l.wanted(fam, table)
	if len(wanted) == 0 {
		return nil
	}
	there := map[netip.Prefix]uint16{} // a bit for each type that is ours
	if err := l.eachRoute(fam, table, func(dst netip.Prefix, r *netlink.Route) {
		if r.Type != unix.RTN_UNICAST || r.LinkIndex == l.index {
			there[dst] |= 1 << r.Type
		}
	}); err != nil {
		return err
	}
	var errs error
	for dst, routes := range wanted {
		for _, n := range routes {
			if there[dst]&(1<<n.Type) != 0 {
				continue
			}
			if err := l.putBack(dst, n); err != nil {
				errs = errors.Join(errs, fmt.Errorf("%s route to %v: %w", routeKind(n), dst, err))
			} else {
				done.Routes++
			}
		}
	}
	return errs
}

// putBack adds a route again. The address that was its source may have gone, which is why it vanished.
func (l *linuxLink) putBack(dst netip.Prefix, n *netlink.Route) error {
	if n.Type != unix.RTN_UNICAST {
		return l.add(n)
	}
	r := Route{Dst: dst, Src: l.want[dst].Src}
	if len(n.Src) == 0 {
		r.Src = netip.Addr{}
	}
	err := l.addDeviceRoute(r, n.Table)
	if errors.Is(err, unix.EINVAL) && r.Src.IsValid() {
		err = l.addDeviceRoute(Route{Dst: dst}, n.Table)
	}
	return err
}
