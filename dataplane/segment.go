package dataplane

import "esplanade/tun"

// maxHeaders bounds the IP and transport header of a super-packet; longer chains of extension headers are never
// offloaded.
const maxHeaders = 512

// segmenter cuts a TSO or USO super-packet into its packets, in place:
//
//	| headers | payload 0 | payload 1 | payload 2 |
//	| packet 0            |                           as it is
//	            | headers | payload 1 |               the headers are stamped over the end of payload 0
//	                        | headers | payload 2 |   … of payload 1
//
// So each packet is complete only until the next one is asked for, and must be sealed to another place before. The
// headers are stamped from a snapshot: a segment may be shorter than they are.
type segmenter struct {
	buf      []byte // of the super-packet
	base     int    // where its payload begins in buf
	payload  int    // octets of payload
	size     int    // octets of payload in each segment but the last
	off      int    // octets of payload that have been cut off
	n        int    // number of the next segment
	hdrLen   int
	l4       int
	protocol uint8
	v6       bool
	flags    uint8  // TCP flags of the super-packet
	id       uint16 // IPv4 identification of the first segment
	seq      uint32 // TCP sequence number of the first segment
	pseudo   uint64 // sum of the pseudo-header's addresses and protocol
	hdr      [maxHeaders]byte
}

// begin starts with super-packet s, which has the parsed headers h. It reports false if what the virtio header asks
// for does not fit the packet. https://docs.oasis-open.org/virtio/virtio/v1.2/virtio-v1.2.html#sec-5.1.6.2
func (g *segmenter) begin(s *superPacket, h *innerHeader) bool {
	b := s.bytes()
	g.protocol, g.v6, g.l4 = h.protocol, h.v6, h.l4
	switch s.vnet.GSOType &^ tun.GSOECN {
	case tun.GSOTCPv4, tun.GSOTCPv6:
		if h.protocol != protoTCP || h.v6 != (s.vnet.GSOType&^tun.GSOECN == tun.GSOTCPv6) || h.l4+tcpMinHeader > h.length {
			return false
		}
		// The header length of the virtio header is not to be trusted, see tun.VNetHdr.
		n := int(b[h.l4+12]>>4) * 4
		if n < tcpMinHeader {
			return false
		}
		g.hdrLen = h.l4 + n
		g.flags = b[h.l4+13]
		g.seq = be.Uint32(b[h.l4+4:])
	case tun.GSOUDPL4:
		if h.protocol != protoUDP {
			return false
		}
		g.hdrLen = h.l4 + udpHeader
	default:
		return false
	}
	if h.fragment || g.hdrLen > h.length || g.hdrLen > maxHeaders || s.vnet.GSOSize == 0 {
		return false
	}
	g.buf, g.base = s.buf, s.start+g.hdrLen
	g.payload, g.size = h.length-g.hdrLen, int(s.vnet.GSOSize)
	g.off, g.n = 0, 0
	copy(g.hdr[:g.hdrLen], b)
	if !g.v6 {
		g.id = be.Uint16(b[4:])
	}
	g.pseudo = pseudoHeader(b, g.v6, g.protocol, 0)
	return true
}

// count is the number of segments.
func (g *segmenter) count() int { return max(1, (g.payload+g.size-1)/g.size) }

// longest is the length of the longest packet.
func (g *segmenter) longest() int { return g.hdrLen + min(g.size, g.payload) }

// next gives the next packet, and false when there is none. It is valid until the next call; its capacity reaches to
// the end of the buffer, and what is behind it must be left as it is.
func (g *segmenter) next() ([]byte, bool) {
	if g.off >= g.payload && g.n > 0 {
		return nil, false
	}
	l := min(g.size, g.payload-g.off)
	start := g.base + g.off - g.hdrLen
	p := g.buf[start : g.base+g.off+l]
	copy(p, g.hdr[:g.hdrLen])
	if g.v6 {
		be.PutUint16(p[4:], uint16(len(p)-ipv6Header))
	} else {
		be.PutUint16(p[2:], uint16(len(p)))
		be.PutUint16(p[4:], g.id+uint16(g.n))
		setIPv4Checksum(p)
	}
	last := g.off+l >= g.payload
	t := p[g.l4:]
	pseudo := g.pseudo + word(uint16(len(t)))
	if g.protocol == protoTCP {
		be.PutUint32(t[4:], g.seq+uint32(g.off))
		f := g.flags
		if g.n > 0 {
			// "CWR" is set once for each reduction of the window: RFC 3168 section 6.1.2.
			f &^= tcpCWR
		}
		if !last {
			f &^= tcpFIN | tcpPSH
		}
		t[13] = f
		t[16], t[17] = 0, 0
		be.PutUint16(t[16:], ^fold(sum(t, pseudo)))
	} else {
		be.PutUint16(t[4:], uint16(len(t)))
		t[6], t[7] = 0, 0
		c := ^fold(sum(t, pseudo))
		if c == 0 {
			c = 0xffff // 0 means "no checksum", RFC 768
		}
		be.PutUint16(t[6:], c)
	}
	g.off += l
	g.n++
	return p, true
}

// finishChecksum completes a checksum that has only the sum of the pseudo-header so far. It reports false if
// the virtio header points outside of the packet.
func finishChecksum(b []byte, v *tun.VNetHdr) bool {
	start, at := int(v.CsumStart), int(v.CsumStart)+int(v.CsumOffset)
	if at+2 > len(b) {
		return false
	}
	part := be.Uint16(b[at:])
	b[at], b[at+1] = 0, 0
	c := ^fold(sum(b[start:], word(part)))
	if c == 0 && v.CsumOffset == 6 { // UDP
		c = 0xffff
	}
	be.PutUint16(b[at:], c)
	return true
}
