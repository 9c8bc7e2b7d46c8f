package dataplane

import (
	"net/netip"
	"time"
)

// ICMP errors that the packet loop makes.
const (
	icmpUnreachable    = 3 // RFC 792; code 4 is "fragmentation needed and DF set"
	icmpFragNeeded     = 4
	icmpv6Unreachable  = 1 // RFC 4443 section 3.1
	icmpv6PacketTooBig = 2 // RFC 4443 section 3.2

	// icmpv4Quote bounds an ICMP error: "the ICMP datagram SHOULD contain as much of the original datagram as possible
	// without the length of the ICMP datagram exceeding 576 bytes".
	// https://www.rfc-editor.org/rfc/rfc1812#section-4.3.2.3
	icmpv4Quote = 576
	icmpHeader  = 8
	// icmpv6Room bounds an ICMPv6 error to the minimum MTU. https://www.rfc-editor.org/rfc/rfc4443#section-3.2
	icmpv6Room = ipv6MinMTU
	icmpHops   = 64
)

// Rate limit of ICMP errors for each loop: "an IPv6 node MUST limit the rate of ICMPv6 error messages it originates".
// https://www.rfc-editor.org/rfc/rfc4443#section-2.4 (f)
const (
	icmpBurst    = 32
	icmpInterval = 10 * time.Millisecond
)

// tokenBucket is a rate limit on the engine's clock. The zero value is full.
type tokenBucket struct {
	used int
	last int64
}

func (t *tokenBucket) take(now int64, burst int, interval time.Duration) bool {
	if n := (now - t.last) / int64(interval); n > 0 {
		t.used = int(max(0, int64(t.used)-n))
		t.last += n * int64(interval)
	}
	if t.used >= burst {
		return false
	}
	t.used++
	return true
}

// oneHost reports whether an address can be that of one host: not that of a group, of all hosts, of none, or of each for itself. An
// ICMP error must not be sent about a packet "whose source address does not define a single host -- e.g., a zero address, a
// loopback address, a broadcast address, a multicast address, or a Class E address", nor about one to an IPv4 group or to all
// hosts. https://www.rfc-editor.org/rfc/rfc1812#section-4.3.2.7
func oneHost(a netip.Addr) bool {
	return !a.IsMulticast() && !a.IsUnspecified() && !a.IsLoopback() && !(a.Is4() && a.As4()[0] >= classE)
}

// classE is the first octet of the IPv4 addresses that are reserved, the limited broadcast address among them.
const classE = 240

// mayAnswer reports whether an ICMP error about the packet is allowed: not about ICMP errors, fragments other than the
// first, and packets to or from several hosts. https://www.rfc-editor.org/rfc/rfc1122#section-3.2.2
func mayAnswer(b []byte, h *innerHeader) bool {
	if !h.first {
		return false
	}
	src, dst := h.key.src(), h.key.dst()
	if !oneHost(src) || !h.v6 && !oneHost(dst) {
		return false
	}
	if h.length <= h.l4 {
		return true
	}
	switch t := b[h.l4]; h.protocol {
	case protoICMP:
		return !icmpv4Error(t)
	case protoICMPv6:
		return !icmpv6Error(t)
	}
	return true
}

// icmpMessage is the part of an ICMP error in front of the packet that it quotes.
type icmpMessage struct {
	kind, code uint8
	rest       uint32 // the second word
}

// tooBigError says that only packets of mtu octets fit: RFC 1191 section 4, RFC 4443 section 3.2.
func tooBigError(v6 bool, mtu int) icmpMessage {
	if v6 {
		return icmpMessage{icmpv6PacketTooBig, 0, uint32(mtu)}
	}
	return icmpMessage{icmpUnreachable, icmpFragNeeded, uint32(min(mtu, maxPacket))}
}

// unreachableCode says why a packet was dropped for want of an SA, in the words of
// https://www.rfc-editor.org/rfc/rfc4301#section-5.1.1
type unreachableCode uint8

const (
	// unreachableProhibited: no SA may carry it.
	unreachableProhibited unreachableCode = iota
	// unreachableHost: the SA that would carry it could not be made.
	unreachableHost
)

// unreachableError is the ICMP error for it: "communication administratively prohibited" or "host unreachable".
func unreachableError(v6 bool, why unreachableCode) icmpMessage {
	switch {
	case v6 && why == unreachableHost:
		return icmpMessage{kind: icmpv6Unreachable, code: 3}
	case v6:
		return icmpMessage{kind: icmpv6Unreachable, code: 1}
	case why == unreachableHost:
		return icmpMessage{kind: icmpUnreachable, code: 1}
	}
	return icmpMessage{kind: icmpUnreachable, code: 13}
}

// appendICMPError appends to dst the ICMP or ICMPv6 error m about packet b. Its source is the packet's destination: the
// gateway may have no address of its own in the inner network, and hosts accept the message by the packet it quotes.
func appendICMPError(dst, b []byte, h *innerHeader, m icmpMessage) []byte {
	at := len(dst)
	if h.v6 {
		quote := min(h.length, icmpv6Room-ipv6Header-icmpHeader)
		n := icmpHeader + quote
		dst = append(dst, 6<<4, 0, 0, 0, byte(n>>8), byte(n), protoICMPv6, icmpHops)
		if dst16 := b[24:40]; dst16[0] == 0xff { // to a multicast group: the answer can't come from it
			dst = append(dst, b[8:24]...)
		} else {
			dst = append(dst, dst16...)
		}
		dst = append(dst, b[8:24]...)
		dst = append(dst, m.kind, m.code, 0, 0)
		dst = be.AppendUint32(dst, m.rest)
		dst = append(dst, b[:quote]...)
		p := dst[at:]
		be.PutUint16(p[ipv6Header+2:], ^fold(sum(p[ipv6Header:], pseudoHeader(p, true, protoICMPv6, n))))
		return dst
	}
	quote := min(h.length, icmpv4Quote-ipv4MinHeader-icmpHeader)
	n := ipv4MinHeader + icmpHeader + quote
	dst = append(dst, 4<<4|5, 0xc0, byte(n>>8), byte(n), 0, 0, 0, 0, icmpHops, protoICMP, 0, 0)
	dst = append(dst, b[16:20]...)
	dst = append(dst, b[12:16]...)
	dst = append(dst, m.kind, m.code, 0, 0)
	dst = be.AppendUint32(dst, m.rest)
	dst = append(dst, b[:quote]...)
	p := dst[at:]
	setIPv4Checksum(p)
	be.PutUint16(p[ipv4MinHeader+2:], ^fold(sum(p[ipv4MinHeader:], 0)))
	return dst
}
