package dataplane

import "math/bits"

// TCP flags and options that the packet loop looks at, RFC 9293 section 3.1.
const (
	tcpFIN = 0x01
	tcpSYN = 0x02
	tcpRST = 0x04
	tcpPSH = 0x08
	tcpACK = 0x10
	tcpURG = 0x20
	tcpECE = 0x40
	tcpCWR = 0x80

	tcpOptEnd = 0
	tcpOptNOP = 1
	tcpOptMSS = 2
)

// minMSS is never clamped below: with less, a forged path MTU would make TCP useless.
const minMSS = 216 // MinPathMTU's payload less the headers of ESP and TCP, rounded down

// mss is what SYN segments are clamped to when inner packets of at most limit octets fit; 0: they are left alone.
func (e *Engine) mss(limit int, v6 bool) int {
	switch c := e.config.MSSClamp; {
	case c < 0:
		return 0
	case c > 0 && v6:
		return max(c-(ipv6Header-ipv4MinHeader), minMSS)
	case c > 0:
		return c
	}
	return mssFor(min(limit, int(e.deviceMTU.Load())), v6)
}

// mssInbound is mss for packets that come in on the child's SA: what fits in the other direction.
func (e *Engine) mssInbound(c *child, v6 bool) int {
	limit := int(c.inner.Load())
	if limit == 0 {
		limit = maxPacket
	}
	return e.mss(limit, v6)
}

// clampMSS lowers the MSS option of a TCP SYN segment to limit. partial says that the checksum field holds the sum of
// the pseudo-header only, which does not cover the option. It reports whether the packet was changed.
func clampMSS(b []byte, h *innerHeader, limit int, partial bool) bool {
	if h.protocol != protoTCP || !h.first || h.l4+tcpMinHeader > h.length {
		return false
	}
	tcp := b[h.l4:h.length]
	if tcp[13]&tcpSYN == 0 {
		return false
	}
	end := int(tcp[12]>>4) * 4
	if end < tcpMinHeader || end > len(tcp) {
		return false
	}
	for at := tcpMinHeader; at < end; {
		switch tcp[at] {
		case tcpOptEnd:
			return false
		case tcpOptNOP:
			at++
			continue
		}
		if at+1 >= end {
			return false
		}
		n := int(tcp[at+1])
		if n < 2 || at+n > end {
			return false
		}
		if tcp[at] != tcpOptMSS || n != 4 {
			at += n
			continue
		}
		old := be.Uint16(tcp[at+2:])
		if int(old) <= limit {
			return false
		}
		be.PutUint16(tcp[at+2:], uint16(limit))
		if !partial {
			from, to := old, uint16(limit)
			if at&1 != 0 { // the option lies across two words of the sum
				from, to = bits.ReverseBytes16(from), bits.ReverseBytes16(to)
			}
			be.PutUint16(tcp[16:], updateChecksum(be.Uint16(tcp[16:]), from, to))
		}
		return true
	}
	return false
}

// mssFor is the MSS that fits into inner packets of mtu octets without options.
func mssFor(mtu int, v6 bool) int {
	n := mtu - ipv4MinHeader - tcpMinHeader
	if v6 {
		n = mtu - ipv6Header - tcpMinHeader
	}
	return max(n, minMSS)
}
