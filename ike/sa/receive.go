package sa

import (
	"crypto/sha256"
	"errors"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// Receive handles a datagram that arrived on path, without the non-ESP marker. The datagram must not be changed
// afterwards.
func (m *Machine) Receive(now time.Time, datagram []byte, path Path) {
	msg, err := wire.Parse(datagram)
	if err != nil {
		m.ignore(path, IgnoreMalformed, err.Error())
		return
	}
	h := msg.Header
	// The initiator flag is set in what the original initiator sends and in nothing else.
	// https://www.rfc-editor.org/rfc/rfc7296#section-3.1
	if fromInitiator := h.Flags&wire.FlagInitiator != 0; fromInitiator == m.initiator {
		m.ignore(path, IgnoreFlags, "")
		return
	}
	if LocalSPIOf(h) != m.localSPI && !(Opens(h.Exchange) && !m.initiator) {
		m.ignore(path, IgnoreSPI, "")
		return
	}
	if h.Flags&wire.FlagResponse != 0 {
		m.receiveResponse(now, msg, datagram, path)
	} else {
		m.receiveRequest(now, msg, datagram, path)
	}
	m.pump(now)
}

// Matches reports whether an IKE_SA_INIT request is the one this responder was made from. While the SA is half-open it is
// answered again; later it is ignored, and no new SA is made of it either: "a robust responder will do the IKE SA lookup
// using the whole packet, its hash, or the Ni payload". https://www.rfc-editor.org/rfc/rfc7296#section-2.1
func (m *Machine) Matches(initRequest []byte) bool {
	if m.initiator || m.init.digest == [sha256.Size]byte{} {
		return false
	}
	return sha256.Sum256(initRequest) == m.init.digest
}

// open decrypts what an SK payload, or the last missing SKF payload, carries. ok is false when there is nothing to
// handle now; the reason has been emitted.
func (m *Machine) open(now time.Time, msg *wire.Message, datagram []byte, path Path) (first wire.PayloadType, plain []byte, ok bool) {
	e := msg.Encrypted
	if e == nil {
		m.ignore(path, IgnoreUnprotected, msg.Header.Exchange.String())
		return 0, nil, false
	}
	if m.opener == nil {
		// Nothing can be authenticated before IKE_SA_INIT is done, and nothing is answered in the clear
		// (CVE-2019-12312 is what happens otherwise).
		m.ignore(path, IgnoreState, "protected message before there are keys")
		return 0, nil, false
	}
	plain, err := m.opener.Open(datagram, e.AADLen)
	if err != nil {
		m.ignore(path, IgnoreICV, "")
		return 0, nil, false
	}
	first, ok = e.First, true
	if e.Fragment {
		first, plain, ok = m.frag.add(m, now, msg, datagram, plain, path)
	}
	if ok {
		m.countPeer(msg, datagram, first, plain)
	}
	return first, plain, ok
}

// receiveRequest handles a request of the peer.
func (m *Machine) receiveRequest(now time.Time, msg *wire.Message, datagram []byte, path Path) {
	h := msg.Header
	if Opens(h.Exchange) {
		switch {
		case m.window.parked.waits() && m.Matches(datagram):
			m.ignore(path, IgnorePending, h.Exchange.String())
		case m.state == StateConnecting && m.window.nextRecv == 1 && m.Matches(datagram):
			if m.window.paces.allow(now, path == m.path) {
				m.resend(path)
			} else {
				m.ignore(path, IgnoreRepeated, h.Exchange.String())
			}
		default:
			m.ignore(path, IgnoreState, h.Exchange.String()+" for an existing SA")
		}
		return
	}
	if msg.Encrypted == nil {
		m.unprotected(now, msg, path)
		return
	}
	if m.receiveSync(now, msg, datagram, path) {
		return
	}
	if m.window.repeated(h) {
		if reason, detail := m.window.asksAgain(now, msg, datagram, path == m.path); reason != "" {
			m.ignore(path, reason, detail)
			return
		}
		m.shrinkResponse()
		m.resend(path)
		return
	}
	if m.window.parked.waits() {
		// A copy of the request that waits, or one outside of the window.
		reason := IgnoreMessageID
		if h.MessageID == m.window.unanswered() {
			reason = IgnorePending
		}
		m.ignore(path, reason, h.Exchange.String())
		return
	}
	if h.MessageID != m.window.nextRecv || m.state == StateClosed {
		m.ignore(path, IgnoreMessageID, "")
		return
	}
	if !m.allows(h.Exchange) {
		m.ignore(path, IgnoreState, h.Exchange.String()+" while "+m.state.String())
		return
	}
	first, plain, ok := m.open(now, msg, datagram, path)
	if !ok {
		return
	}
	if h.Exchange == wire.ExchangeIKEIntermediate && !m.affordsIntermediate(now, path) {
		return // as if it had been lost
	}
	m.heard(now, path)
	m.window.nextRecv++
	m.window.response = nil
	payloads, err := wire.ParsePayloads(first, plain, wire.HeaderLen)
	req := &request{now: now, header: h, payloads: payloads, path: path, size: len(datagram)}
	var critical *wire.CriticalError
	switch {
	case errors.As(err, &critical):
		// "[T]he message MUST be rejected and the response to the IKE request containing that payload MUST include a Notify
		// payload UNSUPPORTED_CRITICAL_PAYLOAD". https://www.rfc-editor.org/rfc/rfc7296#section-2.5
		m.respond(req, []wire.Payload{wire.NewUnsupportedCriticalPayload(critical.Payload)})
		if m.state == StateConnecting {
			m.close(now, "critical payload in "+h.Exchange.String(), diag.Malformed(m.where(h.Exchange).Answering(wire.NotifyUnsupportedCriticalPayload), err))
		}
	case err != nil:
		// INVALID_SYNTAX "is considered fatal in both peers, meaning that the IKE SA is deleted without needing an explicit
		// Delete payload":
		// https://www.rfc-editor.org/rfc/rfc7296#section-2.21.3
		f := diag.Malformed(m.where(h.Exchange).Answering(wire.NotifyInvalidSyntax), err)
		m.closing = &Closed{Reason: "malformed " + h.Exchange.String(), Failure: f}
		m.respond(req, []wire.Payload{&wire.Notify{NotifyType: wire.NotifyInvalidSyntax}})
	default:
		m.answer(req)
	}
}

// allows is the per-state filter of requests: whatever it refuses is neither answered nor looked at.
func (m *Machine) allows(x wire.ExchangeType) bool {
	if m.state == StateConnecting {
		// A half-open responder knows IKE_AUTH, and IKE_INTERMEDIATE when that was agreed on. An initiator that waits for the
		// answer to its IKE_AUTH is not spoken to either: the peer is not authenticated yet.
		return !m.initiator && (x == wire.ExchangeIKEAuth || m.allowsIntermediate(x) || x == wire.ExchangeInformational && m.provesOn())
	}
	return x == wire.ExchangeCreateChildSA || x == wire.ExchangeInformational || x == wire.ExchangeIKEFollowupKE
}

// request is an authenticated request of the peer on its way through a handler.
type request struct {
	now      time.Time
	header   wire.Header
	payloads []wire.Payload
	path     Path
	size     int
	asks     asks
}

func (m *Machine) dispatch(r *request) []wire.Payload {
	m.settleRival(r)
	switch r.header.Exchange {
	case wire.ExchangeIKEIntermediate:
		return m.handleIntermediate(r)
	case wire.ExchangeIKEAuth:
		return m.handleAuth(r)
	case wire.ExchangeCreateChildSA:
		return m.handleCreateChildSA(r)
	case wire.ExchangeIKEFollowupKE:
		return m.handleFollowup(r)
	case wire.ExchangeInformational:
		if m.state == StateConnecting {
			return m.handleRejection(r)
		}
		return m.handleInformational(r)
	}
	panic("BUG: exchange passed the state filter without a handler")
}

// respond sends and keeps the answer to a request, then does what the handler left for afterwards.
func (m *Machine) respond(r *request, payloads []wire.Payload) {
	h := wire.Header{
		SPIi: m.spii(), SPIr: m.spir(), Major: 2, Exchange: r.header.Exchange,
		Flags: m.flags() | wire.FlagResponse, MessageID: r.header.MessageID,
	}
	m.window.opened, m.window.repeats = m.opener, 0
	m.window.response, m.window.whole = m.sealWhole(h, payloads)
	// The request may have come by another way than the one our own requests take. Its answer goes back to where it
	// came from: an endpoint "MUST respond to the address and port from which the request was received".
	// https://www.rfc-editor.org/rfc/rfc7296#section-2.11
	m.resend(r.path)
	m.switchKeys()
	size := 0
	for _, d := range m.window.response {
		size += len(d)
	}
	m.emit(ExchangeDone{
		Exchange: h.Exchange, MessageID: h.MessageID, Path: r.path,
		Request: wire.Summary(r.header, r.payloads), Response: wire.Summary(h, payloads),
		RequestLen: r.size, ResponseLen: size, Bare: bare(r.payloads),
	})
	m.alive.lastSent = r.now
	if c := m.closing; c != nil {
		m.closing = nil
		m.close(r.now, c.Reason, c.Failure)
	}
}

// resend repeats the cached response, octet by octet the same (RFC 7296 section 2.1).
func (m *Machine) resend(path Path) {
	for _, d := range m.window.response {
		m.emit(Send{Path: path, Datagram: d})
	}
}

func (m *Machine) flags() wire.Flags {
	if m.initiator {
		return wire.FlagInitiator
	}
	return 0
}

// receiveResponse handles an answer to the request in flight.
func (m *Machine) receiveResponse(now time.Time, msg *wire.Message, datagram []byte, path Path) {
	h := msg.Header
	p := m.pending
	if msg.Encrypted == nil && m.crashed(now, msg, path) {
		return // in answer to ESP there is no request that it would belong to
	}
	if p == nil || h.MessageID != p.id || h.Exchange != p.task.exchange() {
		m.ignore(path, IgnoreLate, h.Exchange.String())
		return
	}
	if t, ok := p.task.(openingTask); ok {
		m.takeOpening(now, p, t, msg, datagram, path)
		return
	}
	if msg.Encrypted == nil {
		m.unprotected(now, msg, path)
		return
	}
	if p.parked.waits() {
		m.ignore(path, IgnoreLate, h.Exchange.String()) // there is one
		return
	}
	first, plain, ok := m.open(now, msg, datagram, path)
	if !ok {
		return
	}
	payloads, err := wire.ParsePayloads(first, plain, wire.HeaderLen)
	var critical *wire.CriticalError
	if errors.As(err, &critical) {
		// "Payloads sent in IKE response messages MUST NOT have the critical flag set", and a response cannot be answered: it
		// is dropped, and the request times out. https://www.rfc-editor.org/rfc/rfc7296#section-2.5
		m.ignore(path, IgnoreCritical, err.Error())
		return
	}
	m.pending = nil
	m.heard(now, path)
	m.answeredOn(now, p, path)
	if err != nil {
		f := diag.Malformed(m.where(h.Exchange), err)
		p.task.abandoned(m, now)
		m.close(now, "malformed "+h.Exchange.String()+" response", f)
		return
	}
	m.emit(ExchangeDone{
		Exchange: h.Exchange, MessageID: h.MessageID, Initiated: true, Path: path,
		Request: p.summary, Response: wire.Summary(h, payloads),
		RequestLen: p.size(), ResponseLen: len(datagram), Bare: p.bare, Took: now.Sub(p.firstSent), Retransmits: p.tries,
	})
	if n := notify(payloads, wire.NotifyInvalidSyntax); n != nil && m.state != StateConnecting {
		// The error "is considered fatal in both peers": the peer has no such IKE SA any more.
		// https://www.rfc-editor.org/rfc/rfc7296#section-2.21.3
		p.task.abandoned(m, now)
		m.close(now, "the peer answered INVALID_SYNTAX", diag.Refused(m.where(h.Exchange), n.NotifyType, diag.Offer{}))
		return
	}
	m.conclude(p, &response{now: now, header: h, payloads: payloads, path: path})
}

// response is an authenticated answer on its way to the task that asked.
type response struct {
	now      time.Time
	header   wire.Header
	payloads []wire.Payload
	path     Path
	// secrets are those of the IKE_FOLLOWUP_KE exchanges behind a CREATE_CHILD_SA exchange.
	secrets [][]byte
}

// heard notes that an authenticated message, not a replay, came by path.
func (m *Machine) heard(now time.Time, path Path) {
	m.alive.lastHeard = now
	if !m.frag.mixed {
		m.noteSource(path)
		m.follow(now, path)
	}
	m.frag.mixed = false
}
