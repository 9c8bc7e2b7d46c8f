package sa

import (
	"math"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// window holds the message ids of both directions, RFC 7296 section 2.2. The window size is one: a request may be
// outstanding in each direction.
type window struct {
	// nextSend is the id of our next request. It is "zero for the IKE_SA_INIT messages (including retries of the message
	// due to responses such as COOKIE and INVALID_KE_PAYLOAD), and incremented for each subsequent exchange"; the original
	// responder counts from zero as well. https://www.rfc-editor.org/rfc/rfc7296#section-2.2
	nextSend uint32
	// nextRecv is the id that the peer's next request must have.
	nextRecv uint32
	// response is the answer to request nextRecv-1: one datagram, or its fragments in order.
	response [][]byte
	// opened is what that request was protected with: IKE_INTERMEDIATE changes the keys behind its answer.
	opened suite.Protection
	// whole is the answer before it was protected, and repeats how often it was asked for again.
	whole   *whole
	repeats int
	// paces bound how often.
	paces paces
	// parked is request nextRecv-1 while its answer waits for something, nil for none.
	parked *asks
}

// Message ids do not wrap: "In the unlikely event that Message IDs grow too large to fit in 32 bits, the IKE SA MUST be
// closed or rekeyed." https://www.rfc-editor.org/rfc/rfc7296#section-2.2
const (
	// maxMessageID is the last id that is used.
	maxMessageID = math.MaxUint32 - 1
	// rekeyMessageID is the id from which on the IKE SA is to be rekeyed.
	rekeyMessageID = maxMessageID - 1<<16
)

// checkIDs rekeys the IKE SA in good time before either side has used up its message ids, and closes it when nothing
// came of that.
func (m *Machine) checkIDs(now time.Time) {
	switch id := max(m.window.nextSend, m.window.nextRecv); {
	case id > maxMessageID:
		m.close(now, "message ids are used up", diag.Expired(m.where(wire.ExchangeInformational), "all message ids are used"))
	case id >= rekeyMessageID && m.state == StateEstablished && (m.life.rekeyAt.IsZero() || m.life.rekeyAt.After(now.Add(rekeyRetry))):
		if _, ok := queued(m, func(*rekeyIKETask) bool { return true }); !ok {
			m.life.rekeyAt = now
		}
	}
}

// unanswered is the id of the peer's request that is answered next: one that waits, or the one that will come.
func (w *window) unanswered() uint32 {
	if w.parked.waits() {
		return w.nextRecv - 1
	}
	return w.nextRecv
}

// answers reports whether the cached response is one to an exchange of this type. Another type with the same id is not a
// retransmission.
func (w *window) answers(x wire.ExchangeType) bool {
	if len(w.response) == 0 {
		return false
	}
	h, err := wire.ParseHeader(w.response[0])
	return err == nil && h.Exchange == x
}

// outstanding is a request of ours that has not been answered.
type outstanding struct {
	task      task
	id        uint32
	payloads  []wire.Payload // for another message with the same content
	datagrams [][]byte
	whole     *whole
	path      Path
	summary   string
	bare      bool // a liveness check
	firstSent time.Time
	next      time.Time // of the next retransmission, or of giving up
	tries     int       // retransmissions so far, on the path in use
	again     int       // the same, on all paths
	deadAt    time.Time // when the ordinary time for an answer is over, whatever path is tried next
	// refragmented is how many of them there were when the request was cut into smaller fragments.
	refragmented int
	// doubted: somebody has refused it in a message that nothing protects.
	doubted bool
	// unreachable counts ICMP errors for this request.
	unreachable int
	unreachErr  error
	// unreached is the failure that was reported when there were enough of them.
	unreached *diag.Failure
	// denied: something at the peer's address has said that there is no such IKE SA.
	denied bool
	// probed are the other paths that it was sent on, with MOBIKE.
	probed []Path
	// parked is the answer while what is to be done with it waits for something, nil for none.
	parked *asks
	// outdated: the peer has other ids since a synchronisation, and would not answer this one again.
	outdated bool
	// stuck is why this side could do nothing with an answer.
	stuck *diag.Failure
	// silence is set from the second repetition on.
	silence *Silence
	// listenAt is when a sign of life of the silent peer is looked for next; see recall.
	listenAt time.Time
	// further is one more than again was when the last further copy was sent; see sendFurther.
	further int
}

func (p *outstanding) size() int {
	n := 0
	for _, d := range p.datagrams {
		n += len(d)
	}
	return n
}

// interval is the time to wait after retransmission number n (0: the request itself).
func (r Retransmit) interval(n int, jitter float64) time.Duration {
	d := float64(r.Timeout)
	for range n {
		d *= r.Base
	}
	if r.Limit > 0 && d > float64(r.Limit) {
		d = float64(r.Limit)
	}
	return time.Duration(d * (1 - r.Jitter*jitter))
}

// launch sends a request. Exchanges other than IKE_SA_INIT are protected.
func (m *Machine) launch(now time.Time, t task, payloads []wire.Payload) {
	h := wire.Header{
		SPIi: m.spii(), SPIr: m.spir(), Major: 2, Exchange: t.exchange(), Flags: m.flags(), MessageID: m.window.nextSend,
	}
	p := &outstanding{task: t, id: h.MessageID, path: m.path, firstSent: now, summary: wire.Summary(h, payloads),
		bare: bare(payloads), payloads: payloads}
	if to := t.traits().to; to.IsValid() {
		p.path.Remote = to
	}
	if Opens(h.Exchange) {
		h.SPIr = 0
		msg := wire.Message{Header: h, Payloads: payloads}
		m.init.ownMessage = msg.Append(nil)
		p.datagrams = [][]byte{m.init.ownMessage}
	} else {
		m.window.nextSend++
		p.datagrams, p.whole = m.sealWhole(h, payloads)
	}
	p.next = now.Add(m.cfg.Retransmit.interval(0, m.env.Jitter()))
	p.deadAt = now.Add(m.cfg.Retransmit.total())
	m.pending, m.gone = p, nil
	m.transmit(now, p)
}

// remake has a task make another request in place of a repetition of the one in flight.
func (m *Machine) remake(now time.Time, p *outstanding) {
	m.pending = nil
	payloads, ok := p.task.build(m, now)
	if !ok {
		return
	}
	m.launch(now, p.task, payloads)
	q := m.pending
	q.tries, q.again, q.doubted, q.firstSent = p.tries+1, p.again+1, p.doubted, p.firstSent
	q.next = now.Add(m.pause(q))
	m.noteSilence(now, q)
}

func (m *Machine) transmit(now time.Time, p *outstanding) {
	for _, d := range p.datagrams {
		m.emit(Send{Path: p.path, Datagram: d})
	}
	m.alive.lastSent = now
}

// unreachableVerdict is how many ICMP errors a request needs to be repeated no more than doubtTries times, while the peer is not
// authenticated. One is not enough: a peer that is just starting answers like that. And none ends anything at once: whoever
// sees the ports can forge them.
const unreachableVerdict = 2

// triesOf is how often a request is repeated at most.
func (m *Machine) triesOf(p *outstanding) int {
	tries := m.cfg.Retransmit.Tries
	if n := p.task.traits().tries; n > 0 {
		return min(tries, n)
	}
	if m.state == StateConnecting && (p.doubted || p.unreachable >= unreachableVerdict) {
		return min(tries, doubtTries)
	}
	return tries
}

// advanceRetransmit repeats the request in flight or gives up.
func (m *Machine) advanceRetransmit(now time.Time) {
	p := m.pending
	if p == nil || p.parked.waits() || now.Before(p.next) {
		return
	}
	if t, ok := p.task.(openingTask); ok && m.settleOpening(now, p, t.ripe(m, now)) {
		return
	}
	if p.tries-p.refragmented >= m.triesOf(p) {
		if !m.patient(now, p) {
			m.giveUp(now, p)
			return
		}
		m.noteDead(now, p)
	}
	p.tries++
	p.again++
	m.shrinkRequest(now, p)
	p.next = now.Add(m.pause(p))
	// Follow a path that has changed since: a peer behind a NAT that rebinds is only reached on the new one.
	m.repeat(now, p)
	m.noteSilence(now, p)
	m.emit(Retransmitted{Exchange: p.task.exchange(), MessageID: p.id, Path: p.path, Try: p.tries, Silence: m.Silence()})
}

// Unreachable tells that an ICMP error came back for something sent on path. It never ends anything by itself.
func (m *Machine) Unreachable(now time.Time, path Path, err error) {
	if p := m.pending; p != nil && p.path.Remote == path.Remote {
		p.unreachable++
		p.unreachErr = err
		if m.state == StateConnecting && p.unreachable == unreachableVerdict {
			// Said at once, although the request goes on being repeated.
			p.unreached = diag.UnreachableAfter(m.where(p.task.exchange()), err, p.sent(now))
			m.emit(Failed{Failure: p.unreached, Early: true})
		}
	}
	// With MOBIKE, it is "a hint that there might be a problem, and the initiator SHOULD trigger Dead Peer Detection".
	// https://www.rfc-editor.org/rfc/rfc4555#section-3.5
	if m.mob.on && m.mob.initiator && m.state == StateEstablished && path.Remote == m.path.Remote {
		m.alive.suspect(now)
	}
}
