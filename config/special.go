package config

import (
	"net/netip"

	"esplanade/ike/selector"
)

// broadcast is the limited broadcast address (RFC 919): all hosts of a link, and none of another.
var broadcast = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// noHost reports whether an address is never that of one host.
func noHost(a netip.Addr) bool { return a.IsMulticast() || a == broadcast }

// badListen says what is wrong with an address to wait at for connections.
func badListen(a netip.Addr) (reason, want string) {
	if noHost(a) {
		return a.String() + " is not the address of a host", "write an address of this host"
	}
	return badZone(a)
}

// checkSpecial warns of a remote_ts that no packet goes to through a tunnel, because what it names is not elsewhere. What is only
// a part of a remote_ts, as of 0.0.0.0/0, does no harm.
func (c *Config) checkSpecial(r *reader) {
	for _, n := range c.Connections {
		for _, h := range n.Children {
			for _, s := range h.RemoteTS {
				if why := special(s); why != "" {
					r.warnf(h.At("remote_ts"), "remove it, or write the peer's networks", "%s.remote_ts: %s is %s", h.fullName(), s, why)
				}
			}
		}
	}
}

// special says what a selector is that lies in one of the ranges of addresses that are never another host's (RFC 6890), "" for others.
func special(s selector.Selector) string {
	switch a, b := s.Start, s.End; {
	case !a.IsValid() || !b.IsValid():
	case a.IsLoopback() && b.IsLoopback():
		return "the loopback network, whose packets never leave a host"
	case a.IsMulticast() && b.IsMulticast():
		return "multicast, which this host does not forward into a tunnel"
	case a == broadcast:
		return "the broadcast address of a link, which is never routed"
	case a.Is4() && a.As4()[0] == 0 && b.As4()[0] == 0:
		return "\"this network\", whose addresses no packet is sent to"
	case a.IsUnspecified() && a == b:
		return "the unspecified address, to which no packet is sent"
	}
	return ""
}
