package dataplane

import (
	"esplanade/esp"
	"esplanade/ike/selector"
)

// The way of a packet out, in the order of the functions here and, from "complete" on, in encapsulate.go:
//
//	read        a batch of super-packets from a device queue          deviceReader
//	parse       headers, once for a super-packet                      innerHeader
//	select      the rule: flow cache, then policy table               outLoop.rule
//	wait        no SA yet: a copy waits, the IKE daemon is told       outLoop.wait
//	complete    MSS on SYN, the checksum of a plain packet            outLoop.complete
//	fit         whole, in fragments, or an ICMP error                 fit
//	reserve     a block of sequence numbers for all segments          esp.Outbound.Reserve
//	segment     headers stamped in place                              segmenter
//	seal        to the final place in the message                     txBatch, esp.Outbound.Seal
//	send        all messages of the batch at once                     sender
//
// All of it happens in the loop's own goroutine; nothing is handed on, nothing allocated, no lock taken. Only a packet
// that waits for a tunnel is copied to the heap, under its trap's lock.

// outLoop carries packets from one device queue to the wire. Owned by one goroutine; the courier has one of its own for
// packets that have waited.
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
	stray   stray
	// asking: the packet that is being sent asks for an answer.
	asking bool
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
	s.end, s.segments = s.start+h.length, 1
	if s.offloaded() {
		if !w.segs.begin(s, h) {
			w.drops.add(DropOutMalformed, 1)
			return
		}
		s.segments = w.segs.count()
	}
	r := w.rule(&h.key)
	if r == nil {
		r = w.mapError(s.bytes())
	}
	switch {
	case r == nil:
		w.unselected(s)
	case r.sa != nil:
		w.encapsulate(r.sa, s)
	case waited:
		w.drops.add(DropOutWaitNarrow, s.segments)
		w.unreachable(s, unreachableProhibited)
	case r.policy.spd.Without == selector.Refuse:
		w.refuse(r, s)
	default:
		w.wait(r, s)
	}
}

// unselected drops a packet that no policy selects. What the system says on every link of its own accord is nobody's mistake, and must
// not hide what is.
func (w *outLoop) unselected(s *superPacket) {
	if k := &w.header.key; k.ofLink() {
		w.drops.add(DropOutMulticast, s.segments)
	} else {
		w.drops.add(DropOutNoPolicy, s.segments)
		w.stray.note(w.now, k)
	}
}

// refuse drops a packet for which there is no SA, and none is to be made.
func (w *outLoop) refuse(r *rule, s *superPacket) {
	if r.policy.up() {
		w.drops.add(DropOutWaitNarrow, s.segments)
	} else {
		w.drops.add(DropOutDown, s.segments)
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
func (w *outLoop) wait(r *rule, s *superPacket) {
	// The table may change while this goes on, each time with an SA that may serve the packet.
	for range 3 {
		switch t := r.policy.trap; t.add(s, w.table.gen) {
		case waitQueued:
			w.acquire(t)
			return
		case waitFull:
			w.drops.add(DropOutWaitFull, s.segments)
			w.acquire(t)
			return
		case waitRetry:
		}
		w.refresh()
		switch r = w.rule(&w.header.key); {
		case r == nil:
			w.unselected(s)
			return
		case r.sa != nil:
			w.encapsulate(r.sa, s)
			return
		case r.policy.spd.Without == selector.Refuse:
			w.refuse(r, s)
			return
		}
	}
	w.drops.add(DropOutWaitFull, s.segments)
}

func (w *outLoop) acquire(t *trap) {
	if t.mayAcquire(w.now) {
		w.e.handler.Acquire(t.policy, w.header.key.packet())
	}
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
