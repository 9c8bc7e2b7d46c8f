package sa

import (
	"slices"

	"esplanade/ike/diag"
	"esplanade/ike/proposal"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// series are the IKE_FOLLOWUP_KE exchanges behind a CREATE_CHILD_SA exchange of ours, RFC 9370 section 2.2.4:
//
//	HDR(CREATE_CHILD_SA), SK {SA, Ni, KEi, ...}  -->
//	             <--  HDR(CREATE_CHILD_SA), SK {SA, Nr, KEr, ..., N(ADDITIONAL_KEY_EXCHANGE)(link1)}
//	HDR(IKE_FOLLOWUP_KE), SK {KEi(1), N(ADDITIONAL_KEY_EXCHANGE)(link1)}  -->
//	             <--  HDR(IKE_FOLLOWUP_KE), SK {KEr(1), N(ADDITIONAL_KEY_EXCHANGE)(link2)}
//	HDR(IKE_FOLLOWUP_KE), SK {KEi(2), N(ADDITIONAL_KEY_EXCHANGE)(link2)}  -->
//	             <--  HDR(IKE_FOLLOWUP_KE), SK {KEr(2)}
//
// The SA exists when the last is done. The task that has made the CREATE_CHILD_SA request makes these as well, so that
// whatever looks for the task while it is in flight finds it until then.
type series struct {
	answer  *response         // to CREATE_CHILD_SA; nil when there is no series
	methods []uint16          // of the exchange that is next and those behind it
	ke      suite.KeyExchange // of the one that is next
	link    []byte            // the responder's, to be sent back as it came
	secrets [][]byte          // SK(1) to SK(n)
}

func (s *series) active() bool { return s.answer != nil }

// exchange is that of the request which is next.
func (s *series) exchange() wire.ExchangeType {
	if s.active() {
		return wire.ExchangeIKEFollowupKE
	}
	return wire.ExchangeCreateChildSA
}

// payloads are those of the next IKE_FOLLOWUP_KE request.
func (s *series) payloads() []wire.Payload {
	return []wire.Payload{
		&wire.KE{Group: s.ke.Group(), Data: s.ke.Public()},
		&wire.Notify{NotifyType: wire.NotifyAdditionalKeyExchange, Data: s.link},
	}
}

// begin looks whether the answer to a CREATE_CHILD_SA request asks for a series. What else is wrong with the answer is
// found by whoever takes it.
func (s *series) begin(m *Machine, r *response, offered []proposal.Proposal) (more bool, f *diag.Failure) {
	sa, ok := find[*wire.SA](r.payloads)
	if !ok {
		return false, nil
	}
	chosen, err := proposal.Verify(offered, sa.Proposals, proposal.Options{})
	if err != nil || len(chosen.Additional()) == 0 {
		return false, nil
	}
	methods := chosen.Additional()
	if f := s.prepare(m, r, methods[0]); f != nil || m.waiting() {
		return false, f
	}
	s.answer, s.methods, s.secrets = r, methods, nil
	return true, nil
}

// prepare takes the link out of an answer and makes the public value of the next exchange. It does neither while it waits.
func (s *series) prepare(m *Machine, r *response, method uint16) *diag.Failure {
	n := notify(r.payloads, wire.NotifyAdditionalKeyExchange)
	if n == nil {
		return diag.Unexpected(m.where(r.header.Exchange), "N(ADDITIONAL_KEY_EXCHANGE)", "an answer without it")
	}
	ke, err := m.generate(r.now, method)
	switch {
	case err == errWaits:
		return nil
	case err != nil:
		return keFailure(m.where(r.header.Exchange), err)
	}
	s.link, s.ke = slices.Clone(n.Data), ke
	return nil
}

// take handles the answer to an IKE_FOLLOWUP_KE request. final is the answer to CREATE_CHILD_SA with the secrets of all
// the exchanges, once they are done. With neither final nor a failure there is another request to make, or it waits.
func (s *series) take(m *Machine, r *response) (final *response, f *diag.Failure) {
	x := r.header.Exchange
	if n := errorNotify(r.payloads); n != nil {
		return nil, diag.Refused(m.where(x), n.NotifyType, diag.Offer{})
	}
	want := groupName(s.methods[0])
	ke, ok := find[*wire.KE](r.payloads)
	switch {
	case !ok:
		return nil, diag.Unexpected(m.where(x), "a KE payload for "+want, "an IKE_FOLLOWUP_KE answer without KE")
	case ke.Group != s.methods[0]:
		return nil, diag.WrongKEGroup(m.where(x), want, groupName(ke.Group))
	}
	step, err := m.exchange(r.now, KeyExchange{Group: ke.Group, Own: s.ke, Peer: ke.Data})
	switch {
	case err == errWaits:
		return nil, nil
	case err != nil:
		return nil, keFailure(m.where(x), err)
	}
	secrets := append(slices.Clip(s.secrets), step.Shared)
	if len(s.methods) > 1 {
		if f := s.prepare(m, r, s.methods[1]); f != nil || m.waiting() {
			return nil, f
		}
		s.secrets, s.methods = secrets, s.methods[1:]
		return nil, nil
	}
	m.lostStates = 0
	whole := *s.answer
	whole.now, whole.secrets = r.now, secrets
	return &whole, nil
}

// seriesTask is a task that makes a series.
type seriesTask interface {
	task
	// seriesFailed gives up what the series was to bring about, or puts it off.
	seriesFailed(m *Machine, r *response, f *diag.Failure)
}

// followed handles the answer to an IKE_FOLLOWUP_KE request of a task. It returns the whole answer when there is one.
func (s *series) followed(m *Machine, t seriesTask, r *response) *response {
	final, f := s.take(m, r)
	switch {
	case f != nil:
		t.seriesFailed(m, r, f)
	case final == nil && !m.waiting():
		m.requeue(t)
	}
	return final
}

// maxLostStates is how many series may end in STATE_NOT_FOUND, one after the other, before the IKE SA is given up: after
// several retries it is a fatal error. https://www.rfc-editor.org/rfc/rfc9370#section-2.2.4
const maxLostStates = 4

// seriesFailed notes the end of a series without a result. retry reports whether the peer may do better later; when it is
// out of step for good, the IKE SA is deleted and there is nothing to retry.
func (m *Machine) seriesFailed(r *response, f *diag.Failure) (retry bool) {
	switch {
	case f.ByPeer && notify(r.payloads, wire.NotifyTemporaryFailure) != nil:
		return true
	case f.ByPeer && notify(r.payloads, wire.NotifyStateNotFound) != nil:
		if m.lostStates++; m.lostStates < maxLostStates {
			return true
		}
		m.Delete(r.now, "the peer loses the state of key exchanges again and again")
	}
	return false
}

// dropOffer gives an offer up whose series has failed. A peer whose answer was of no use may have created the child.
func (m *Machine) dropOffer(o *childOffer, f *diag.Failure) {
	if !f.ByPeer && o.spi != 0 && m.state != StateDeleting {
		m.requeue(&rejectChildTask{spi: o.spi, protocol: o.protocol(), child: o.cfg.Name})
		o.spi = 0
	}
	o.release(m)
}

func (t *createChildTask) seriesFailed(m *Machine, r *response, f *diag.Failure) {
	offer := t.offer
	t.offer, t.series = nil, series{}
	f.In(offer.cfg.Name, offer.cfg.Line)
	retry := m.seriesFailed(r, f)
	m.dropOffer(offer, f)
	if t.retries++; retry && t.retries <= maxTemporaryFailures {
		m.putOff(r.now, t)
		return
	}
	m.emit(Failed{Failure: f, Child: t.cfg, Part: t.part})
	m.pruneChildless(r.now)
}

func (t *rekeyChildTask) seriesFailed(m *Machine, r *response, f *diag.Failure) {
	offer := t.offer
	t.offer, t.series = nil, series{}
	f.In(offer.cfg.Name, offer.cfg.Line)
	retry := m.seriesFailed(r, f)
	m.dropOffer(offer, f)
	if !retry {
		m.emit(Failed{Failure: f, Child: offer.cfg})
	}
	t.yield(m, r.now)
	if t.old.State == ChildRekeying {
		m.retryRekey(r.now, t.old)
	}
}

func (t *rekeyIKETask) seriesFailed(m *Machine, r *response, f *diag.Failure) {
	last := len(t.series.methods) <= 1
	t.series = series{}
	retry := m.seriesFailed(r, f)
	if !retry {
		m.emit(Failed{Failure: f})
	}
	switch {
	case t.yield(m, r.now) || m.state != StateRekeying:
	case !f.ByPeer && last:
		// The peer takes the rekeying for done and has moved the children to an IKE SA that we do not have.
		m.Delete(r.now, "the answer to the rekeying is of no use")
	default:
		m.rekeyIKELater(r.now)
	}
}
