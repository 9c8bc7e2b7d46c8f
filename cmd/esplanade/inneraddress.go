package main

import (
	"fmt"
	"net/netip"
	"slices"

	"esplanade/config"
	"esplanade/ike/selector"
)

// A packet of this host goes into a tunnel only with a source that the tunnel's local_ts covers. A gateway that joins its LAN to another
// has such an address. A host without a LAN, as two rented servers are, has none until somebody gives it one: the tunnel is up and this
// host can't use it.
//
// Where it is plain that nobody else is meant, the host gets the first address of local_ts, as a host address (/32, /128) on the tunnel's
// device: the host passes on no packets, so that there is no network behind it, and has no route to local_ts but the default one. In
// every other case the address may be another host's, and there is a warning.

// lacking is a local_ts in which this host has no address.
type lacking struct {
	child  *config.Child
	ts     selector.Selector // the first of its family
	family []selector.Selector
	auto   netip.Addr // the address that this host gets by itself; invalid for none
}

// lackingAddresses lists the local_ts, by child and family, in which this host has no address, and which it gets by itself.
func lackingAddresses(conf *config.Config, v hostView) (out []lacking) {
	if conf.TUN.Device != config.DeviceTUN || !conf.IKE.InstallRoutes {
		return nil
	}
	var have []netip.Addr
	for _, a := range v.addrs {
		have = append(have, a.prefix.Addr())
	}
	for _, p := range conf.TUN.Addresses {
		have = append(have, p.Addr())
	}
	for _, n := range conf.Connections {
		for _, h := range n.Children {
			for _, is4 := range []bool{true, false} {
				l := lacking{child: h}
				for _, s := range h.LocalTS {
					if s.Start.IsValid() && s.Is4() == is4 {
						l.family = append(l.family, s)
					}
				}
				partner := slices.ContainsFunc(h.RemoteTS, func(s selector.Selector) bool { return !s.Start.IsValid() || s.Is4() == is4 })
				if len(l.family) == 0 || !partner || hasDynamic(h.LocalTS) || slices.ContainsFunc(have, func(a netip.Addr) bool { return covers(l.family, a) }) {
					continue
				}
				l.ts = l.family[0]
				if a := firstHost(l.ts); !v.started && !conf.TUN.Has("addresses") && v.forwards(a) == forwardingOff && v.free(conf, l.family, a) {
					l.auto = a
					have = append(have, a)
				}
				out = append(out, l)
			}
		}
	}
	return out
}

func hasDynamic(list []selector.Selector) bool {
	return slices.ContainsFunc(list, selector.Selector.Dynamic)
}

// covers reports whether selectors have an address.
func covers(list []selector.Selector, a netip.Addr) bool {
	return slices.ContainsFunc(list, func(s selector.Selector) bool {
		return s.Start.IsValid() && s.Is4() == a.Is4() && !a.Less(s.Start) && !s.End.Less(a)
	})
}

// firstHost is the first address of a selector that a host can have: that of a network is the network's, or
// with IPv6 its routers'.
func firstHost(s selector.Selector) netip.Addr {
	if p := s.Prefixes(); len(p) == 1 && p[0].Bits() < p[0].Addr().BitLen()-1 {
		return s.Start.Next()
	}
	return s.Start
}

// free reports whether an address of a local_ts can only be this host's: no peer has it, and this host has no way to the
// network but the default one.
func (v hostView) free(conf *config.Config, local []selector.Selector, a netip.Addr) bool {
	for _, n := range conf.Connections {
		for _, h := range n.Children {
			if covers(h.RemoteTS, a) {
				return false
			}
		}
		if slices.ContainsFunc(n.RemoteAddrs, func(e config.Endpoint) bool { return e.Addr() == a }) {
			return false
		}
	}
	for _, r := range v.routes {
		if r.Dst.Bits() > 0 && slices.ContainsFunc(local, func(s selector.Selector) bool {
			return slices.ContainsFunc(s.Prefixes(), r.Dst.Overlaps)
		}) {
			return false
		}
	}
	return true
}

// ownAddresses are the addresses that this host gets by itself.
func ownAddresses(conf *config.Config, v hostView) (out []netip.Prefix) {
	for _, l := range lackingAddresses(conf, v) {
		if l.auto.IsValid() {
			out = append(out, netip.PrefixFrom(l.auto, l.auto.BitLen()))
		}
	}
	return out
}

// addAddresses gives the tunnel's device its addresses: those that are configured, and those that this host gets by itself.
func (g *gateway) addAddresses() error {
	host := readHost(g.interfaceName())
	g.remark(hostRemarks(g.conf, host))
	g.taken = ownAddresses(g.conf, host)
	for _, p := range slices.Concat(g.taken, g.conf.TUN.Addresses) {
		if err := g.link.AddAddress(p); err != nil {
			return err
		}
	}
	return nil
}

// giveBack takes those addresses off the device that this host has got by itself and that may be another host's by now: an interface has
// come up with the network, or a route to it has come; or a reload has taken it out of local_ts.
func (g *gateway) giveBack() {
	if len(g.taken) == 0 {
		return
	}
	keep := stillOwn(g.present(), readHost(g.interfaceName()))
	g.taken = slices.DeleteFunc(g.taken, func(p netip.Prefix) bool {
		if slices.Contains(keep, p) {
			return false
		}
		if err := g.link.RemoveAddress(p); err != nil {
			g.log.Warn("cannot take an address off the device that may be another host's by now", "address", p, "error", err)
			return false
		}
		g.log.Warn("the address that this host had got within local_ts is taken off the device: there is another way to that network "+
			"now, or no local_ts has it any more", "address", p)
		return true
	})
}

// stillOwn are the addresses that a host which has got them may keep. That it passes on packets by now, as when containers are started on
// it, makes them nobody else's: it has no way to another host of that network. A tunnel that works is not taken from it for that.
func stillOwn(conf *config.Config, v hostView) []netip.Prefix {
	v.forwards4, v.forwards6 = forwardingOff, forwardingOff
	return ownAddresses(conf, v)
}

// text says what a missing address means.
func (l lacking) text(conf *config.Config, v hostView) hostRemark {
	at := l.child.At("local_ts").String()
	host := netip.PrefixFrom(firstHost(l.ts), firstHost(l.ts).BitLen())
	if l.auto.IsValid() {
		return hostRemark{note: true, text: fmt.Sprintf("%s: no address of this host is in local_ts %s, and it passes on no packets (%s is 0): as a host without a network "+
			"behind it, it gets %s on %s; set tun.addresses for another one", at, l.ts, sysctlOf(l.auto), host, conf.TUN.Name)}
	}
	return hostRemark{child: l.child, text: fmt.Sprintf("%s: no address of this host is in local_ts %s: this host itself cannot use the tunnel; set tun.addresses, such as to %q "+
		"if no other host has that", at, l.ts, host)}
}

// sysctlOf is the switch for passing on packets of an address's family.
func sysctlOf(a netip.Addr) string {
	if a.Is4() {
		return "net.ipv4.ip_forward"
	}
	return "net.ipv6.conf.all.forwarding"
}
