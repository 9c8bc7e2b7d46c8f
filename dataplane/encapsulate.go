package dataplane

import (
	"esplanade/esp"
	"esplanade/tun"
)

// outgoing is how the packets of one super-packet leave: all of them alike.
type outgoing struct {
	sa    *outboundSA
	route *route
	tos   uint8 // of the outer header
	next  uint8 // Next Header of the ESP trailer: what the payload is
	// oversize: the outer packets are larger than the path, and are fragmented.
	oversize bool
}

// encapsulate sends a super-packet, whose header was parsed, through the SA.
func (w *outLoop) encapsulate(sa *outboundSA, s *superPacket) {
	h := &w.header
	limit := int(sa.child.inner.Load())
	longest := h.length
	if s.offloaded() {
		longest = w.segs.longest()
	} else if !w.complete(s, limit) {
		w.drops.add(DropOutMalformed, s.segments)
		return
	}
	verdict := fit(h, longest, limit, sa.portless)
	if verdict == refuse {
		w.tooBig(s.bytes(), limit)
		w.drops.add(DropOutTooBig, s.segments)
		return
	}
	if longest > int(sa.child.suspect.Load()) && w.e.config.BlackHoles {
		w.large(sa, s.bytes())
	}
	o := outgoing{sa: sa, route: sa.route.Load()}
	o.oversize = verdict == whole && longest > limit
	switch sa.mode {
	case esp.Tunnel:
		o.tos, o.next = outerTOS(h.tos, w.e.config.CopyDSCP), h.ipProtocol()
	default:
		w.drops.add(DropOutSeal, s.segments)
		return
	}
	w.asking = !s.offloaded() && asksForAnswer(s.bytes(), h)
	if verdict == split {
		w.sendSplit(&o, s, limit)
	} else {
		w.sendWhole(&o, s)
	}
}

// complete does to a plain packet what the sender's system has left to others: it clamps the MSS to what fits into limit
// octets, and finishes the checksum. It reports false if the checksum lies outside of the packet. Segments of a
// super-packet need neither: the segmenter makes their checksums, and a SYN is never a super-packet.
func (w *outLoop) complete(s *superPacket, limit int) bool {
	h := &w.header
	partial := s.vnet.Flags&tun.VNetNeedsCsum != 0
	if h.protocol == protoTCP {
		if mss := w.e.mss(limit, h.v6); mss > 0 {
			clampMSS(s.bytes(), h, mss, partial)
		}
	}
	return !partial || finishChecksum(s.bytes(), &s.vnet)
}

// fitting is what becomes of a packet for its size.
type fitting uint8

const (
	whole  fitting = iota // it is sealed as it is
	split                 // it is sealed in fragments
	refuse                // it is dropped, and its sender is told
)

// fit decides about a packet with header h of longest octets when limit octets fit the path. portless says that the
// selectors of its SA match its fragments too.
func fit(h *innerHeader, longest, limit int, portless bool) fitting {
	switch {
	case longest <= limit:
		return whole
	case h.v6 && longest <= ipv6MinMTU:
		// Every link carries these for IPv6: the outer packet is fragmented.
		// https://www.rfc-editor.org/rfc/rfc8200#section-5
		return whole
	case h.df:
		return refuse
	case portless:
		return split
	}
	// Selectors with ports don't match fragments: the outer packet is fragmented.
	// https://www.rfc-editor.org/rfc/rfc4301#section-7
	return whole
}

// sendWhole seals each packet of s as it is.
func (w *outLoop) sendWhole(o *outgoing, s *superPacket) {
	seq, ok := w.reserve(o.sa, s.segments)
	if !ok {
		return
	}
	packets, bytes := 0, 0
	for p, ok := w.first(s); ok; p, ok = w.following(s) {
		if w.seal(o, p, seq) {
			packets++
			bytes += len(p)
		}
		seq++
	}
	w.count(o.sa, packets, bytes)
}

// sendSplit seals the packets of s as fragments of at most limit octets.
func (w *outLoop) sendSplit(o *outgoing, s *superPacket, limit int) {
	for p, ok := w.first(s); ok; p, ok = w.following(s) {
		if w.frag.begin(p, limit) {
			w.sendFragments(o)
		} else {
			w.drops.add(DropOutTooBig, 1)
		}
	}
}

// sendFragments seals the fragments of the packet that the fragmenter has.
func (w *outLoop) sendFragments(o *outgoing) {
	packets, bytes := 0, 0
	for {
		n := w.frag.fragment(w.fragBuf[headroom:])
		if n == 0 {
			break
		}
		seq, ok := w.reserve(o.sa, 1)
		if !ok {
			break
		}
		if w.seal(o, w.fragBuf[headroom:headroom+n], seq) {
			packets++
			bytes += n
		}
	}
	w.count(o.sa, packets, bytes)
}

// first gives the first packet of s, and following the next one, false if there is none.
func (w *outLoop) first(s *superPacket) ([]byte, bool) {
	if s.offloaded() {
		return w.segs.next()
	}
	return s.bytes(), true
}

func (w *outLoop) following(s *superPacket) ([]byte, bool) {
	if s.offloaded() {
		return w.segs.next()
	}
	return nil, false
}

// reserve takes n sequence numbers, and says so to the IKE daemon when they come to their end.
func (w *outLoop) reserve(sa *outboundSA, n int) (uint64, bool) {
	seq, err := sa.esp.Reserve(n)
	if sa.esp.Exhausting() && sa.exhausting.due() {
		w.e.handler.Exhausting(sa.child.id)
	}
	if err != nil {
		w.drops.add(DropOutExhausted, n)
		return 0, false
	}
	return seq, true
}

// seal seals one packet to its place in the batch, which is sent first if it is full.
func (w *outLoop) seal(o *outgoing, p []byte, seq uint64) bool {
	n := len(p) + o.sa.esp.Overhead(len(p))
	if n > o.route.maxPayload() {
		w.drops.add(DropOutTooBig, 1)
		return false
	}
	dst, joins := w.tx.place(o.route, o.tos, o.oversize, n)
	if dst == nil {
		w.sendBatch()
		dst, joins = w.tx.place(o.route, o.tos, o.oversize, n)
	}
	m, err := o.sa.esp.Seal(&w.scratch, dst, p, o.next, seq)
	if err != nil {
		w.drops.add(DropOutSeal, 1)
		return false
	}
	w.tx.commit(o.route, o.tos, o.oversize, m, joins)
	return true
}

// count notes what has gone through the SA. What was refused is counted as a drop.
func (w *outLoop) count(sa *outboundSA, packets, bytes int) {
	if packets > 0 {
		sa.cells[w.shard].add(packets, bytes, w.now)
		if w.asking {
			sa.cells[w.shard].asking.Add(1)
			w.asking = false // the other fragments of the packet do not count again
		}
	}
}
