package config

import (
	"net/netip"
	"slices"

	"esplanade/ike/selector"
)

// checkPartners warns of selectors that no packet can have, because the other side of the child has none of their IP version.
func (c *Config) checkPartners(r *reader) {
	for _, n := range c.Connections {
		for _, h := range n.Children {
			if h.DynamicLocal() || h.DynamicRemote() {
				continue // the addresses are known later
			}
			for _, x := range []struct {
				key, otherKey string
				own, other    []selector.Selector
			}{{"local_ts", "remote_ts", h.LocalTS, h.RemoteTS}, {"remote_ts", "local_ts", h.RemoteTS, h.LocalTS}} {
				for _, s := range x.own {
					if slices.ContainsFunc(Everything(), func(e selector.Selector) bool { return s.Start == e.Start && s.End == e.End }) {
						continue // written with its like of the other version, whatever there is
					}
					if !slices.ContainsFunc(x.other, func(o selector.Selector) bool { return o.Is4() == s.Is4() }) {
						version := "IPv6"
						if s.Is4() {
							version = "IPv4"
						}
						r.warnf(h.At(x.key), "add one there, or remove it", "%s.%s has %s, and %s nothing of %s: no packet can have both", h.fullName(), x.key, s,
							x.otherKey, version)
					}
				}
			}
		}
	}
}

// checkNetstack warns of addresses of a netstack device that no tunnel carries: nothing else leads to them.
func (c *Config) checkNetstack(r *reader) {
	if c.TUN.Device != DeviceNetstack || len(c.Connections) == 0 {
		return
	}
	for _, p := range c.TUN.Addresses {
		if !slices.ContainsFunc(c.Connections, func(n *Connection) bool {
			return slices.ContainsFunc(n.Children, func(h *Child) bool {
				return slices.ContainsFunc(h.LocalTS, func(s selector.Selector) bool { return overlaps(netip.PrefixFrom(p.Addr(), p.Addr().BitLen()), s) })
			})
		}) {
			r.warnf(c.TUN.At("addresses"), "write an address in local_ts", "tun.addresses has %s, which is in the local_ts of no child: nothing leads to it from a netstack device",
				p.Addr())
		}
	}
}

// checkSameRemote warns of connections to two hosts that call themselves the same. What one of them says of "this identity" is taken as
// said for the other one's SAs.
func (c *Config) checkSameRemote(r *reader) {
	first := map[string]*Connection{}
	for _, n := range c.Connections {
		if !n.Remote.ID.Concrete() || n.HasOwnKey() || !n.CanInitiate() {
			continue
		}
		key := n.Local.ID.Key() + " " + n.Remote.ID.Key()
		o := first[key]
		if o == nil {
			first[key] = n
			continue
		}
		if !slices.ContainsFunc(n.RemoteAddrs, func(e Endpoint) bool {
			return e.Name != "" || slices.ContainsFunc(o.RemoteAddrs, func(f Endpoint) bool { return f.Name != "" || f.Contains(e.First) || e.Contains(f.First) })
		}) {
			r.warnf(n.Remote.At("id"), "if they are two hosts, give each an id of its own", "%s has the remote id %s of %s%s and another remote address: when one of two hosts with one "+
				"id starts again, the IKE SA of the other is dropped", n.Source.name, quote(n.Remote.ID.String()), o.Source.name, inLine(o.Remote.At("id")))
		}
	}
}

// checkSameCallers warns of connections with keys of their own among which a peer that calls can't be told to belong to the second: the
// first is tried, with its key.
func (c *Config) checkSameCallers(r *reader) {
	for i, n := range c.Connections {
		if !n.HasOwnKey() || n.Remote.ID.Concrete() {
			continue
		}
		for _, o := range c.Connections[:i] {
			if o.HasOwnKey() && o.Remote.ID.Equal(n.Remote.ID) && o.Local.ID.Equal(n.Local.ID) && sameCallers(o, n) && !slices.Equal(o.Key.Bytes(), n.Key.Bytes()) {
				r.warnf(n.ownKeyAt(), "write the identities of both peers, [connections.NAME.remote] id = \"…\"", "a peer of %s that calls may be taken for one of %s%s, whose key is "+
					"another one", n.Source.name, o.Source.name, inLine(o.ownKeyAt()))
				break
			}
		}
	}
}

// sameCallers reports whether a peer may call both connections from one address.
func sameCallers(a, b *Connection) bool {
	return slices.ContainsFunc(a.RemoteAddrs, func(e Endpoint) bool {
		return slices.ContainsFunc(b.RemoteAddrs, func(f Endpoint) bool {
			return e.Any && f.Any || e.Name == f.Name && e.First == f.First && e.Last == f.Last && !e.Any && !f.Any
		})
	})
}
