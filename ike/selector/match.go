package selector

import (
	"fmt"
	"net/netip"
	"strings"
)

// Matches reports whether a packet's end with this address, protocol and port is selected. For ICMP, ICMPv6 and the
// mobility header port is type<<8 | code. A packet whose ports can't be seen is asked about with
// [Selector.MatchesOpaque].
func (s Selector) Matches(addr netip.Addr, protocol uint8, port uint16) bool {
	return s.matchesAddr(addr) && s.matchesProtocol(protocol) && s.matchesPort(port)
}

// MatchesOpaque reports whether a packet's end is selected when its ports can't be seen: a fragment that is not the
// first, or a protocol that has none. Only ANY and OPAQUE select those.
// https://www.rfc-editor.org/rfc/rfc4301#section-4.4.1.1
func (s Selector) MatchesOpaque(addr netip.Addr, protocol uint8) bool {
	return s.matchesAddr(addr) && s.matchesProtocol(protocol) && s.matchesNoPort()
}

func (s Selector) matchesAddr(a netip.Addr) bool {
	return s.Start.IsValid() && a.BitLen() == s.Start.BitLen() && s.Start.Compare(a) <= 0 && a.Compare(s.End) <= 0
}

func (s Selector) matchesProtocol(p uint8) bool { return s.Protocol == ProtocolAny || s.Protocol == p }

// matchesPort relies on OPAQUE being 65535..0, which contains no number.
func (s Selector) matchesPort(p uint16) bool { return s.StartPort <= p && p <= s.EndPort }

func (s Selector) matchesNoPort() bool { return s.AnyPorts() || s.OpaquePorts() }

// Packet is what selectors look at in a packet of the inner network, in the direction it travels.
type Packet struct {
	// Src and Dst are the inner addresses, IPv4 ones not mapped.
	Src, Dst netip.Addr
	// Protocol is the upper-layer protocol, after IPv6 extension headers.
	Protocol uint8
	// SrcPort and DstPort are the ports. For ICMP and ICMPv6 both are type<<8 | code, for the mobility header both
	// are type<<8.
	SrcPort, DstPort uint16
	// HasPorts is false for fragments other than the first and for protocols without ports.
	HasPorts bool
}

// String shows the packet the way logs do: "10.1.0.5:4711 > 10.2.0.9:80 tcp".
func (p Packet) String() string {
	name := protocolName(p.Protocol)
	if !p.HasPorts {
		return fmt.Sprintf("%s > %s %s", p.Src, p.Dst, name)
	}
	if onePort(p.Protocol) {
		return fmt.Sprintf("%s > %s %s/%d(%d)", p.Src, p.Dst, name, p.SrcPort>>8, p.SrcPort&0xff)
	}
	return fmt.Sprintf("%s > %s %s", netip.AddrPortFrom(p.Src, p.SrcPort), netip.AddrPortFrom(p.Dst, p.DstPort), name)
}

// Pair is the traffic selectors of one CHILD_SA as this gateway sees them: a packet belongs to it when its end on this
// side is selected by one of Local and its other end by one of Remote.
type Pair struct {
	Local, Remote []Selector
}

// MatchOut reports whether a packet from this side to the peer's may enter the CHILD_SA.
func (p Pair) MatchOut(k Packet) bool {
	return anyMatch(p.Local, k.Src, k.Protocol, k.SrcPort, k.HasPorts, true) &&
		anyMatch(p.Remote, k.Dst, k.Protocol, k.DstPort, k.HasPorts, false)
}

// MatchIn reports whether a packet that came out of the CHILD_SA was allowed in it. RFC 4301, section 5.2, step 4
// demands the check.
func (p Pair) MatchIn(k Packet) bool {
	return anyMatch(p.Remote, k.Src, k.Protocol, k.SrcPort, k.HasPorts, true) &&
		anyMatch(p.Local, k.Dst, k.Protocol, k.DstPort, k.HasPorts, false)
}

// anyMatch reports whether one of the selectors takes this end of the packet; sender says whether the packet comes
// from this end.
//
// Of a protocol with one such field "the Local and Remote "port" selectors are used to indicate whether a system is
// willing to send and/or receive traffic with the specified "port" values": the sender's selector alone decides, and
// the receiver's says what may travel the other way.
// https://www.rfc-editor.org/rfc/rfc4301#section-4.4.1.3
func anyMatch(list []Selector, a netip.Addr, protocol uint8, port uint16, hasPorts, sender bool) bool {
	for i := range list {
		s := &list[i]
		if !s.matchesAddr(a) || !s.matchesProtocol(protocol) {
			continue
		}
		switch {
		case onePort(protocol) && !sender && s.validPorts():
			return true
		case !hasPorts && s.matchesNoPort():
			return true
		case hasPorts && s.matchesPort(port):
			return true
		}
	}
	return false
}

// Swap is the same pair as the peer sees it.
func (p Pair) Swap() Pair { return Pair{Local: p.Remote, Remote: p.Local} }

// Empty reports whether one side selects nothing.
func (p Pair) Empty() bool { return len(p.Local) == 0 || len(p.Remote) == 0 }

// Contains reports whether every packet of o is one of p.
func (p Pair) Contains(o Pair) bool { return Covered(o.Local, p.Local) && Covered(o.Remote, p.Remote) }

// Equal reports whether the pairs select the same packets.
func (p Pair) Equal(o Pair) bool { return Equal(p.Local, o.Local) && Equal(p.Remote, o.Remote) }

// Overlaps reports whether some packet is selected by both pairs.
func (p Pair) Overlaps(o Pair) bool { return Overlap(p.Local, o.Local) && Overlap(p.Remote, o.Remote) }

// String shows the pair as logs do: "10.1.0.0/24 === 10.2.0.0/24", this gateway's side first.
func (p Pair) String() string { return Format(p.Local) + " === " + Format(p.Remote) }

// Format joins selectors for a log line, with spaces between them, and says "(none)" for an empty list.
func Format(list []Selector) string {
	if len(list) == 0 {
		return "(none)"
	}
	parts := make([]string, len(list))
	for i, s := range list {
		parts[i] = s.String()
	}
	return strings.Join(parts, " ")
}
