package selector

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// maxText is the longest text that Parse looks at. The longest that means anything has two full IPv6 addresses, a
// protocol's name and two ports, which is well under half of it.
const maxText = 200

// ParseError says what is wrong with the text of a selector and what would be right.
type ParseError struct {
	Text   string // the whole selector as given
	Reason string // what is wrong; names the part
	Want   string // what would be right
}

// Error is one line: the selector, the reason, and what would be right.
func (e *ParseError) Error() string {
	return fmt.Sprintf("traffic selector %q: %s; %s", e.Text, e.Reason, e.Want)
}

// Parse reads a selector in the notation of swanctl.conf's local_ts and remote_ts:
//
//	10.0.0.0/24                a prefix, or a single address
//	10.1.0.1-10.1.0.9          a range of addresses, also with .. for the dash
//	10.0.0.0/24[tcp/80]        with a protocol and a port, by number or by name (tcp/http)
//	fd00::/48[udp/1000-2000]   with a range of ports
//	10.0.0.0/24[icmp/8]        an ICMP type with every code; a number from 256 up is type<<8 | code
//	10.0.0.0/24[icmp/3(4)]     an ICMP type and code; an extension
//	10.0.0.0/24[udp/opaque]    only packets whose ports can't be seen
//	[tcp/22]                   no addresses: a template for [Selector.Resolve]
//
// The word "dynamic" is the configuration's business and an error here, as is a prefix with host bits set.
// The error is a *ParseError.
func Parse(text string) (Selector, error) {
	bad := func(reason, want string) (Selector, error) {
		t := text
		if len(t) > maxText {
			t = t[:maxText] + "…"
		}
		return Selector{}, &ParseError{Text: t, Reason: reason, Want: want}
	}
	if len(text) > maxText {
		return bad("it is too long", "write one selector per string")
	}
	addrs, filter, found := strings.Cut(strings.TrimSpace(text), "[")
	addrs = strings.TrimSpace(addrs)
	s := Selector{StartPort: AnyStartPort, EndPort: AnyEndPort}
	if addrs == "" && !found {
		return bad("it is empty", "write a prefix such as 10.1.0.0/24")
	}
	if addrs != "" {
		var reason, want string
		if s.Start, s.End, reason, want = parseAddrs(addrs); reason != "" {
			return bad(reason, want)
		}
	}
	if !found {
		return s, nil
	}
	inner, ok := strings.CutSuffix(filter, "]")
	if !ok {
		return bad("the closing ] is missing at the end", "write the protocol as in 10.1.0.0/24[tcp/80]")
	}
	if reason, want := s.parseFilter(strings.TrimSpace(inner)); reason != "" {
		return bad(reason, want)
	}
	return s, nil
}

// parseAddrs reads an address, a prefix or a range. A reason that is not empty is an error.
func parseAddrs(text string) (start, end netip.Addr, reason, want string) {
	const example = "write an address, a prefix such as 10.1.0.0/24, or a range such as 10.1.0.1-10.1.0.9"
	fail := func(reason, want string) (netip.Addr, netip.Addr, string, string) {
		return netip.Addr{}, netip.Addr{}, reason, want
	}
	from, to, ok := strings.Cut(text, "-")
	if !ok {
		from, to, ok = strings.Cut(text, "..") // as strongSwan writes it
	}
	if ok {
		a, errA := parseAddr(from)
		b, errB := parseAddr(to)
		switch {
		case errA != nil:
			return fail(fmt.Sprintf("%q is not an address", strings.TrimSpace(from)), example)
		case errB != nil:
			return fail(fmt.Sprintf("%q is not an address", strings.TrimSpace(to)), example)
		case a.BitLen() != b.BitLen():
			return fail("the range goes from one address family to the other", "write two selectors")
		case b.Less(a):
			return fail("the range's first address is above its last", fmt.Sprintf("write %s-%s", b, a))
		}
		return a, b, "", ""
	}
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			if addr, length, _ := strings.Cut(text, "/"); isMask(addr, length) {
				return fail("it has a netmask", "write the prefix length, as in 10.1.0.0/24")
			}
			return fail(fmt.Sprintf("%q is not a prefix", text), example)
		}
		if p.Addr().Is4In6() {
			return fail("it is an IPv4-mapped IPv6 prefix", "write the IPv4 prefix")
		}
		if p.Masked() != p {
			return fail("it has bits set beyond the prefix length",
				fmt.Sprintf("write %s, or %s for the one address", p.Masked(), p.Addr()))
		}
		return p.Addr(), lastAddr(p), "", ""
	}
	a, err := parseAddr(text)
	if err != nil {
		if text == "dynamic" || text == "%dynamic" {
			return fail("\"dynamic\" has no addresses of its own", example)
		}
		return fail(fmt.Sprintf("%q is not an address", text), example)
	}
	return a, a, "", ""
}

// parseAddr reads an address without a zone, which would mean nothing at the other end of a tunnel.
func parseAddr(text string) (netip.Addr, error) {
	a, err := netip.ParseAddr(strings.TrimSpace(text))
	if err != nil {
		return netip.Addr{}, err
	}
	if a.Zone() != "" || a.Is4In6() {
		return netip.Addr{}, fmt.Errorf("unexpected form of address %s", a)
	}
	return a, nil
}

// isMask recognises 10.1.0.0/255.255.0.0.
func isMask(addr, mask string) bool {
	_, errA := netip.ParseAddr(addr)
	_, errM := netip.ParseAddr(mask)
	return errA == nil && errM == nil
}

// parseFilter reads what is between the brackets. A reason that is not empty is an error.
func (s *Selector) parseFilter(text string) (reason, want string) {
	name, port, hasPort := strings.Cut(text, "/")
	name, port = strings.TrimSpace(name), strings.TrimSpace(port)
	switch n, isName := lookup(protocolNames(), strings.ToLower(name)); {
	case isName:
		s.Protocol = uint8(n)
	case strings.EqualFold(name, "any"), name == "" && hasPort:
		s.Protocol = ProtocolAny
	default:
		n, err := strconv.ParseUint(name, 10, 8)
		if err != nil {
			return fmt.Sprintf("%q is not an IP protocol", name),
				"write a name such as tcp, udp, icmp or gre, or a number from 0 to 255"
		}
		s.Protocol = uint8(n)
	}
	if s.Start.Is4() && s.Protocol == ProtocolICMPv6 {
		return "ipv6-icmp does not occur with IPv4 addresses", "write icmp"
	}
	if s.Start.Is6() && s.Protocol == ProtocolICMP {
		return "icmp does not occur with IPv6 addresses", "write ipv6-icmp"
	}
	if !hasPort || strings.EqualFold(port, "any") {
		return "", ""
	}
	if strings.EqualFold(port, "opaque") {
		// "For protocols for which port is undefined (including protocol 0) … this field MUST be zero" speaks of ANY;
		// RFC 4301, section 4.4.1.3 writes protocols without ports as OPAQUE, so any protocol may have it.
		s.StartPort, s.EndPort = OpaqueStartPort, OpaqueEndPort
		return "", ""
	}
	// "For protocols for which port is undefined (including protocol 0), or if all ports are allowed, this field MUST
	// be zero." https://www.rfc-editor.org/rfc/rfc7296#section-3.13.1
	if s.Protocol == ProtocolAny {
		return "a port needs a protocol", "write for example tcp/" + port + " and udp/" + port + " as two selectors"
	}
	if !hasPorts(s.Protocol) {
		return fmt.Sprintf("the protocol %s has no ports", protocolName(s.Protocol)),
			fmt.Sprintf("write [%s]", protocolName(s.Protocol))
	}
	return s.parsePorts(port)
}

func (s *Selector) parsePorts(text string) (reason, want string) {
	// Names of services have hyphens too.
	if n, ok := servicePort(strings.ToLower(text), s.Protocol); ok && !onePort(s.Protocol) {
		s.StartPort, s.EndPort = n, n
		return "", ""
	}
	from, to, isRange := strings.Cut(text, "-")
	if !isRange {
		to = from
	}
	a, _, ok := s.parsePort(from)
	if !ok {
		return badPort(s.Protocol, from)
	}
	_, b, ok := s.parsePort(to)
	if !ok {
		return badPort(s.Protocol, to)
	}
	if a > b {
		return "the first port is above the last", "write them in ascending order"
	}
	if isRange && a == OpaqueStartPort && b == OpaqueEndPort {
		return "it is not a range", "write opaque"
	}
	s.StartPort, s.EndPort = a, b
	return "", ""
}

func badPort(protocol uint8, text string) (reason, want string) {
	text = strings.TrimSpace(text)
	if onePort(protocol) {
		return fmt.Sprintf("%q is not a message type", text),
			"write a type such as 8, a type and code such as 3(4), or type*256+code"
	}
	return fmt.Sprintf("%q is not a port", text),
		"write a number from 0 to 65535, a range such as 1000-2000, or a service such as https"
}

// parsePort reads one end of a range and returns the smallest and the largest port that it stands for: they differ for
// an ICMP type, which has 256 codes.
func (s *Selector) parsePort(text string) (low, high uint16, ok bool) {
	text = strings.TrimSpace(text)
	if !onePort(s.Protocol) {
		n, err := strconv.ParseUint(text, 10, 16)
		return uint16(n), uint16(n), err == nil
	}
	kind, code, hasCode := strings.Cut(text, "(")
	n, err := strconv.ParseUint(kind, 10, 16)
	if err != nil {
		return 0, 0, false
	}
	if hasCode {
		code, closed := strings.CutSuffix(code, ")")
		c, err := strconv.ParseUint(code, 10, 8)
		if err != nil || !closed || n > 255 {
			return 0, 0, false
		}
		p := uint16(n)<<8 | uint16(c)
		return p, p, true
	}
	switch {
	case n > 255:
		return uint16(n), uint16(n), true
	case s.Protocol == ProtocolMobilityHeader:
		// "MIPv6 MH Type values are treated as a single 16-bit integer port number, with Type in the most significant
		// eight bits and the least significant eight bits set to zero."
		// https://www.rfc-editor.org/rfc/rfc7296#section-3.13.1
		return uint16(n) << 8, uint16(n) << 8, true
	}
	return uint16(n) << 8, uint16(n)<<8 | 0xff, true
}
