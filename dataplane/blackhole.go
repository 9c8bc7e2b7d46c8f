package dataplane

import (
	"net/netip"
	"time"
)

// A black hole is a path that drops packets which are too large for it and tells nobody: the ICMP messages are blocked. A
// gateway gets no acknowledgements for ESP, so it looks at what the TCP inside does: a large segment is sent again and
// again, each time after a longer pause, while nothing new is sent. Then the gateway searches for what gets through: see
// holeSearch. It is "black hole detection" of https://www.rfc-editor.org/rfc/rfc8899#section-4.3 with what a gateway can see.

const (
	// holeFlows is how many connections a loop follows, a power of two.
	holeFlows = 256
	// holeRepeats is how often a segment is sent again before a black hole is suspected, and holeSlow how often when the
	// pauses are long, as they are on a path of long delay: at least holePause between the last two.
	holeRepeats, holeSlow = 3, 2
	holePause             = time.Second
	// holeGap is the shortest time between two of those: timeouts of TCP are longer (RFC 6298), and what is sent again
	// at once on a path with loss is not counted.
	holeGap = 150 * time.Millisecond
	// holeStale is when a segment that was sent again is forgotten.
	holeStale = time.Minute
	// holeWindow is how many octets of new data show that older ones have arrived: more than TCP sends without an
	// acknowledgement at its beginning (RFC 6928).
	holeWindow = 64 << 10
	// holeTick is how exact times of progress are. Not each packet writes to memory that all loops share.
	holeTick = int64(20 * time.Millisecond)
)

// holeHold is how long a lowered MTU is kept at first: "This timer has a period of 600 seconds" for trying a larger one,
// https://www.rfc-editor.org/rfc/rfc8899#section-5.1.1 (PMTU_RAISE_TIMER). It doubles, up to holeHoldMost, each time the
// hole is found to be still there.
const (
	holeHold     = 10 * time.Minute
	holeHoldMost = 16 * holeHold
	// holeTrial is how long it is kept at first when the peer was silent while packets vanished: then the path may just have
	// been down for some seconds, and have come back during the search. It doubles as well.
	holeTrial = 30 * time.Second
	// maxHoles bounds the paths that are remembered. Only those of installed SAs get there.
	maxHoles = 4096
)

// holeStep is the MTU to try when packets of mtu octets vanish, 0 if there is none: what most tunnels and access lines
// leave of 1500 octets, the least that IPv6 allows, and the last resort.
func holeStep(mtu int, v6 bool) int {
	steps := []int{1400, ipv6MinMTU, MinPathMTU}
	if v6 {
		steps = steps[:2]
	}
	for _, s := range steps {
		if s < mtu {
			return s
		}
	}
	return 0
}

// holeFlow is what is remembered of one TCP connection.
type holeFlow struct {
	key   flowKey
	next  uint32 // sequence number behind the newest data
	begin uint32 // … behind which holeWindow of new data are progress
	head  uint32 // the oldest segment that was sent again
	mark  uint32 // next when that was
	seen  int    // how often head was sent again
	again int64  // when for the second time
	last  int64  // when last

	// later is another segment that was sent again since head was. TCP begins with the oldest that is not acknowledged. So once
	// later is sent again twice and head is not, head has arrived, and later is what hangs.
	later   uint32
	laterAt int64 // when it was sent again; 0: there is none
}

// holeDetector follows the connections of one loop: a direct-mapped table. Owned by the loop.
type holeDetector struct{ flows [holeFlows]holeFlow }

// segment is told of n octets of data at seq that are sent in a large packet. It gives the pause since the segment was last
// sent when a black hole is to be suspected, 0 otherwise.
func (d *holeDetector) segment(sa *outboundSA, k *flowKey, seq uint32, n int, now int64) time.Duration {
	f := &d.flows[k.hash()&(holeFlows-1)]
	end := seq + uint32(n)
	if f.key != *k {
		*f = holeFlow{key: *k, next: end, begin: end}
		return 0
	}
	if int32(end-f.next) > 0 {
		f.next = end
		from := f.begin
		if f.seen > 0 {
			from = f.mark
		}
		if int32(f.next-from) > holeWindow {
			f.seen, f.laterAt, f.begin = 0, 0, f.next-holeWindow
			sa.moved(now)
		}
		return 0
	}
	switch {
	case f.seen > 0 && seq == f.head:
		f.laterAt = 0
	case f.seen == 0 || int32(seq-f.head) < 0 || now-f.last > int64(holeStale):
		f.head, f.mark, f.seen, f.last, f.laterAt = seq, f.next, 1, now, 0
		return 0
	case f.laterAt != 0 && seq == f.later:
		f.head, f.mark, f.seen, f.last, f.laterAt = seq, f.next, 1, f.laterAt, 0
	default:
		if f.laterAt == 0 || int32(seq-f.later) < 0 || now-f.laterAt > int64(holePause) {
			f.later, f.laterAt = seq, now
		}
		return 0
	}
	return f.repeated(sa, now)
}

// repeated is told that head is sent again, not for the first time.
func (f *holeFlow) repeated(sa *outboundSA, now int64) time.Duration {
	gap := now - f.last
	if f.last = now; gap < int64(holeGap) {
		return 0
	}
	if f.seen++; f.seen == 2 {
		f.again = now
	}
	// What other connections had under way may have arrived after the first time, but not after the second.
	if f.seen < holeRepeats && (f.seen < holeSlow || gap < int64(holePause)) || sa.progress.Load() > f.again {
		return 0
	}
	f.seen = 0
	return time.Duration(gap)
}

// moved notes that large packets get through.
func (o *outboundSA) moved(now int64) {
	if now-o.progress.Load() > holeTick {
		o.progress.Store(now)
	}
}

// large follows a TCP packet, or a run of packets, that would not fit if the path took less.
func (w *outLoop) large(sa *outboundSA, b []byte) {
	h := &w.header
	if h.protocol != protoTCP || !h.first || h.l4+tcpMinHeader > h.length {
		return
	}
	payload := h.length - h.l4 - int(b[h.l4+12]>>4)*4
	if payload <= 0 {
		return
	}
	seq := be.Uint32(b[h.l4+4:])
	pause := w.hole.segment(sa, &h.key, seq, payload, w.now)
	if pause == 0 {
		return
	}
	rt := sa.route.Load()
	w.e.mtuNews.add(mtuEvent{remote: rt.path.Remote.Addr(), hole: &holeReport{
		mtu: int(rt.mtu.Load()), key: h.key, seq: seq, pause: pause, packet: append([]byte(nil), b[:h.l4+tcpMinHeader]...),
	}})
}

// pathHole is a path that is known to drop what is larger than mtu.
type pathHole struct {
	mtu   int
	was   int   // the MTU before
	since int64 // when it was found; 0: the search is still on
	hold  time.Duration
	until int64 // on the engine's clock
}

// fillHoles tries larger packets again where it is time, and forgets holes that were not found again.
func (e *Engine) fillHoles() {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.clock.now()
	e.forgetUntravelled()
	for a, h := range e.holes {
		switch {
		case e.searches[a] != nil:
		case h.until > now:
		case h.until+int64(max(h.hold, holeHold)) > now:
			e.updateMTULocked(mtuEvent{remote: a})
		default:
			delete(e.holes, a)
		}
	}
}

// belowHole is the MTU that is believed of the path to a when the system says mtu.
func (e *Engine) belowHole(a netip.Addr, mtu int) int {
	if h, ok := e.holes[a]; ok && h.until > e.clock.now() {
		return min(mtu, h.mtu)
	}
	return mtu
}
