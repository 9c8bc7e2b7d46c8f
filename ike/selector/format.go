package selector

import (
	"fmt"
	"strconv"
	"strings"
)

// String is the selector in swanctl's notation, such that [Parse] reads the same selector from it: a prefix where the
// addresses are one, otherwise a range; "[tcp/80]" and the like behind it. A selector without addresses begins with
// "dynamic", as swanctl.conf writes it, and an invalid one says so.
func (s Selector) String() string {
	var b strings.Builder
	switch {
	case s.Dynamic():
		b.WriteString("dynamic")
	case !s.validAddrs():
		fmt.Fprintf(&b, "invalid(%s-%s)", s.Start, s.End)
	default:
		if p, ok := singlePrefix(s.Start, s.End); ok {
			b.WriteString(p.String())
		} else {
			fmt.Fprintf(&b, "%s-%s", s.Start, s.End)
		}
	}
	if s.Protocol == ProtocolAny && s.AnyPorts() {
		return b.String()
	}
	b.WriteByte('[')
	b.WriteString(protocolName(s.Protocol))
	if !s.AnyPorts() {
		b.WriteByte('/')
		b.WriteString(s.portString())
	}
	b.WriteByte(']')
	return b.String()
}

func (s Selector) portString() string {
	if s.OpaquePorts() {
		return "opaque"
	}
	if onePort(s.Protocol) {
		return s.typeString()
	}
	if s.StartPort == s.EndPort {
		return strconv.Itoa(int(s.StartPort))
	}
	return fmt.Sprintf("%d-%d", s.StartPort, s.EndPort)
}

// typeString prints ICMP types and codes: whole types as "8" or "8-10", and anything else by the 16-bit numbers that
// swanctl reads, except that numbers below 256 would be read as types and need the form "type(code)".
func (s Selector) typeString() string {
	last := uint16(0xff)
	if s.Protocol == ProtocolMobilityHeader {
		last = 0
	}
	from, to := s.StartPort, s.EndPort
	if from&0xff == 0 && to&0xff == last && from <= to {
		if from>>8 == to>>8 {
			return strconv.Itoa(int(from >> 8))
		}
		return fmt.Sprintf("%d-%d", from>>8, to>>8)
	}
	if from == to {
		return typeNumber(from)
	}
	return typeNumber(from) + "-" + typeNumber(to)
}

func typeNumber(p uint16) string {
	if p > 0xff {
		return strconv.Itoa(int(p))
	}
	return fmt.Sprintf("0(%d)", p)
}
