package config

import (
	"net/netip"
	"slices"

	"esplanade/ike/policy"
	"esplanade/ike/selector"
)

// HeldWhileDown gives, of the remote selectors of a child that only its peer or a command brings up, those whose packets go
// into the tunnel while it is down: all but every address of an IP version. To hold these would leave the host with no way to
// anywhere until the peer calls.
func HeldWhileDown(remote []selector.Selector) []selector.Selector {
	var out []selector.Selector
	for _, s := range remote {
		if !s.Dynamic() && !slices.ContainsFunc(Everything(), func(e selector.Selector) bool { return s.Start == e.Start && s.End == e.End }) {
			out = append(out, s)
		}
	}
	// Several that are everything together, such as the two halves, are no different: what is left is what was written in
	// addition to them.
	all := addressesOf(out)
	for _, e := range Everything() {
		if !selector.Covered([]selector.Selector{e}, all) {
			continue
		}
		out = slices.DeleteFunc(out, func(s selector.Selector) bool {
			return s.Is4() == e.Is4() && !slices.ContainsFunc(all, func(o selector.Selector) bool {
				return (o.Start != s.Start || o.End != s.End) && o.Start.Compare(s.Start) <= 0 && s.End.Compare(o.End) <= 0
			})
		})
	}
	return out
}

// Everything is all of IPv4, and all of IPv6.
func Everything() []selector.Selector {
	return []selector.Selector{
		selector.FromPrefix(netip.PrefixFrom(netip.IPv4Unspecified(), 0)),
		selector.FromPrefix(netip.PrefixFrom(netip.IPv6Unspecified(), 0)),
	}
}

// addressesOf are the selectors without their protocols and ports.
func addressesOf(list []selector.Selector) []selector.Selector {
	var out []selector.Selector
	for _, s := range list {
		out = append(out, selector.Selector{Start: s.Start, End: s.End, EndPort: selector.AnyEndPort})
	}
	return out
}

// checkHeld warns about children whose packets are not held while they are down.
func (c *Config) checkHeld(r *reader) {
	for _, n := range c.Connections {
		for _, h := range n.Children {
			fixed := h.pair().Remote
			if h.StartAction != policy.StartNone || len(HeldWhileDown(fixed)) == len(fixed) {
				continue
			}
			r.warnf(h.At("remote_ts"), "write the networks of the peer, or filter them in the firewall",
				"%s has every address in its remote_ts and is not brought up from here: to hold its packets while it is down would leave this "+
					"host with no way to anywhere, so they follow the other routes then, in the clear", h.fullName())
		}
	}
}
