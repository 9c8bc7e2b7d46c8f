package dataplane

import (
	"net/netip"
	"syscall"
)

// ICMPMessage is an ICMP message about a packet that this host has sent, as the error that the system makes of it. Anybody can have
// forged it. It may be read from any goroutine.
type ICMPMessage struct {
	Errno      syscall.Errno
	From       netip.Addr // who sent it: a router, the destination, or this host itself; invalid if not known
	V6         bool
	Type, Code uint8
}

// Error is that of the system.
func (m *ICMPMessage) Error() string {
	if !m.From.IsValid() {
		return "ICMP: " + m.Errno.Error()
	}
	return "ICMP from " + m.From.String() + ": " + m.Errno.Error()
}

// Unwrap is the error of the system, such as syscall.ECONNREFUSED.
func (m *ICMPMessage) Unwrap() error { return m.Errno }

// Sender is who sent it, invalid if that is not known.
func (m *ICMPMessage) Sender() netip.Addr { return m.From }

// Prohibited reports whether it says that a firewall forbids the packet: "communication administratively prohibited" of the network,
// the host or at all, https://www.rfc-editor.org/rfc/rfc1122#section-3.2.2 and https://www.rfc-editor.org/rfc/rfc1812#section-5.2.7,
// or with IPv6 https://www.rfc-editor.org/rfc/rfc4443#section-3.1.
func (m *ICMPMessage) Prohibited() bool {
	if m.V6 {
		return m.Type == icmpv6Unreachable && (m.Code == 1 || m.Code == 5 || m.Code == 6)
	}
	return m.Type == icmpUnreachable && (m.Code == 9 || m.Code == 10 || m.Code == 13)
}
