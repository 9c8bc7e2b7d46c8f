package dataplane

import (
	"errors"

	"esplanade/esp"
	"esplanade/ike/selector"
	"esplanade/tun"
)

// The way of a packet out, in the order of the functions below:
//
//	read        a batch of super-packets from a device queue          deviceReader
//	parse       headers, once for a super-packet                      innerHeader
//	select      the rule: flow cache, then policy table               outLoop.rule
//	wait        no SA yet: a copy waits, the IKE daemon is told       outLoop.wait
//	fit         MSS on SYN; too big: ICMP error, or fragments         outLoop.encapsulate
//	reserve     a block of sequence numbers for all segments          esp.Outbound.Reserve
//	segment     headers stamped in place                              segmenter
//	seal        to the final place in the message                     txBatch, esp.Outbound.Seal
//	send        all messages of the batch at once                     sender
//
// All of it happens in the loop's own goroutine; nothing is handed on, nothing allocated, no lock taken. Only a packet
// that waits for a tunnel is copied to the heap, under its trap's lock.

// outLoop carries packets from one device queue to the wire. Owned by one goroutine; the control side has one of its
// own for packets that have waited, owned by the engine's mutex.
type outLoop struct {
	e      *Engine
	shard  int // in the counters of outbound SAs
	drops  *dropCounters
	tx     *txBatch
	sender sender
	device deviceWriter // for ICMP errors

	now     int64
	table   *ruleTable
	cache   flowCache[*rule]
	header  innerHeader
	quote   innerHeader
	segs    segmenter
	frag    fragmenter
	scratch esp.Scratch
	// fragBuf is where fragments are made, icmpOut where ICMP errors are.
	fragBuf []byte
	icmpOut [1]superPacket
	icmp    tokenBucket
	hole    holeDetector
}

func newOutLoop(e *Engine, shard int, drops *dropCounters, s sender, d deviceWriter) *outLoop {
	w := &outLoop{e: e, shard: shard, drops: drops, sender: s, device: d}
	w.tx = newTxBatch(&e.memory, e.sockets.gso())
	w.tx.onError = w.sendError
	w.fragBuf = e.memory.arena(packetSlot)
	w.icmpOut[0].buf = make([]byte, headroom+ipv6MinMTU+tailroom)
	return w
}

// run carries packets until the device is closed.
func (w *outLoop) run(r deviceReader) error {
	for {
		batch, err := r.read()
		if err != nil {
			return err
		}
		w.begin()
		for i := range batch {
			w.packet(&batch[i], false)
		}
		w.sendBatch()
	}
}

// begin starts a batch.
func (w *outLoop) begin() {
	w.now = w.e.clock.now()
	w.refresh()
}

// refresh takes the policy table that is in force now.
func (w *outLoop) refresh() {
	w.table = w.e.policies.Load()
	w.cache.use(w.table.gen)
}

// packet carries one super-packet. waited says that it has waited for an SA.
func (w *outLoop) packet(s *superPacket, waited bool) {
	h := &w.header
	if !h.parse(s.bytes()) {
		w.drops.add(DropOutMalformed, 1)
		return
	}
	s.end = s.start + h.length
	n := 1
	gso := s.vnet.GSOType != tun.GSONone
	if gso {
		if !w.segs.begin(s, h) {
			w.drops.add(DropOutMalformed, 1)
			return
		}
		n = w.segs.count()
	}
	r := w.rule(&h.key)
	if r == nil {
		r = w.mapError(s.bytes())
	}
	switch {
	case r == nil:
		w.drops.add(DropOutNoPolicy, n)
	case r.sa != nil:
		w.encapsulate(r.sa, s, n, gso)
	case waited:
		w.drops.add(DropOutWaitNarrow, n)
		w.unreachable(s, unreachableProhibited)
	case r.policy.spd.Without == selector.Refuse:
		w.refuse(r, s, n)
	default:
		w.wait(r, s, n, gso)
	}
}

// refuse drops a packet for which there is no SA, and none is to be made.
func (w *outLoop) refuse(r *rule, s *superPacket, n int) {
	if r.policy.up() {
		w.drops.add(DropOutWaitNarrow, n)
	} else {
		w.drops.add(DropOutDown, n)
	}
	w.unreachable(s, unreachableProhibited)
}

// rule finds what the policy database says of a flow.
func (w *outLoop) rule(k *flowKey) *rule {
	f := w.cache.at(k)
	if f.key == *k {
		return f.value
	}
	r := w.table.lookup(k)
	if r != nil {
		f.key, f.value = *k, r
	}
	return r
}

// wait puts the packet into the ring of its policy.
func (w *outLoop) wait(r *rule, s *superPacket, n int, gso bool) {
	// The table may change while this goes on, each time with an SA that may serve the packet.
	for range 3 {
		switch t := r.policy.trap; t.add(s, n, w.table.gen) {
		case waitQueued:
			w.acquire(t)
			return
		case waitFull:
			w.drops.add(DropOutWaitFull, n)
			w.acquire(t)
			return
		}
		w.refresh()
		switch r = w.rule(&w.header.key); {
		case r == nil:
			w.drops.add(DropOutNoPolicy, n)
			return
		case r.sa != nil:
			w.encapsulate(r.sa, s, n, gso)
			return
		case r.policy.spd.Without == selector.Refuse:
			w.refuse(r, s, n)
			return
		}
	}
	w.drops.add(DropOutWaitFull, n)
}

func (w *outLoop) acquire(t *trap) {
	if t.mayAcquire(w.now) {
		w.e.handler.Acquire(t.policy, w.header.key.packet())
	}
}

// encapsulate seals the super-packet of n segments for the SA.
func (w *outLoop) encapsulate(sa *outboundSA, s *superPacket, n int, gso bool) {
	h, b := &w.header, s.bytes()
	rt := sa.route.Load()
	limit := int(sa.child.inner.Load())
	tos := outerTOS(h.tos, w.e.config.CopyDSCP)
	longest := h.length
	if gso {
		longest = w.segs.longest()
	} else {
		partial := s.vnet.Flags&tun.VNetNeedsCsum != 0
		if h.protocol == protoTCP {
			if mss := w.e.mss(limit, h.v6); mss > 0 {
				clampMSS(b, h, mss, partial)
			}
		}
		if partial && !finishChecksum(b, &s.vnet) {
			w.drops.add(DropOutMalformed, n)
			return
		}
	}
	split := false
	if longest > limit {
		switch {
		case h.v6 && longest <= ipv6MinMTU:
			// Every link carries these for IPv6: the outer packet is fragmented. RFC 8200 section 5.
		case !h.df && sa.portless:
			split = true
		case !h.df:
			// Selectors with ports don't match fragments: the outer packet is fragmented. RFC 4301 section 7.
		default:
			w.tooBig(b, limit)
			w.drops.add(DropOutTooBig, n)
			return
		}
	}
	if longest > int(sa.child.suspect.Load()) && w.e.config.BlackHoles {
		w.large(sa, b)
	}
	bytes := h.length
	if gso {
		bytes += (n - 1) * w.segs.hdrLen
	}
	if split {
		w.fragments(sa, rt, s, limit, tos, gso)
		return
	}
	seq, ok := w.reserve(sa, n)
	if !ok {
		return
	}
	done := 0
	if !gso {
		if w.seal(sa, rt, tos, b, seq) {
			done = 1
		}
	} else {
		for p, ok := w.segs.next(); ok; p, ok = w.segs.next() {
			if w.seal(sa, rt, tos, p, seq) {
				done++
			}
			seq++
		}
	}
	if done < n {
		bytes = bytes / n * done // what was refused is counted as a drop
	}
	sa.cells[w.shard].add(done, bytes, w.now)
}

// fragments seals the packets of s as fragments of at most limit octets.
func (w *outLoop) fragments(sa *outboundSA, rt *route, s *superPacket, limit int, tos uint8, gso bool) {
	p, ok := s.bytes(), true
	if gso {
		p, ok = w.segs.next()
	}
	for ok {
		if !w.frag.begin(p, limit) {
			w.drops.add(DropOutTooBig, 1)
		} else {
			w.fragmentsOf(sa, rt, tos)
		}
		if !gso {
			return
		}
		p, ok = w.segs.next()
	}
}

func (w *outLoop) fragmentsOf(sa *outboundSA, rt *route, tos uint8) {
	n, bytes := 0, 0
	for {
		l := w.frag.fragment(w.fragBuf[headroom:])
		if l == 0 {
			break
		}
		seq, ok := w.reserve(sa, 1)
		if !ok {
			break
		}
		if w.seal(sa, rt, tos, w.fragBuf[headroom:headroom+l], seq) {
			n++
			bytes += l
		}
	}
	sa.cells[w.shard].add(n, bytes, w.now)
}

// reserve takes n sequence numbers and tells the IKE daemon when they come to their end.
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
func (w *outLoop) seal(sa *outboundSA, rt *route, tos uint8, p []byte, seq uint64) bool {
	n := len(p) + sa.esp.Overhead(len(p))
	if n > rt.maxPayload() {
		w.drops.add(DropOutTooBig, 1)
		return false
	}
	dst, joins := w.tx.place(rt, tos, n)
	if dst == nil {
		w.sendBatch()
		dst, joins = w.tx.place(rt, tos, n)
	}
	next := uint8(protoIPv4)
	if w.header.v6 {
		next = protoIPv6
	}
	m, err := sa.esp.Seal(&w.scratch, dst, p, next, seq)
	if err != nil {
		if errors.Is(err, esp.ErrLifetime) || errors.Is(err, esp.ErrSequenceExhausted) {
			w.drops.add(DropOutExhausted, 1)
		} else {
			w.drops.add(DropOutSeal, 1)
		}
		return false
	}
	w.tx.commit(rt, tos, m, joins)
	return true
}

// sendBatch sends the batch.
func (w *outLoop) sendBatch() {
	if len(w.tx.msgs) > 0 {
		w.sender.send(w.tx)
		w.tx.reset()
	}
}

// sendError counts packets that could not be sent.
func (w *outLoop) sendError(m *txMessage, packets int, err error) {
	if err == errSendBuffer {
		w.drops.add(DropOutSendBuffer, packets)
		return
	}
	w.drops.add(DropOutSend, packets)
}

// tooBig tells the sender of packet b that only mtu octets fit.
func (w *outLoop) tooBig(b []byte, mtu int) {
	if w.header.v6 {
		// One "reporting a next-hop MTU that is less than the IPv6 minimum link MTU" is discarded: RFC 8201 section 4.
		mtu = max(mtu, ipv6MinMTU)
	}
	w.icmpError(b, tooBigError(w.header.v6, mtu))
}

// unreachable tells the sender of a packet that it was dropped for want of an SA. The packet is parsed again where it is
// one that has waited.
func (w *outLoop) unreachable(s *superPacket, why unreachableCode) {
	if b := s.bytes(); w.header.parse(b) {
		w.icmpError(b, unreachableError(w.header.v6, why))
	}
}

// icmpError gives the sender of packet b, whose header was parsed, an ICMP error where that is allowed.
func (w *outLoop) icmpError(b []byte, m icmpMessage) {
	h := &w.header
	if !mayAnswer(b, h) || !w.icmp.take(w.now, icmpBurst, icmpInterval) {
		return
	}
	s := &w.icmpOut[0]
	p := appendICMPError(s.buf[headroom:headroom], b, h, m)
	s.start, s.end, s.segments = headroom, headroom+len(p), 1
	// A device that refuses the answer or is being closed will say so to its reader too.
	_, _ = w.device.write(w.icmpOut[:])
}
