package selector

import "net/netip"

// IP protocol numbers that selectors give a meaning of their own
// (https://www.iana.org/assignments/protocol-numbers).
const (
	ProtocolAny            = 0   // in a selector: every protocol, RFC 7296 section 3.13.1
	ProtocolICMP           = 1   // the port is type<<8 | code
	ProtocolTCP            = 6   //
	ProtocolUDP            = 17  //
	ProtocolDCCP           = 33  //
	ProtocolICMPv6         = 58  // the port is type<<8 | code
	ProtocolSCTP           = 132 //
	ProtocolMobilityHeader = 135 // the port is MH type<<8
	ProtocolUDPLite        = 136 //
)

// The two pairs of ports that are not ranges of numbers.
//
// "Systems that are complying with [IPSECARCH] that wish to indicate "ANY" ports MUST set the start port to 0 and the
// end port to 65535; note that according to [IPSECARCH], "ANY" includes "OPAQUE". Systems working with [IPSECARCH]
// that wish to indicate "OPAQUE" ports, but not "ANY" ports, MUST set the start port to 65535 and the end port to 0."
// https://www.rfc-editor.org/rfc/rfc7296#section-3.13.1
const (
	AnyStartPort    uint16 = 0
	AnyEndPort      uint16 = 65535
	OpaqueStartPort uint16 = 65535
	OpaqueEndPort   uint16 = 0
)

// Selector is one traffic selector of RFC 7296, section 3.13.1: the packets that have, at one end, an address from
// Start to End, the protocol, and a port from StartPort to EndPort. Start and End are of one family, without zone, and
// IPv4 addresses are not in their IPv6-mapped form.
//
// A selector without addresses (see [Selector.Dynamic]) is a template: [Selector.Resolve] puts an address in.
// The zero value matches nothing. Selectors are comparable with ==, which is equality of the fields;
// [Equal] is equality of the sets.
type Selector struct {
	// Start and End are the first and the last address, both included.
	Start, End netip.Addr
	// Protocol is the IP protocol number, 0 for any.
	Protocol uint8
	// StartPort and EndPort are the first and the last port, both included: 0 and 65535 for any, 65535 and 0 for
	// OPAQUE. For ICMP, ICMPv6 and the mobility header they are type<<8 | code.
	StartPort, EndPort uint16
}

// FromPrefix is the selector of everything from or to a prefix. Host bits of p are ignored, and a prefix of
// IPv4-mapped IPv6 addresses becomes one of IPv4. An invalid prefix gives the zero Selector.
func FromPrefix(p netip.Prefix) Selector {
	if p.IsValid() && p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	p = p.Masked()
	if !p.IsValid() {
		return Selector{}
	}
	return Selector{Start: p.Addr(), End: lastAddr(p), StartPort: AnyStartPort, EndPort: AnyEndPort}
}

// FromAddr is the selector of everything from or to one address.
func FromAddr(a netip.Addr) Selector {
	a = a.Unmap().WithZone("")
	if !a.IsValid() {
		return Selector{}
	}
	return Selector{Start: a, End: a, StartPort: AnyStartPort, EndPort: AnyEndPort}
}

// Dynamic reports whether the selector has no addresses yet: swanctl's "dynamic", with or without a protocol.
func (s Selector) Dynamic() bool { return !s.Start.IsValid() && !s.End.IsValid() }

// Resolve gives a [Selector.Dynamic] selector the address a alone; any other selector comes back unchanged.
func (s Selector) Resolve(a netip.Addr) Selector {
	if !s.Dynamic() {
		return s
	}
	a = a.Unmap().WithZone("")
	s.Start, s.End = a, a
	return s
}

// Valid reports whether the selector stands for at least one packet: both addresses are there, of one family, without
// zone and in order, and the ports are a range, ANY or OPAQUE. A peer's selector that is not valid is never accepted,
// which makes the answer TS_UNACCEPTABLE when there is no other.
func (s Selector) Valid() bool { return s.validAddrs() && s.validPorts() }

func (s Selector) validAddrs() bool {
	return s.Start.IsValid() && s.End.IsValid() && s.Start.BitLen() == s.End.BitLen() &&
		s.Start.Zone() == "" && s.End.Zone() == "" && !s.Start.Is4In6() && !s.End.Is4In6() &&
		s.Start.Compare(s.End) <= 0
}

func (s Selector) validPorts() bool { return s.StartPort <= s.EndPort || s.OpaquePorts() }

// AnyPorts reports whether every port is selected, and packets whose ports are not known too.
func (s Selector) AnyPorts() bool { return s.StartPort == AnyStartPort && s.EndPort == AnyEndPort }

// OpaquePorts reports whether only packets are selected whose ports are not known.
func (s Selector) OpaquePorts() bool {
	return s.StartPort == OpaqueStartPort && s.EndPort == OpaqueEndPort
}

// Is4 reports whether the addresses are IPv4.
func (s Selector) Is4() bool { return s.Start.Is4() }

// Is6 reports whether the addresses are IPv6.
func (s Selector) Is6() bool { return s.Start.Is6() }

// IsHost reports whether the selector has one address only.
func (s Selector) IsHost() bool { return s.Start.IsValid() && s.Start == s.End }

// IsRange reports whether the addresses are not those of one prefix.
func (s Selector) IsRange() bool {
	if !s.validAddrs() {
		return false
	}
	_, ok := singlePrefix(s.Start, s.End)
	return !ok
}

// hasPorts reports whether packets of the protocol have something that selectors call a port. Protocol 0 stands for
// all protocols, so it has none of its own.
func hasPorts(protocol uint8) bool {
	switch protocol {
	case ProtocolTCP, ProtocolUDP, ProtocolDCCP, ProtocolSCTP, ProtocolUDPLite:
		return true
	}
	return onePort(protocol)
}

// onePort reports whether the protocol's packets have a single field that both ends' selectors call a port.
// https://www.rfc-editor.org/rfc/rfc4301#section-4.4.1.3, item B
func onePort(protocol uint8) bool {
	return protocol == ProtocolICMP || protocol == ProtocolICMPv6 || protocol == ProtocolMobilityHeader
}
