package dataplane

import (
	"errors"

	"esplanade/esp"
)

// The way of a packet in, in the order of the functions below:
//
//	receive     a batch of messages, each a run of datagrams          receiver
//	demux       keepalive, IKE behind its marker, ESP                 inLoop.datagram
//	look up     the SA by SPI                                         spiTable
//	open        replay check, ICV, decryption, in place               esp.Inbound.Open
//	unwrap      by the mode of the SA: the packet inside              inLoop.tunnelled
//	check       inner header, traffic selectors                       inLoop.inner
//	            and of an ICMP error what it encloses                 inLoop.errorFits
//	adjust      ECN (RFC 6040), MSS on SYN
//	merge       runs of a flow become super-packets, in place         coalescer
//	write       all super-packets of the batch                        deviceWriter
//
// All of it happens in the loop's own goroutine; nothing is handed on, nothing allocated, no lock taken. IKE messages
// are given to the handler, which copies them.

// natKeepalive is the one octet of a NAT-keepalive packet. https://www.rfc-editor.org/rfc/rfc3948#section-2.3
const natKeepalive = 0xff

// minDatagram is the shortest datagram with a meaning but a keepalive: a non-ESP marker or an SPI.
const minDatagram = 4

// inLoop carries packets from one socket to the device. Owned by one goroutine.
type inLoop struct {
	e     *Engine
	shard int // in the counters of inbound SAs
	drops *dropCounters
	merge *coalescer

	now     int64
	cache   flowCache[*inboundSA]
	header  innerHeader
	quote   innerHeader
	scratch esp.Scratch
	// The current run of packets of one SA: counters are written once for a run.
	sa             *inboundSA
	packets, bytes int
	onPath         bool // one of them came from where the path says
	wayward        wayward
	// moved is the SA for which PeerMoved was called in this batch.
	moved *inboundSA
}

func newInLoop(e *Engine, shard int, drops *dropCounters, d deviceWriter) *inLoop {
	w := &inLoop{e: e, shard: shard, drops: drops}
	w.merge = newCoalescer(&e.memory, d, e.device.merges(), e.config.TrustInnerChecksums, drops)
	return w
}

// run carries packets until the socket is closed.
func (w *inLoop) run(r receiver) error {
	for {
		batch, err := r.receive()
		if err != nil {
			return err
		}
		w.begin()
		for i := range batch {
			w.each(&batch[i])
		}
		if err := w.end(); err != nil {
			return err
		}
	}
}

// begin starts a batch.
func (w *inLoop) begin() {
	w.now = w.e.clock.now()
	w.cache.use(w.e.inboundGen.Load())
	w.moved = nil
}

// end finishes a batch.
func (w *inLoop) end() error {
	w.count()
	w.sa = nil // it may be removed before the next batch
	return w.merge.flush()
}

// each handles the datagrams of a message one by one.
func (w *inLoop) each(d *datagrams) {
	for at := d.start; ; {
		end := d.end
		if d.seg > 0 && at+d.seg < end {
			end = at + d.seg
		}
		w.datagram(d, at, end)
		if at = end; at >= d.end {
			return
		}
	}
}

// datagram tells what a datagram is: RFC 3948 section 2.
func (w *inLoop) datagram(d *datagrams, start, end int) {
	p := d.buf[start:end:end]
	if len(p) < minDatagram {
		// "The receiver SHOULD ignore a received NAT-keepalive packet."
		// https://www.rfc-editor.org/rfc/rfc3948#section-2.3
		if len(p) != 1 || p[0] != natKeepalive || d.kind != SocketNATT {
			w.drops.add(DropInShort, 1)
		}
		return
	}
	switch {
	case d.kind == SocketIKE:
		w.e.handler.HandleIKE(d.local, d.remote, p)
	case d.kind == SocketNATT && be.Uint32(p) == 0:
		w.e.handler.HandleIKE(d.local, d.remote, p[nonESPMarker:])
	default:
		w.esp(d, start, p)
	}
}

// nonESPMarker is the number of zero octets before an IKE message on the NAT-T port.
// https://www.rfc-editor.org/rfc/rfc3948#section-2.2
const nonESPMarker = 4

// esp opens the ESP packet p, which begins at start in the message's buffer.
func (w *inLoop) esp(d *datagrams, start int, p []byte) {
	spi := be.Uint32(p)
	if w.sa == nil || w.sa.spi != spi {
		w.count()
		if w.sa = w.e.spis.lookup(spi); w.sa == nil {
			w.drops.add(DropInUnknownSPI, 1)
			w.unknownSPI(d, spi)
			return
		}
	}
	sa := w.sa
	payload, offset, next, seq, err := sa.esp.Open(&w.scratch, p)
	if err != nil {
		if errors.Is(err, esp.ErrDummy) {
			// "[A] receiver MUST be prepared to discard such packets": authentic, but not traffic that went missing.
			// https://www.rfc-editor.org/rfc/rfc4303#section-2.6
			w.authentic(sa, d, seq)
			return
		}
		w.drops.add(openReason(err), 1)
		return
	}
	w.authentic(sa, d, seq)
	switch sa.mode {
	case esp.Tunnel:
		w.tunnelled(sa, d, start+offset, payload, next)
	default:
		w.drops.add(DropInNextHeader, 1)
	}
}

// tunnelled passes on the payload of an ESP packet of tunnel mode, which begins at start in the message's buffer: a whole IP
// packet, with TFC padding perhaps.
func (w *inLoop) tunnelled(sa *inboundSA, d *datagrams, start int, payload []byte, next uint8) {
	if next != protoIPv4 && next != protoIPv6 {
		w.drops.add(DropInNextHeader, 1)
		return
	}
	p, err := esp.TrimInner(payload, next)
	if err != nil || len(p) == 0 {
		w.drops.add(DropInMalformed, 1)
		return
	}
	w.inner(sa, d, start, p, next)
}

// openReason is what the reason of a failed Open is called.
func openReason(err error) DropReason {
	switch {
	case errors.Is(err, esp.ErrReplay):
		return DropInReplay
	case errors.Is(err, esp.ErrICV):
		return DropInICV
	case errors.Is(err, esp.ErrShort):
		return DropInShort
	case errors.Is(err, esp.ErrPadding):
		return DropInPadding
	case errors.Is(err, esp.ErrForgeries), errors.Is(err, esp.ErrLifetime):
		return DropInLimit
	case errors.Is(err, esp.ErrSPI):
		return DropInUnknownSPI
	}
	return DropInMalformed
}

// authentic notes that the SA's peer has sent this message.
func (w *inLoop) authentic(sa *inboundSA, d *datagrams, seq uint64) {
	if sa.active.due() {
		w.e.handler.InboundActive(sa.child.id)
	}
	rt := sa.route.Load()
	if rt == nil || d.remote == rt.path.Remote || !rt.path.UDP && d.remote.Addr() == rt.path.Remote.Addr() {
		w.onPath = true
		return
	}
	if w.moved == sa || !rt.path.UDP {
		return
	}
	// Only the newest packet shows where the peer is now; an older one may be a copy that somebody held back.
	if seq == sa.esp.Highest() {
		w.moved = sa
		w.e.handler.PeerMoved(sa.child.id, d.remote)
	}
}

// inner passes on the inner packet b, which begins at start in the message's buffer.
func (w *inLoop) inner(sa *inboundSA, d *datagrams, start int, b []byte, next uint8) {
	h := &w.header
	if !h.parse(b) || h.v6 != (next == protoIPv6) {
		w.drops.add(DropInMalformed, 1)
		return
	}
	b = b[:h.length]
	// RFC 4301 section 5.2, step 4: the packet must match the SA's selectors.
	if isICMPError(b, h) {
		if !w.errorFits(sa, b) {
			w.drops.add(DropInICMPError, 1)
			return
		}
	} else if f := w.cache.at(&h.key); f.value != sa || f.key != h.key {
		if !sa.ts.Load().MatchIn(h.key.packet()) {
			w.drops.add(DropInSelectors, 1)
			return
		}
		f.key, f.value = h.key, sa
	}
	if (h.tos^d.tos)&ecnMask != 0 {
		ecn, ok := decapECN(h.tos, d.tos)
		if !ok {
			w.drops.add(DropInECN, 1)
			return
		}
		if ecn != h.tos&ecnMask {
			setECN(b, h.v6, ecn)
			h.tos = h.tos&^ecnMask | ecn
		}
	}
	if h.protocol == protoTCP {
		if list := w.e.watches.Load(); list != nil {
			for _, x := range *list {
				x.acknowledged(b, h)
			}
		}
		if mss := w.e.mssInbound(sa.child, h.v6); mss > 0 {
			clampMSS(b, h, mss, false)
		}
	}
	w.packets++
	w.bytes += h.length
	w.merge.add(d.buf, start, start+h.length, h)
}

// count writes the counters of the current run.
func (w *inLoop) count() {
	if w.packets > 0 {
		w.sa.cells[w.shard].add(w.packets, w.bytes, w.now)
		if w.onPath {
			w.sa.cells[w.shard].onPath.Store(w.now)
		}
		w.packets, w.bytes = 0, 0
	}
	w.onPath = false
}
