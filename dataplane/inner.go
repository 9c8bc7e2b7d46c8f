package dataplane

import (
	"encoding/binary"
	"net/netip"

	"esplanade/ike/selector"
)

var be = binary.BigEndian

// Protocol numbers (https://www.iana.org/assignments/protocol-numbers) that the packet loop looks at.
const (
	protoHopByHop   = 0
	protoICMP       = 1
	protoIPv4       = 4
	protoTCP        = 6
	protoUDP        = 17
	protoDCCP       = 33
	protoIPv6       = 41
	protoRouting    = 43
	protoFragment   = 44
	protoESP        = 50
	protoAH         = 51
	protoICMPv6     = 58
	protoNoNext     = 59
	protoDestOpts   = 60
	protoSCTP       = 132
	protoMobility   = 135
	protoUDPLite    = 136
	ipv4MinHeader   = 20
	ipv6Header      = 40
	tcpMinHeader    = 20
	udpHeader       = 8
	maxExtensions   = 16 // extension headers looked through before a packet counts as malformed
	ipv6MinMTU      = 1280
	flagIPv4DF      = 0x4000
	flagIPv4MF      = 0x2000
	maskIPv4Offset  = 0x1fff
	ipv4MinFragment = 68 // every IPv4 module forwards 68 octets without further fragmentation, RFC 791 section 3.2
)

// flowKey identifies a flow: addresses, protocol, ports, and whether the ports could be seen. It is comparable, and its
// fields are words so that comparing is cheap.
type flowKey struct {
	srcHi, srcLo, dstHi, dstLo uint64 // IPv4 addresses are in the low words
	rest                       uint64 // ports(32) | protocol(8) | family(8) | hasPorts(8)
}

func (k *flowKey) v6() bool        { return k.rest>>8&0xff == 6 }
func (k *flowKey) protocol() uint8 { return uint8(k.rest >> 16) }
func (k *flowKey) src() netip.Addr { return keyAddr(k.srcHi, k.srcLo, k.v6()) }
func (k *flowKey) dst() netip.Addr { return keyAddr(k.dstHi, k.dstLo, k.v6()) }

func keyAddr(hi, lo uint64, v6 bool) netip.Addr {
	if !v6 {
		var b [4]byte
		be.PutUint32(b[:], uint32(lo))
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	be.PutUint64(b[:8], hi)
	be.PutUint64(b[8:], lo)
	return netip.AddrFrom16(b)
}

// packet gives the key as selectors see it.
func (k *flowKey) packet() selector.Packet {
	return selector.Packet{
		Src: k.src(), Dst: k.dst(), Protocol: k.protocol(),
		SrcPort: uint16(k.rest >> 48), DstPort: uint16(k.rest >> 32), HasPorts: k.rest&1 != 0,
	}
}

// ofLink reports whether the packet is multicast, or to or from a link-local address (RFC 3927, RFC 4291). The system sends
// such packets on each of its devices: MLD and IGMP reports, router solicitations. No router passes on the link-local ones.
func (k *flowKey) ofLink() bool {
	src, dst := k.src(), k.dst()
	return dst.IsMulticast() || dst.IsLinkLocalUnicast() || src.IsLinkLocalUnicast()
}

// hash mixes the key; the low bits are as good as the high ones.
func (k *flowKey) hash() uint64 {
	const m = 0x9e3779b97f4a7c15
	h := k.srcLo*m ^ k.dstLo
	h = (h^h>>32)*m ^ k.rest
	h = (h^h>>29)*m ^ k.srcHi
	h = (h^h>>32)*m ^ k.dstHi
	h *= m
	return h ^ h>>32
}

// innerHeader is what the packet loop needs to know about an inner packet.
type innerHeader struct {
	key      flowKey
	length   int // of the packet, by its IP header
	l4       int // where the upper-layer header begins; length if there is none
	protocol uint8
	v6       bool
	tos      uint8
	fragment bool // it is a fragment
	first    bool // its offset is 0, so an upper-layer header can be seen
	df       bool // IPv4: it must not be fragmented. IPv6: always
}

// ipProtocol is what an IP packet is called where an IP protocol number stands: 4 or 41.
// https://www.iana.org/assignments/protocol-numbers
func (h *innerHeader) ipProtocol() uint8 {
	if h.v6 {
		return protoIPv6
	}
	return protoIPv4
}

// parse reads the headers of the IP packet b; octets behind the packet are ignored. It reports false if b is not a
// whole IPv4 or IPv6 packet.
func (h *innerHeader) parse(b []byte) bool {
	if len(b) < ipv4MinHeader {
		return false
	}
	switch b[0] >> 4 {
	case 4:
		return h.parse4(b)
	case 6:
		return h.parse6(b)
	}
	return false
}

func (h *innerHeader) parse4(b []byte) bool {
	ihl := int(b[0]&15) * 4
	total := int(be.Uint16(b[2:]))
	if ihl < ipv4MinHeader || total < ihl || total > len(b) {
		return false
	}
	frag := be.Uint16(b[6:])
	h.v6 = false
	h.length = total
	h.l4 = ihl
	h.protocol = b[9]
	h.tos = b[1]
	h.fragment = frag&(flagIPv4MF|maskIPv4Offset) != 0
	h.first = frag&maskIPv4Offset == 0
	h.df = frag&flagIPv4DF != 0
	h.key.srcHi, h.key.dstHi = 0, 0
	h.key.srcLo = uint64(be.Uint32(b[12:]))
	h.key.dstLo = uint64(be.Uint32(b[16:]))
	h.finish(b, 4)
	return true
}

func (h *innerHeader) parse6(b []byte) bool {
	if len(b) < ipv6Header {
		return false
	}
	total := ipv6Header + int(be.Uint16(b[4:]))
	if total > len(b) {
		return false
	}
	h.v6 = true
	h.length = total
	h.tos = b[0]<<4 | b[1]>>4
	h.fragment, h.first, h.df = false, true, true
	h.key.srcHi, h.key.srcLo = be.Uint64(b[8:]), be.Uint64(b[16:])
	h.key.dstHi, h.key.dstLo = be.Uint64(b[24:]), be.Uint64(b[32:])
	if !h.extensions(b[:total]) {
		return false
	}
	h.finish(b, 6)
	return true
}

// extensions finds the upper-layer header behind the extension headers, RFC 8200 section 4.
func (h *innerHeader) extensions(b []byte) bool {
	next, at := b[6], ipv6Header
	for range maxExtensions {
		var n int
		switch next {
		case protoHopByHop, protoRouting, protoDestOpts:
			if at+8 > len(b) {
				return h.cut(next, len(b))
			}
			n = 8 + int(b[at+1])*8
		case protoAH:
			if at+8 > len(b) {
				return h.cut(next, len(b))
			}
			n = 8 + int(b[at+1])*4
		case protoFragment:
			if at+8 > len(b) {
				return h.cut(next, len(b))
			}
			n = 8
			off := be.Uint16(b[at+2:])
			// An atomic fragment (RFC 6946) is a whole packet.
			h.fragment = h.fragment || off&0xfff9 != 0
			if off>>3 != 0 {
				h.first = false
				h.protocol, h.l4 = b[at], at+n
				return true
			}
		default:
			h.protocol, h.l4 = next, at
			return true
		}
		if at+n > len(b) {
			return h.cut(next, len(b))
		}
		next, at = b[at], at+n
	}
	return false
}

// cut is the end of a chain of extension headers that the packet does not hold whole: only a first fragment may be
// like that, and it shows no ports.
func (h *innerHeader) cut(next uint8, end int) bool {
	h.protocol, h.l4 = next, end
	return h.fragment
}

// finish fills in protocol, family and ports of the key.
func (h *innerHeader) finish(b []byte, family uint64) {
	rest := uint64(h.protocol)<<16 | family<<8
	if h.first {
		room := h.length - h.l4
		switch h.protocol {
		case protoTCP, protoUDP, protoDCCP, protoSCTP, protoUDPLite:
			if room >= 4 {
				rest |= uint64(be.Uint32(b[h.l4:]))<<32 | 1
			}
		case protoICMP, protoICMPv6:
			if room >= 2 {
				v := uint64(be.Uint16(b[h.l4:]))
				rest |= v<<48 | v<<32 | 1
			}
		case protoMobility:
			if room >= 3 {
				v := uint64(b[h.l4+2]) << 8
				rest |= v<<48 | v<<32 | 1
			}
		}
	}
	h.key.rest = rest
}
