package dataplane

// What tells one-way traffic from an answer that does not come.
const (
	tcpFlags         = 13 // octet of the TCP header with the flags
	icmpEchoRequest  = 8
	icmp6EchoRequest = 128
)

// asksForAnswer reports whether whoever gets packet b, whose header was parsed, has to answer: it begins a TCP connection, which is
// accepted or refused (RFC 9293 section 3.10.7), or it is an ICMP echo request (RFC 1122 section 3.2.2.6, RFC 4443 section 4.1). What
// applications expect of UDP is not known.
func asksForAnswer(b []byte, h *innerHeader) bool {
	if !h.first || h.l4 >= h.length {
		return false
	}
	switch h.protocol {
	case protoTCP:
		return h.length >= h.l4+tcpMinHeader && b[h.l4+tcpFlags]&(tcpSYN|tcpACK) == tcpSYN
	case protoICMP:
		return !h.v6 && b[h.l4] == icmpEchoRequest
	case protoICMPv6:
		return h.v6 && b[h.l4] == icmp6EchoRequest
	}
	return false
}
