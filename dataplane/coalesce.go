package dataplane

import "esplanade/tun"

const (
	// maxLanes is the number of flows that are merged at the same time.
	maxLanes = 8
	// coalesceItems is the number of super-packets that are gathered before they are written.
	coalesceItems = 512
	// maxUDPMerge bounds the packets of a UDP super-packet: UDP_MAX_SEGMENTS of kernels before Linux 6.9.
	maxUDPMerge = 64
)

// coalescer gathers the inner packets of a batch and merges runs of a TCP or UDP flow into super-packets, so that the
// device's network stack is gone through once for many packets. What can't be merged passes as it is; packets of one
// flow stay in order. Owned by one goroutine.
//
// A run is compacted in place, to the left, in the buffer that its packets were received in:
//
//	| ESP | headers | payload 0 | ICV | ESP | headers | payload 1 | ICV | …
//	      | headers | payload 0 | payload 1 | …
//
// That works for the flow whose packet lies last in the buffer. When packets of another flow lie behind it, the run
// moves to a lane buffer of its own first.
type coalescer struct {
	device deviceWriter
	merges mergeSet
	trust  bool // inner checksums are not verified
	drops  *dropCounters
	memory *memory

	items []superPacket // in the order they are to be written
	lanes [maxLanes]lane
	used  int // lanes that were opened since the last flush, open or not
	spare [][]byte
	taken int // spare buffers in use
}

// lane is a run of packets of one flow that may go on.
type lane struct {
	open     bool
	tail     bool // nothing lies behind the run in its buffer
	verified bool // the checksum of the first packet has been verified
	udp, v6  bool
	item     int // in items
	key      flowKey
	l4       int
	hdrLen   int
	size     int    // payload of each packet but the last
	seq      uint32 // TCP: the next packet's
	id       uint16 // IPv4: the next packet's
}

func newCoalescer(m *memory, d deviceWriter, merges mergeSet, trust bool, drops *dropCounters) *coalescer {
	c := &coalescer{device: d, trust: trust, drops: drops, memory: m}
	c.items = make([]superPacket, 0, coalesceItems)
	c.setMerges(merges)
	return c
}

// setMerges says what may be merged. Not to be called between add and flush.
func (c *coalescer) setMerges(m mergeSet) {
	c.merges = m
	if (m.tcp || m.udp) && c.spare == nil {
		c.spare = c.memory.slots(maxLanes)
	}
}

// add takes the packet buf[start:end] with the headers h. The buffer must stay as it is until flush.
func (c *coalescer) add(buf []byte, start, end int, h *innerHeader) {
	if c.used > 0 {
		for i := c.used - 1; i >= 0; i-- {
			l := &c.lanes[i]
			if l.open && l.key == h.key {
				if c.join(l, buf[start:end], h) {
					return
				}
				// What follows in the flow must not overtake this packet.
				l.open = false
				break
			}
		}
	}
	if h.fragment {
		c.fence(&h.key)
	}
	c.append(buf, start, end, h)
}

// fence ends the runs between the key's hosts: a fragment shows no ports, so it may belong to any of them.
func (c *coalescer) fence(k *flowKey) {
	for i := range c.used {
		l := &c.lanes[i].key
		if l.srcLo == k.srcLo && l.dstLo == k.dstLo && l.srcHi == k.srcHi && l.dstHi == k.dstHi {
			c.lanes[i].open = false
		}
	}
}

// append takes the packet as a super-packet of its own, to which more may be joined.
func (c *coalescer) append(buf []byte, start, end int, h *innerHeader) {
	if len(c.items) == cap(c.items) {
		// Only with more packets in a batch than any receiver gives; the error comes again with the next write.
		_ = c.flush()
	}
	for i := range c.used {
		if l := &c.lanes[i]; l.tail && &c.items[l.item].buf[0] == &buf[0] {
			l.tail = false
		}
	}
	c.items = append(c.items, superPacket{buf: buf, start: start, end: end, segments: 1})
	if c.used == maxLanes && !c.recycle() {
		return
	}
	l := &c.lanes[c.used]
	if l.begin(buf[start:end], h, c.merges) {
		l.item = len(c.items) - 1
		l.tail = true
		c.used++
	}
}

// recycle makes room for a lane.
func (c *coalescer) recycle() bool {
	n := 0
	for i := range c.used {
		l := &c.lanes[i]
		if l.open {
			if i != n {
				c.lanes[n] = *l
			}
			n++
		} else {
			c.finish(l)
		}
	}
	c.used = n
	return n < maxLanes
}

// begin makes the packet the first of a run, if it is one that others can follow.
func (l *lane) begin(b []byte, h *innerHeader, m mergeSet) bool {
	l.open, l.verified, l.v6 = false, false, h.v6
	if h.fragment || h.key.rest&1 == 0 {
		return false
	}
	switch {
	case h.protocol == protoTCP && m.tcp:
		if h.l4+tcpMinHeader > len(b) {
			return false
		}
		n := int(b[h.l4+12]>>4) * 4
		// PSH and everything unusual ends a run, so it can't begin one.
		if n < tcpMinHeader || b[h.l4+13] != tcpACK {
			return false
		}
		l.udp, l.hdrLen = false, h.l4+n
	case h.protocol == protoUDP && m.udp:
		// A UDP packet without checksum would get one.
		if h.l4+udpHeader > len(b) || be.Uint16(b[h.l4+6:]) == 0 || int(be.Uint16(b[h.l4+4:])) != len(b)-h.l4 {
			return false
		}
		l.udp, l.hdrLen = true, h.l4+udpHeader
	default:
		return false
	}
	// Options and extension headers are left alone.
	if l.hdrLen >= len(b) || h.v6 && h.l4 != ipv6Header || !h.v6 && h.l4 != ipv4MinHeader {
		return false
	}
	l.key, l.l4, l.size = h.key, h.l4, len(b)-l.hdrLen
	if !l.udp {
		l.seq = be.Uint32(b[h.l4+4:]) + uint32(l.size)
	}
	if !h.v6 {
		l.id = be.Uint16(b[4:]) + 1
	}
	l.open = true
	return true
}

// join appends the packet b to the run. It reports false if b does not continue it.
func (c *coalescer) join(l *lane, b []byte, h *innerHeader) bool {
	s := &c.items[l.item]
	head := s.bytes()
	n := len(b) - l.hdrLen
	// The result has to be an IP packet: of at most 65535 octets.
	if h.fragment || n <= 0 || n > l.size || h.l4 != l.l4 || len(head)+n > maxPacket || !l.sameHeaders(head, b) {
		return false
	}
	last := n < l.size
	if l.udp {
		if be.Uint16(b[l.l4+6:]) == 0 || int(be.Uint16(b[l.l4+4:])) != len(b)-l.l4 || s.segments >= maxUDPMerge {
			return false
		}
	} else {
		if be.Uint32(b[l.l4+4:]) != l.seq || b[l.l4+13]&^tcpPSH != tcpACK {
			return false
		}
		last = last || b[l.l4+13]&tcpPSH != 0
	}
	// The kernel makes new checksums from the merged packet: a wrong one must not become right by that.
	if !c.trust {
		if !checksumOK(b, l.v6, h.protocol, l.l4) {
			return false
		}
		// That of the first packet, before anything is behind it.
		if !l.verified && !checksumOK(head, l.v6, h.protocol, l.l4) {
			return false
		}
		l.verified = true
	}
	if !c.room(l, s, n) {
		return false
	}
	if !l.udp {
		s.buf[s.start+l.l4+13] |= b[l.l4+13] & tcpPSH
		l.seq += uint32(n)
	}
	copy(s.buf[s.end:], b[l.hdrLen:])
	s.end += n
	s.segments++
	l.id++
	l.open = !last
	return true
}

// sameHeaders compares what has to be the same in all packets of a run; addresses, protocol and ports are already.
func (l *lane) sameHeaders(a, b []byte) bool {
	if l.v6 {
		// Version, traffic class and flow label; hop limit.
		if be.Uint32(a) != be.Uint32(b) || a[7] != b[7] {
			return false
		}
	} else {
		// TOS; flags, which include DF; TTL.
		if a[1] != b[1] || be.Uint16(a[6:]) != be.Uint16(b[6:]) || a[8] != b[8] {
			return false
		}
		// Without DF the identification has a meaning, and the segments get consecutive ones.
		if be.Uint16(a[6:])&flagIPv4DF == 0 && be.Uint16(b[4:]) != l.id {
			return false
		}
	}
	if l.udp {
		return true
	}
	x, y := a[l.l4:l.hdrLen], b[l.l4:l.hdrLen]
	// Acknowledgment; data offset; window; urgent pointer; options.
	return be.Uint32(x[8:]) == be.Uint32(y[8:]) && x[12] == y[12] && be.Uint16(x[14:]) == be.Uint16(y[14:]) &&
		be.Uint16(x[18:]) == be.Uint16(y[18:]) && string(x[tcpMinHeader:]) == string(y[tcpMinHeader:])
}

// checksumOK verifies the TCP or UDP checksum of the IP packet b.
func checksumOK(b []byte, v6 bool, protocol uint8, l4 int) bool {
	return fold(sum(b[l4:], pseudoHeader(b, v6, protocol, len(b)-l4))) == 0xffff
}

// room sees to it that n octets can be written behind the run.
func (c *coalescer) room(l *lane, s *superPacket, n int) bool {
	if l.tail && s.end+n+tailroom <= len(s.buf) {
		return true
	}
	if l.tail && s.start == headroom || c.taken == len(c.spare) {
		return false // it has a whole buffer already, or there is none left
	}
	to := c.spare[c.taken]
	if headroom+(s.end-s.start)+n+tailroom > len(to) {
		return false
	}
	c.taken++
	k := copy(to[headroom:], s.bytes())
	s.buf, s.start, s.end = to, headroom, headroom+k
	l.tail = true
	return true
}

// flush writes everything to the device. An error is final.
func (c *coalescer) flush() error {
	if len(c.items) == 0 {
		return nil
	}
	for i := range c.used {
		c.finish(&c.lanes[i])
	}
	refused, err := c.device.write(c.items)
	if refused > 0 {
		c.drops.add(DropInDevice, refused)
	}
	c.items = c.items[:0]
	c.used, c.taken = 0, 0
	if !c.device.merging() {
		c.merges = mergeSet{}
	}
	return err
}

// finish gives a merged run the headers of a super-packet.
func (c *coalescer) finish(l *lane) {
	s := &c.items[l.item]
	if s.segments == 1 {
		return
	}
	b := s.bytes()
	n := len(b) - l.l4
	protocol, kind, at := uint8(protoTCP), uint8(tun.GSOTCPv4), uint16(16)
	if l.v6 {
		kind = tun.GSOTCPv6
		be.PutUint16(b[4:], uint16(len(b)-ipv6Header))
	} else {
		be.PutUint16(b[2:], uint16(len(b)))
		setIPv4Checksum(b)
	}
	if l.udp {
		protocol, kind, at = protoUDP, tun.GSOUDPL4, 6
		be.PutUint16(b[l.l4+4:], uint16(n))
	}
	// The kernel completes the checksum, for each segment if it has to: it finds the pseudo-header's sum.
	be.PutUint16(b[l.l4+int(at):], fold(pseudoHeader(b, l.v6, protocol, n)))
	s.vnet = tun.VNetHdr{
		Flags: tun.VNetNeedsCsum, GSOType: kind, HdrLen: uint16(l.hdrLen), GSOSize: uint16(l.size),
		CsumStart: uint16(l.l4), CsumOffset: at,
	}
}
