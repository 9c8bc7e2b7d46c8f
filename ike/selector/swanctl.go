package selector

import (
	"fmt"
	"strconv"
	"strings"
)

// Swanctl is the selector as strongSwan writes it where VICI shows one: "10.0.0.0/24[tcp/ssh]", "10.1.0.1..10.1.0.9[icmp/3(4)]",
// "dynamic[udp/OPAQUE]". Protocols and ports have their names. [Parse] reads all of it, and the same selector from it but in one case:
// strongSwan writes no code that is 0, as in "icmp/8" for type 8 with code 0 alone, while a configuration has that for the type with
// every code, which here is "icmp/8-8(255)".
func (s Selector) Swanctl() string {
	var b strings.Builder
	if s.validAddrs() && s.IsRange() {
		fmt.Fprintf(&b, "%s..%s", s.Start, s.End)
	} else {
		whole := s
		whole.Protocol, whole.StartPort, whole.EndPort = ProtocolAny, AnyStartPort, AnyEndPort
		b.WriteString(whole.String())
	}
	if s.Protocol == ProtocolAny && s.AnyPorts() {
		return b.String()
	}
	b.WriteByte('[')
	if s.Protocol == ProtocolAny {
		b.WriteByte('0')
	} else {
		b.WriteString(protocolName(s.Protocol))
	}
	if !s.AnyPorts() {
		b.WriteByte('/')
		b.WriteString(s.swanctlPorts())
	}
	b.WriteByte(']')
	return b.String()
}

func (s Selector) swanctlPorts() string {
	port := func(p uint16) string { return strconv.Itoa(int(p)) }
	if s.Protocol == ProtocolICMP || s.Protocol == ProtocolICMPv6 {
		port = func(p uint16) string {
			if p&0xff == 0 {
				return strconv.Itoa(int(p >> 8))
			}
			return fmt.Sprintf("%d(%d)", p>>8, p&0xff)
		}
	}
	switch {
	case s.OpaquePorts():
		return "OPAQUE"
	case s.StartPort != s.EndPort:
		return port(s.StartPort) + "-" + port(s.EndPort)
	case onePort(s.Protocol):
		return port(s.StartPort)
	}
	return serviceName(s.StartPort, s.Protocol)
}
