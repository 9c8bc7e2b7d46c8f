package main

import (
	"errors"
	"maps"
	"net/netip"
	"slices"

	"esplanade/ike/sa"
	"esplanade/tun"
	"esplanade/tun/hostdns"
)

// What a gateway assigns to this host, its client: addresses on the tunnel's device, and DNS servers. The link of the device knows the
// addresses, so that they go with it; a device of Linux goes with the process.

// sources are the addresses that routes may have as their source: those that gateways have assigned before all others, and none that is about
// to go. The mutex is held.
func (n *network) sources() []netip.Addr {
	list, err := n.local.List()
	if err != nil {
		list = nil // the system chooses the source
	}
	list = slices.DeleteFunc(slices.Clone(list), func(a netip.Addr) bool { return n.going[a] || n.assigned[a] })
	return append(slices.SortedFunc(maps.Keys(n.assigned), netip.Addr.Compare), list...)
}

// Assign implements ike.Network.
func (n *network) Assign(list []sa.Placement) (by string, errs []error) {
	errs = make([]error, len(list))
	if n.link == nil {
		return "", errs
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	fresh := false
	for i, p := range list {
		for _, a := range p.Addresses {
			if n.assigned[a] {
				continue
			}
			if err := n.link.AddAddress(netip.PrefixFrom(a, a.BitLen())); err != nil {
				errs[i] = errors.Join(errs[i], err)
				continue
			}
			if n.assigned == nil {
				n.assigned = map[netip.Addr]bool{}
			}
			n.assigned[a], fresh = true, true
		}
	}
	if fresh {
		errs[0] = errors.Join(errs[0], n.refreshSources())
	}
	by, err := n.setDNS(list)
	if err != nil {
		for i, p := range list {
			if len(p.DNS) > 0 {
				errs[i] = errors.Join(errs[i], err)
			}
		}
	}
	return by, errs
}

// Retract implements ike.Network.
func (n *network) Retract(list []sa.Placement) error {
	if n.link == nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.leaving {
		return nil // the routes stay until the link is closed, and would go with their source
	}
	n.going = map[netip.Addr]bool{}
	for a := range n.assigned {
		if !slices.ContainsFunc(list, func(p sa.Placement) bool { return slices.Contains(p.Addresses, a) }) {
			n.going[a] = true
		}
	}
	if len(n.going) == 0 {
		return nil
	}
	maps.DeleteFunc(n.assigned, func(a netip.Addr, _ bool) bool { return n.going[a] })
	// The kernel takes a route away with the address that is its source: those that stay get another one first.
	errs := n.refreshSources()
	for a := range n.going {
		if err := n.link.RemoveAddress(netip.PrefixFrom(a, a.BitLen())); err != nil && !errors.Is(err, tun.ErrNotAdded) {
			errs = errors.Join(errs, err)
		}
	}
	n.going = nil
	return errs
}

// setDNS has this host ask the servers of all gateways. There is one list of servers for a device: what one of them is for, all are.
func (n *network) setDNS(list []sa.Placement) (by string, err error) {
	if n.dns == nil {
		return "", nil
	}
	s := hostdns.Settings{Device: n.device}
	all := false
	for _, p := range list {
		if len(p.DNS) == 0 {
			continue
		}
		all = all || len(p.Domains) == 0
		s.Servers, s.Domains = joinNew(s.Servers, p.DNS), joinNew(s.Domains, p.Domains)
	}
	if all {
		s.Domains = nil
	}
	return n.dns.Set(s)
}

// joinNew appends what is not there yet.
func joinNew[T comparable](to, from []T) []T {
	for _, x := range from {
		if !slices.Contains(to, x) {
			to = append(to, x)
		}
	}
	return to
}
