package sa

import (
	"net/netip"

	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

func toWireTS(responder bool, sel []selector.Selector) *wire.TS {
	ts := &wire.TS{Responder: responder}
	for _, s := range sel {
		ts.Selectors = append(ts.Selectors, wire.TrafficSelector{
			IPProtocol: s.Protocol, StartPort: s.StartPort, EndPort: s.EndPort, Start: s.Start, End: s.End,
		})
	}
	return ts
}

// fromWireTS drops selectors whose range is empty: they match nothing (pitfall C12), and a payload of only such
// selectors has no intersection with anything, which ends in TS_UNACCEPTABLE.
func fromWireTS(ts *wire.TS) []selector.Selector {
	var out []selector.Selector
	for _, s := range ts.Selectors {
		if s.End.Less(s.Start) {
			continue
		}
		out = append(out, selector.Selector{
			Start: s.Start, End: s.End, Protocol: s.IPProtocol, StartPort: s.StartPort, EndPort: s.EndPort,
		})
	}
	return out
}

// tsOf resolves what is configured for a child: a dynamic selector stands for the virtual addresses of a side, or for the address of the
// gateway itself where it has none, and so does an empty list.
func (m *Machine) tsOf(c *ChildConfig) selector.Pair {
	ts := c.Resolve(m.path, m.virtual.own, m.virtual.peer)
	ts.Remote = m.cfg.Include(m.client.given, ts.Remote)
	return ts
}

// Configured gives the selectors of a child as they are configured, with the addresses that the two sides of this IKE SA have.
func (m *Machine) Configured(c *ChildConfig) selector.Pair { return m.tsOf(c) }

// Resolve gives the selectors of a child on a path: a dynamic one becomes one for each virtual address of its side, own or peer, and gets
// the path's address where there are none. A child whose peers are given addresses has no dynamic selector of a peer without one.
func (c *ChildConfig) Resolve(path Path, own, peer []netip.Addr) selector.Pair {
	p := selector.Pair{Local: resolve(c.LocalTS, withGateway(own, path.Local))}
	if c.Pools {
		p.Remote = resolve(c.RemoteTS, peer)
	} else {
		p.Remote = resolve(c.RemoteTS, withGateway(peer, path.Remote))
	}
	return p
}

// withGateway are the virtual addresses of a side, and the address of its gateway where there are none.
func withGateway(virtual []netip.Addr, gateway netip.AddrPort) []netip.Addr {
	if len(virtual) == 0 {
		return []netip.Addr{gateway.Addr()}
	}
	return virtual
}

// resolve puts addresses in the place of dynamic selectors, and of an empty list.
func resolve(list []selector.Selector, addrs []netip.Addr) []selector.Selector {
	if len(list) == 0 {
		list = []selector.Selector{{StartPort: selector.AnyStartPort, EndPort: selector.AnyEndPort}}
	}
	out := make([]selector.Selector, 0, len(list))
	for _, s := range list {
		if !s.Dynamic() {
			out = append(out, s)
			continue
		}
		for _, a := range addrs {
			out = append(out, s.Resolve(a))
		}
	}
	return out
}

// possible are the selectors of a child for a peer that may be given any address.
func (m *Machine) possible(c *ChildConfig) selector.Pair {
	p := m.tsOf(c)
	if c.Pools && len(m.virtual.peer) == 0 {
		p.Remote = resolveRanges(c.RemoteTS, everyAddress())
	}
	return p
}

// resolveRanges puts ranges of addresses in the place of dynamic selectors.
func resolveRanges(list, ranges []selector.Selector) (out []selector.Selector) {
	if len(list) == 0 {
		return ranges
	}
	for _, s := range list {
		if !s.Dynamic() {
			out = append(out, s)
			continue
		}
		for _, r := range ranges {
			s.Start, s.End = r.Start, r.End
			out = append(out, s)
		}
	}
	return out
}

// RemoteOf gives the peer's selectors of a child with ranges of addresses in the place of the dynamic ones.
func (c *ChildConfig) RemoteOf(ranges []selector.Selector) []selector.Selector {
	return resolveRanges(c.RemoteTS, ranges)
}

// everyAddress is all of IPv4 and IPv6.
func everyAddress() []selector.Selector {
	return []selector.Selector{selector.FromPrefix(netip.PrefixFrom(netip.IPv4Unspecified(), 0)), selector.FromPrefix(netip.PrefixFrom(netip.IPv6Unspecified(), 0))}
}

// specific puts the selectors of the packet that triggered a negotiation in front, for a responder that narrows: https://www.rfc-editor.org/rfc/rfc7296#section-2.9
func specific(p selector.Pair, trigger *selector.Packet) selector.Pair {
	if trigger == nil {
		return p
	}
	l, r := selector.FromAddr(trigger.Src), selector.FromAddr(trigger.Dst)
	l.Protocol, r.Protocol = trigger.Protocol, trigger.Protocol
	if trigger.HasPorts {
		l.StartPort, l.EndPort = trigger.SrcPort, trigger.SrcPort
		r.StartPort, r.EndPort = trigger.DstPort, trigger.DstPort
	}
	return selector.Pair{
		Local:  append([]selector.Selector{l}, p.Local...),
		Remote: append([]selector.Selector{r}, p.Remote...),
	}
}
