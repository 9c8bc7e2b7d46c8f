package sa

import (
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/proposal"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// InitiateChild asks for a CHILD SA: at once on an established IKE SA, otherwise after IKE_AUTH. trigger is the packet
// that wants it, or nil. [ChildUp] or [Failed] follows, or [Closed]. A child that is being created is not doubled, nor is one that exists,
// unless it is about to be deleted.
func (m *Machine) InitiateChild(now time.Time, c *ChildConfig, trigger *selector.Packet) {
	if old := m.rivalOf; old != nil {
		// This one may turn out to be redundant. What waits there goes to whichever IKE SA is left.
		old.InitiateChild(now, c, trigger)
		m.emit(Touched{Machine: old})
		return
	}
	same := func(t *createChildTask) bool { return t.cfg == c && t.part == nil && trigger == nil }
	if _, ok := queued(m, same); ok {
		return
	}
	if !m.enqueue(&createChildTask{cfg: c, trigger: trigger}) && m.state != StateDeleting && m.state != StateClosed {
		m.emit(Failed{Failure: diag.NoTime(m.where(wire.ExchangeCreateChildSA).Of(c.Name, c.Line), errQueueFull), Child: c})
	}
	m.pump(now)
}

// Asks reports whether a CREATE_CHILD_SA request for a child, other than to rekey one, has not come to anything yet.
func (m *Machine) Asks(c *ChildConfig) bool {
	_, ok := queued(m, func(t *createChildTask) bool { return t.cfg == c })
	return ok
}

func (m *Machine) dequeue(t task) {
	if i := slices.IndexFunc(m.queue, func(q task) bool { return q == t }); i >= 0 {
		m.queue = slices.Delete(m.queue, i, i+1)
	}
}

// createChildTask makes a CHILD SA in addition to those that exist, RFC 7296 section 1.3.1.
type createChildTask struct {
	cfg     *ChildConfig
	trigger *selector.Packet
	// part is what of the child is asked for, in addition to what is up; nil for all of it.
	part    *selector.Pair
	offer   *childOffer
	demands demands
	retries int
	// rival is what a request of the peer's, answered while ours was in flight, has created for the same child.
	rival  *Child
	series series
}

func (t *createChildTask) name() string                { return "create child " + t.cfg.Name }
func (t *createChildTask) exchange() wire.ExchangeType { return t.series.exchange() }

func (t *createChildTask) abandoned(m *Machine, now time.Time) {
	if t.offer != nil {
		t.offer.release(m)
	}
}

func (t *createChildTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	if t.series.active() {
		if _, ending := m.ending(); ending {
			t.abandoned(m, now)
			return nil, false
		}
		return t.series.payloads(), true
	}
	if m.served(t) {
		t.abandoned(m, now) // the peer has brought it up meanwhile, which was reported then
		return nil, false
	}
	if m.peerRekeysIKE() || t.trigger == nil && m.peerCreates(t.cfg) {
		t.abandoned(m, now)
		t.offer = nil
		m.putOff(now, t)
		return nil, false
	}
	var f *diag.Failure
	if t.part != nil && t.offer == nil {
		if err := m.offerPart(t); err != nil {
			f = diag.InstallFailed(m.where(t.exchange()).Of(t.cfg.Name, t.cfg.Line), "a CHILD SA", err)
		}
	}
	var payloads []wire.Payload
	if f == nil {
		payloads, t.offer, f = m.buildOffer(now, t.offer, t.cfg, t.trigger, nil, &t.demands)
	}
	if m.waiting() {
		return nil, false
	}
	if f != nil {
		m.emit(Failed{Failure: f, Child: t.cfg, Part: t.part})
		m.pruneChildless(now)
		return nil, false
	}
	return payloads, true
}

// buildOffer makes the payloads of a CREATE_CHILD_SA request for a child. While it waits for a private value, the offer is kept.
func (m *Machine) buildOffer(now time.Time, o *childOffer, c *ChildConfig, trigger *selector.Packet, old *Child, d *demands) ([]wire.Payload, *childOffer, *diag.Failure) {
	x := wire.ExchangeCreateChildSA
	if o == nil {
		var err error
		if o, err = m.newOffer(c, trigger, old, false); err != nil {
			return nil, nil, diag.InstallFailed(m.where(x).Of(c.Name, c.Line), "a CHILD SA", err)
		}
	}
	switch err := o.prepareKE(m, now, old, d); {
	case err == errWaits:
		return nil, o, nil
	case err != nil:
		o.release(m)
		return nil, nil, keFailure(m.where(x).Of(c.Name, c.ProposalsLine), err)
	}
	return o.payloads(), o, nil
}

func (t *createChildTask) done(m *Machine, r *response) {
	if t.series.active() {
		if r = t.series.followed(m, t, r); r != nil {
			t.finish(m, r)
		}
		return
	}
	if again := m.retryGroup(r, t.offer, &t.demands); again || m.waiting() {
		if again {
			m.requeue(t)
		}
		return
	}
	if n := notify(r.payloads, wire.NotifyTemporaryFailure); n != nil && t.retries < maxTemporaryFailures {
		// "[I]t MUST NOT immediately retry the operation; it MUST wait so that the sender may complete whatever operation
		// caused the temporary condition." https://www.rfc-editor.org/rfc/rfc7296#section-2.25
		t.retries++
		t.offer.release(m)
		t.offer = nil
		m.putOff(r.now, t)
		return
	}
	switch more, f := t.series.begin(m, r, t.offer.proposals); {
	case m.waiting():
	case f != nil:
		t.seriesFailed(m, r, f)
	case more:
		m.requeue(t)
	default:
		t.finish(m, r)
	}
}

// finish takes the answer, all key exchanges being made.
func (t *createChildTask) finish(m *Machine, r *response) {
	switch {
	case t.rival != nil:
		m.finishTwin(r, t.offer, t.rival)
	case t.part != nil:
		m.finishPart(r, t.offer)
	default:
		m.finishOffer(r, t.offer)
	}
	if !m.waiting() {
		t.offer = nil
		m.pruneChildless(r.now)
	}
}

// retryGroup turns an offer to the group that the answer asks for. It reports whether the request is to be made again; while it waits,
// it is not.
func (m *Machine) retryGroup(r *response, o *childOffer, d *demands) bool {
	if o.ke == nil {
		return false
	}
	group, ok := demandedGroup(r.payloads, o.proposals, o.ke.Group(), d.refused)
	if !ok {
		return false
	}
	ke, err := m.generate(r.now, group)
	if err == errWaits {
		return false
	}
	d.note(o.ke.Group(), group)
	if err != nil {
		return false
	}
	o.ke = ke
	return true
}

// handleCreateChildSA tells the three uses of the exchange apart: a new CHILD SA, the rekeying of one, the rekeying of
// the IKE SA (RFC 7296 section 1.3).
func (m *Machine) handleCreateChildSA(r *request) []wire.Payload {
	sa, ok := find[*wire.SA](r.payloads)
	nonce, okNonce := find[*wire.Nonce](r.payloads)
	if !ok || !okNonce || len(sa.Proposals) == 0 {
		return m.refuseSyntax(r, "a CREATE_CHILD_SA request without SA or nonce")
	}
	if err := checkNonce(m.prf, nonce.Data); err != nil {
		return m.refuseSyntax(r, err.Error())
	}
	if _, ending := m.ending(); ending || m.state == StateDeleting || m.state == StateRekeyed {
		// "If a peer receives a request to rekey an IKE SA that it is currently trying to close, it SHOULD reply with
		// TEMPORARY_FAILURE." https://www.rfc-editor.org/rfc/rfc7296#section-2.25.2 The same is right for its children.
		return failing(wire.NotifyTemporaryFailure)
	}
	if sa.Proposals[0].Protocol == wire.ProtocolIKE {
		return m.handleRekeyIKE(r, sa, nonce)
	}
	if _, rekeying := doing[*rekeyIKETask](m); rekeying {
		return failing(wire.NotifyTemporaryFailure)
	}
	if n := notify(r.payloads, wire.NotifyRekeySA); n != nil {
		return m.handleRekeyChild(r, n)
	}
	if m.noChildren {
		return failing(wire.NotifyNoAdditionalSAs)
	}
	answer, created := m.answerChild(r, nil, false)
	if created {
		m.noteTwin(r.now, r.header.MessageID, r.now, m.children[len(m.children)-1])
	}
	return answer
}

// refuseSyntax answers a message that parses and makes no sense. It ends the IKE SA, as any INVALID_SYNTAX does.
func (m *Machine) refuseSyntax(r *request, what string) []wire.Payload {
	m.closing = &Closed{Reason: "invalid " + r.header.Exchange.String(), Failure: diag.Unexpected(
		m.where(r.header.Exchange).Answering(wire.NotifyInvalidSyntax), "", what)}
	return failing(wire.NotifyInvalidSyntax)
}

// answerChild is the responder's side of creating a CHILD SA: within IKE_AUTH, on its own, or to replace old. It
// returns the payloads of the answer and whether a child was created.
func (m *Machine) answerChild(r *request, old *Child, inAuth bool) ([]wire.Payload, bool) {
	x := r.header.Exchange
	sa, ok := find[*wire.SA](r.payloads)
	tsi, tsr := findTS(r.payloads, false), findTS(r.payloads, true)
	if !ok || tsi == nil || tsr == nil {
		return m.refuseSyntax(r, "a CREATE_CHILD_SA request without SA, TSi or TSr"), false
	}
	// USE_TRANSPORT_MODE is declined by not echoing it: the child is in tunnel mode, and the initiator decides whether
	// it wants that. https://www.rfc-editor.org/rfc/rfc7296#section-1.3.1
	var nonce []byte
	if n, ok := find[*wire.Nonce](r.payloads); ok {
		nonce = n.Data
	}
	ke, _ := find[*wire.KE](r.payloads)

	theirs := selector.Pair{Local: fromWireTS(tsr), Remote: fromWireTS(tsi)}
	best, more, f, n := m.selectChild(x, sa, ke, theirs, old, inAuth)
	cfg, chosen, ts := best.cfg, best.chosen, best.ts
	if f != nil {
		m.emit(Failed{Failure: f, Child: cfg})
		return failing(n), false
	}
	if old == nil {
		if f := m.childShut(x, cfg); f != nil {
			m.emit(Failed{Failure: f, Child: cfg})
			return failing(wire.NotifyNoAdditionalSAs), false
		}
	}
	if f := m.taken(x, cfg, ts); f != nil {
		m.emit(Failed{Failure: f, Child: cfg})
		return failing(wire.NotifyTSUnacceptable), false
	}
	if !inAuth && chosen.KE != wire.KE_NONE && (ke == nil || ke.Group != chosen.KE) {
		return []wire.Payload{wire.NewInvalidKEPayload(chosen.KE)}, false
	}
	peerSPI, ok := parseChildSPI(chosen.SPI)
	if !ok && inAuth {
		// INVALID_SYNTAX would be the end of an IKE SA that is good for another child.
		w := m.where(x).Of(cfg.Name, cfg.Line).Answering(wire.NotifyNoProposalChosen)
		m.emit(Failed{Failure: diag.Unexpected(w, "an SPI of four octets, above 255", "an invalid "+chosen.Protocol.String()+" SPI")})
		return failing(wire.NotifyNoProposalChosen), false
	}
	if !ok {
		return m.refuseSyntax(r, "an invalid "+chosen.Protocol.String()+" SPI"), false
	}
	if limit := m.childLimit(old != nil, ts, best.ours); limit != "" {
		m.emit(Failed{Failure: diag.LimitReached(m.where(x).Of(cfg.Name, cfg.Line).Answering(wire.NotifyNoAdditionalSAs), limit, "one more")})
		return failing(wire.NotifyNoAdditionalSAs), false
	}
	c, answer, f := m.createAnswered(r, cfg, chosen, ts, peerSPI, nonce, ke, old, inAuth)
	if m.waiting() {
		return nil, false
	}
	if f != nil && f.Code == diag.CodeKEValue {
		return m.refuseSyntax(r, f.Cause.Error()), false
	}
	if f != nil {
		m.emit(Failed{Failure: f, Child: cfg})
		if f.Code == diag.CodeBusy {
			return failing(wire.NotifyTemporaryFailure), false
		}
		return failing(wire.NotifyNoAdditionalSAs), false
	}
	if more {
		answer = append(answer, &wire.Notify{NotifyType: wire.NotifyAdditionalTSPossible})
	}
	if c == nil {
		return answer, false // it comes with the last of the additional key exchanges
	}
	m.installInbound(c)
	if old != nil {
		// The peer cannot receive on the new SA before it has our answer, so that the old one goes on sending until
		// the peer is seen to use the new one or deletes the old one.
		c.outboundPending = true
	} else {
		m.switchOutbound(c)
		m.emit(ChildUp{Child: c})
	}
	return answer, true
}

// createAnswered keys a child for an accepted request and draws up the answer. With additional key exchanges to come
// there is no child yet.
func (m *Machine) createAnswered(r *request, cfg *ChildConfig, chosen proposal.Chosen, ts selector.Pair, peerSPI uint32, nonce []byte, ke *wire.KE, old *Child, inAuth bool) (*Child, []wire.Payload, *diag.Failure) {
	w := m.where(r.header.Exchange).Of(cfg.Name, cfg.Line).Answering(wire.NotifyNoAdditionalSAs)
	var step Exchanged
	var err error
	exchanges := !inAuth && chosen.KE != wire.KE_NONE
	if exchanges {
		if step, err = m.exchange(r.now, KeyExchange{Group: chosen.KE, Peer: ke.Data}); err != nil {
			return nil, nil, keFailure(w, err)
		}
	}
	spi, err := m.env.AllocateSPI()
	if err != nil {
		return nil, nil, diag.InstallFailed(w, "a CHILD SA", err)
	}
	payloads := []wire.Payload{childAnswer(chosen, spi)}
	var nr []byte
	if inAuth {
		nonce, nr = m.firstNonces()
	} else {
		nr = m.env.Nonce(nonceLen)
		payloads = append(payloads, &wire.Nonce{Data: nr})
	}
	if exchanges {
		payloads = append(payloads, &wire.KE{Group: chosen.KE, Data: step.Public})
	}
	payloads = append(payloads, toWireTS(false, ts.Remote), toWireTS(true, ts.Local))
	a := &answeredChild{cfg: cfg, chosen: chosen, ts: ts, spi: spi, peerSPI: peerSPI, shared: step.Shared, ni: nonce, nr: nr, old: old}
	if methods := chosen.Additional(); len(methods) > 0 {
		return nil, m.await(r, &answering{child: a, lowest: lowest(nonce, nr)}, methods, payloads), nil
	}
	c, err := m.makeAnswered(r.now, a)
	if err != nil {
		m.env.ReleaseSPI(spi)
		return nil, nil, diag.Internal(w, err)
	}
	return c, payloads, nil
}
