package dataplane

import (
	"net/netip"

	"esplanade/ike/selector"
)

// An ICMP error is about the packet that it encloses, and the host that gets it decides by that: an error about another
// peer's flow would slow it down or end it. "If this sort of check is not performed, then, for example, anyone with whom the
// receiving IPsec system (A) has an active SA could send an ICMP Destination Unreachable message that refers to any host/net
// with which A is currently communicating." So the enclosed packet has to be one that this SA's tunnel carries, for every
// error that comes out of it. https://www.rfc-editor.org/rfc/rfc4301#section-6.2

// isICMPError reports whether the packet b with header h is an ICMP error, or the first fragment of one.
func isICMPError(b []byte, h *innerHeader) bool {
	if !h.first || h.l4 >= h.length {
		return false
	}
	if h.v6 {
		return h.protocol == protoICMPv6 && icmpv6Error(b[h.l4])
	}
	return h.protocol == protoICMP && icmpv4Error(b[h.l4])
}

// icmpv4Error and icmpv6Error report whether an ICMP type encloses the packet that it is about:
// https://www.rfc-editor.org/rfc/rfc1122#section-3.2.2 and https://www.rfc-editor.org/rfc/rfc4443#section-2.1
func icmpv4Error(t uint8) bool { return t == 3 || t == 4 || t == 5 || t == 11 || t == 12 }
func icmpv6Error(t uint8) bool { return t < 128 }

// parseQuote reads the headers of the packet that an ICMP error encloses, of which only a part may be there: what is behind
// its IP headers counts as far as it goes, as it does for the host that gets the error. It reports false where not even those
// are whole.
func (h *innerHeader) parseQuote(b []byte, v6 bool) bool {
	if v6 {
		if len(b) < ipv6Header || b[0]>>4 != 6 {
			return false
		}
		h.v6, h.length = true, len(b)
		h.fragment, h.first, h.df = false, true, true
		h.key.srcHi, h.key.srcLo = be.Uint64(b[8:]), be.Uint64(b[16:])
		h.key.dstHi, h.key.dstLo = be.Uint64(b[24:]), be.Uint64(b[32:])
		if !h.extensions(b) {
			return false
		}
		h.finish(b, 6)
		return true
	}
	if len(b) < ipv4MinHeader || b[0]>>4 != 4 {
		return false
	}
	ihl := int(b[0]&15) * 4
	if ihl < ipv4MinHeader || ihl > len(b) {
		return false
	}
	frag := be.Uint16(b[6:])
	h.v6, h.length, h.l4, h.protocol = false, len(b), ihl, b[9]
	h.fragment = frag&(flagIPv4MF|maskIPv4Offset) != 0
	h.first = frag&maskIPv4Offset == 0
	h.key.srcHi, h.key.dstHi = 0, 0
	h.key.srcLo = uint64(be.Uint32(b[12:]))
	h.key.dstLo = uint64(be.Uint32(b[16:]))
	h.finish(b, 4)
	return true
}

// quoteOf parses what the ICMP error b with header h encloses. It reports false for an error that no host would send: one in
// fragments, although errors are small; one about an error; one that does not go to the sender of what it encloses.
func quoteOf(b []byte, h, q *innerHeader) bool {
	if h.fragment || h.l4+icmpHeader > h.length {
		return false
	}
	quote := b[h.l4+icmpHeader : h.length]
	return q.parseQuote(quote, h.v6) && !isICMPError(quote, q) && q.key.srcHi == h.key.dstHi && q.key.srcLo == h.key.dstLo
}

// reversed is the key of the packets in the other direction.
func (k *flowKey) reversed() flowKey {
	return flowKey{
		srcHi: k.dstHi, srcLo: k.dstLo, dstHi: k.srcHi, dstLo: k.srcLo,
		rest: k.rest&0xffffffff | k.rest>>48<<32 | k.rest>>32<<48,
	}
}

// errorFits reports whether the ICMP error b that has come in on an SA is about a packet that goes to its peer. An SA whose
// selectors have the error itself is the one to send it by, also when the packet has one of its own, as TCP has where ICMP is
// another child's. The header need not fit the selectors: the error of a router outside of them is let through by what it
// encloses.
func (w *inLoop) errorFits(sa *inboundSA, b []byte) bool {
	h, q := &w.header, &w.quote
	if !quoteOf(b, h, q) || w.e.ownFlow(q) {
		return false
	}
	packet := q.key.packet()
	ts := sa.ts.Load()
	if !ts.MatchIn(h.key.packet()) && !(ts.MatchOut(packet) && routerOutside(ts.Local, h.key.src())) {
		return false
	}
	// The selectors of several tunnels may have the packet: the error counts for the one that it takes.
	r := w.e.policies.Load().lookup(&q.key)
	return r != nil && r.sa != nil && (r.line == sa.line || samePeer(r.sa.route.Load(), sa.route.Load()))
}

// samePeer reports whether two SAs are with one peer: while an IKE SA is authenticated again there are two lines of them.
func samePeer(a, b *route) bool { return a != nil && b != nil && a.path.Remote == b.path.Remote }

// routerOutside reports whether an address may be that of a router behind the peer: one that can be a source, and none of
// this side's.
func routerOutside(local []selector.Selector, a netip.Addr) bool {
	if a.IsMulticast() || a.IsUnspecified() || a.IsLoopback() || a == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return false
	}
	for i := range local {
		s := &local[i]
		// A selector of every address says nothing about whose it is.
		if s.Start.BitLen() == a.BitLen() && s.Start.Compare(a) <= 0 && a.Compare(s.End) <= 0 && !(s.Start.IsUnspecified() && allOnes(s.End)) {
			return false
		}
	}
	return true
}

func allOnes(a netip.Addr) bool {
	if a.Is4() {
		return a == netip.AddrFrom4([4]byte{255, 255, 255, 255})
	}
	b := a.As16()
	return be.Uint64(b[:8])&be.Uint64(b[8:]) == 1<<64-1
}

// mapError finds the SA for an ICMP error of this side that no policy selects: that of the return traffic of the packet it
// encloses. "an IPsec implementation MUST map the message to the SA that would carry the return traffic associated with the
// packet that triggered the ICMP error message … If no such SA exists, no SA will be created."
// https://www.rfc-editor.org/rfc/rfc4301#section-6.2
func (w *outLoop) mapError(b []byte) *rule {
	h, q := &w.header, &w.quote
	if !isICMPError(b, h) || !quoteOf(b, h, q) {
		return nil
	}
	back := q.key.reversed()
	if r := w.table.lookup(&back); r != nil && r.sa != nil {
		return r
	}
	return nil
}

// maxOwnAddrs bounds the outer addresses of this host that are remembered: more than a host with IPv6 privacy addresses
// has in years.
const maxOwnAddrs = 4096

// noteOwn remembers an outer address of this host. The mutex is held.
func (e *Engine) noteOwn(a netip.Addr) {
	old := e.own.Load()
	if !a.IsValid() || old != nil && ((*old)[a] || len(*old) >= maxOwnAddrs) {
		return
	}
	own := map[netip.Addr]bool{a: true}
	if old != nil {
		for x := range *old {
			own[x] = true
		}
	}
	e.own.Store(&own)
}

// ownFlow reports whether a packet is one of the gateway's own, between it and a peer: no tunnel carries these, whatever
// its selectors say, and an error about one would lower the MTU of that peer's tunnel.
func (e *Engine) ownFlow(h *innerHeader) bool {
	own := e.own.Load()
	if own == nil || !(*own)[h.key.src()] {
		return false
	}
	switch h.protocol {
	case protoESP:
		return true
	case protoUDP:
		if h.key.rest&1 == 0 {
			return true // which port it was can't be seen
		}
		port := uint16(h.key.rest >> 48)
		return port == e.ikePort || port == e.nattPort
	}
	return false
}
