package sa

import (
	"encoding/binary"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/proposal"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// RekeyIKE replaces the IKE SA by a new one with fresh keys, RFC 7296 section 1.3.2. The children move along.
func (m *Machine) RekeyIKE(now time.Time) {
	switch {
	case m.state == StateEstablished && m.rivalOf != nil:
		// An SA that may yet turn out to be redundant is not built upon.
		m.rekeyIKELater(now)
	case m.state == StateEstablished:
		if _, ok := queued(m, func(*rekeyIKETask) bool { return true }); !ok && !m.enqueue(&rekeyIKETask{}) {
			m.rekeyIKELater(now)
		}
	}
	m.pump(now)
}

// heir is the machine of the peer's colliding request as long as it can take the children over.
func (t *rekeyIKETask) heir() *Machine {
	s := t.rival
	for s != nil && s.successor != nil {
		s = s.successor
	}
	if s == nil || s.state == StateClosed {
		return nil
	}
	return s
}

// rekeyIKETask asks for a new IKE SA. The peer may be at the same: see collision.
type rekeyIKETask struct {
	spi     wire.SPI
	nonce   []byte
	ke      suite.KeyExchange
	demands demands
	// rival is the machine that the peer's own request, answered while ours was in flight, has brought about.
	rival       *Machine
	rivalLowest []byte
	// rivalSeries is the peer's request when additional key exchanges are to follow it.
	rivalSeries *answering
	series      series
}

func (t *rekeyIKETask) name() string                { return "rekey IKE SA" }
func (t *rekeyIKETask) exchange() wire.ExchangeType { return t.series.exchange() }

// abandoned ends the machine of the peer's colliding request as well, when nobody has settled that it is the one to stay.
func (t *rekeyIKETask) abandoned(m *Machine, now time.Time) {
	if s := t.rival; s != nil && s.rivalOf == m && s.successor == nil {
		s.rivalOf = nil
		s.Abandon(now, "the IKE SA that it was to replace is gone")
		m.emit(Touched{Machine: s})
	}
}

func (t *rekeyIKETask) silent(m *Machine, now time.Time, p *outstanding) bool {
	return m.rivalLives(now, t)
}

func (t *rekeyIKETask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	if m.state != StateEstablished && m.state != StateRekeying {
		return nil, false
	}
	if t.series.active() {
		if _, ending := m.ending(); ending {
			return nil, false
		}
		return t.series.payloads(), true
	}
	if m.peerRekeysIKE() {
		m.rekeyIKELater(now)
		return nil, false
	}
	if t.ke == nil {
		group, _ := t.demands.guess(m.cfg.Proposals, m.demanded, m.chosen.KE)
		ke, err := m.generate(now, group)
		if err == errWaits {
			return nil, false
		}
		if err != nil {
			m.emit(Failed{Failure: keFailure(m.where(wire.ExchangeCreateChildSA), err)})
			m.rekeyIKELater(now)
			return nil, false
		}
		t.ke = ke
	}
	if t.nonce == nil {
		t.nonce, t.spi = m.env.Nonce(nonceLen), m.env.NewSPI()
	}
	m.setState(StateRekeying, "rekeying the IKE SA")
	return []wire.Payload{
		offerSA(m.cfg.Proposals, binary.BigEndian.AppendUint64(nil, uint64(t.spi))),
		&wire.Nonce{Data: t.nonce}, &wire.KE{Group: t.ke.Group(), Data: t.ke.Public()},
	}, true
}

func (m *Machine) rekeyIKELater(now time.Time) {
	m.life.rekeyAt = now.Add(jittered(rekeyRetry, rekeyRetry/2, m.env.Jitter()))
	if m.state == StateRekeying {
		m.setState(StateEstablished, "rekeying did not succeed")
	}
}

func (t *rekeyIKETask) done(m *Machine, r *response) {
	if t.series.active() {
		if r = t.series.followed(m, t, r); r != nil {
			t.finish(m, r)
		}
		return
	}
	x := r.header.Exchange
	if group, ok := demandedGroup(r.payloads, m.cfg.Proposals, t.ke.Group(), t.demands.refused); ok {
		ke, err := m.generate(r.now, group)
		if err == errWaits {
			return
		}
		t.demands.note(t.ke.Group(), group)
		m.demanded = group // for the next one, if nothing comes of this
		if err == nil {
			t.ke = ke
			m.requeue(t)
			return
		}
	}
	if n := errorNotify(r.payloads); n != nil {
		if t.yield(m, r.now) {
			return
		}
		if n.NotifyType != wire.NotifyTemporaryFailure {
			m.emit(Failed{Failure: diag.Refused(m.whereProposals(x), n.NotifyType, m.proposed())})
		}
		m.rekeyIKELater(r.now)
		return
	}
	switch more, f := t.series.begin(m, r, m.cfg.Proposals); {
	case m.waiting():
	case f != nil:
		t.seriesFailed(m, r, f)
	case more && !t.collide(m, r):
		m.requeue(t)
	case !more:
		t.finish(m, r)
	}
}

// finish takes the answer, all key exchanges being made.
func (t *rekeyIKETask) finish(m *Machine, r *response) {
	fresh, low, f := t.successor(m, r)
	if m.waiting() {
		return
	}
	if f != nil {
		m.emit(Failed{Failure: f})
		if t.yield(m, r.now) {
			return
		}
		// The peer takes the rekeying for done and has moved the children to an IKE SA that we do not have.
		m.Delete(r.now, "the answer to the rekeying is of no use")
		return
	}
	v := t.meets(m, attempt{stageMade, low}).settle()
	if v.ours == fateCloses {
		m.emit(Spawned{Machine: fresh})
		fresh.Delete(r.now, "redundant after a collision") // over itself
		t.heed(m, r.now, v)
		return
	}
	t.heed(m, r.now, v)
	m.handOver(r.now, fresh)
	m.requeue(&deleteIKETask{reason: "replaced"})
}

// successor makes the new machine of our own request.
func (t *rekeyIKETask) successor(m *Machine, r *response) (*Machine, []byte, *diag.Failure) {
	x := r.header.Exchange
	sa, ok1 := find[*wire.SA](r.payloads)
	nonce, ok2 := find[*wire.Nonce](r.payloads)
	ke, ok3 := find[*wire.KE](r.payloads)
	if !ok1 || !ok2 || !ok3 {
		return nil, nil, diag.Unexpected(m.where(x), "SA, nonce and KE", "an answer without one of them")
	}
	chosen, err := proposal.Verify(m.cfg.Proposals, sa.Proposals, proposal.Options{})
	if err != nil {
		return nil, nil, diag.IKEProposalMismatch(m.whereProposals(x), differences(err))
	}
	peerSPI, ok := ikeSPI(chosen.SPI)
	if !ok || chosen.KE != ke.Group || ke.Group != t.ke.Group() {
		return nil, nil, diag.Unexpected(m.where(x), "an SPI of eight octets, and a KE payload for "+groupName(t.ke.Group()), "an answer with a wrong SPI or group")
	}
	if err := checkNonces(m.prf, chosen.PRF, nonce.Data); err != nil {
		return nil, nil, diag.Malformed(m.where(x), err)
	}
	step, err := m.exchange(r.now, KeyExchange{Group: ke.Group, Own: t.ke, Peer: ke.Data})
	if err != nil {
		return nil, nil, keFailure(m.where(x), err)
	}
	fresh, err := m.spawn(r.now, true, t.spi, peerSPI, chosen, step.Shared, t.nonce, nonce.Data, r.secrets...)
	if err != nil {
		return nil, nil, diag.Internal(m.where(x), err)
	}
	fresh.exchangeTokens(r)
	return fresh, lowest(t.nonce, nonce.Data), nil
}

func ikeSPI(b []byte) (wire.SPI, bool) {
	spi, ok := wire.SPIFromBytes(b)
	return spi, ok && spi != 0
}

// spawn makes the machine of a rekeyed IKE SA: established, without children, message ids starting at zero.
// SKEYSEED comes from SK_d of the old IKE SA, by the old SA's PRF:
// https://www.rfc-editor.org/rfc/rfc7296#section-2.18
func (m *Machine) spawn(now time.Time, initiator bool, own, peer wire.SPI, chosen proposal.Chosen, shared, ni, nr []byte, additional ...[]byte) (*Machine, error) {
	prf, err := suite.NewPRF(chosen.PRF)
	if err != nil {
		return nil, err
	}
	s := &Machine{
		env: m.env, id: m.env.NextIKE(), cfg: m.cfg, state: StateEstablished, initiator: initiator,
		localSPI: own, peerSPI: peer, localID: m.localID, remoteID: m.remoteID, path: m.path, virtual: m.virtual, created: now,
		establishedAt: now, chosen: chosen, prf: prf, nat: m.nat, alive: liveness{lastHeard: now, lastSent: now},
		frag: fragments{negotiated: m.frag.negotiated, small: m.frag.small}, sync: idSync{negotiated: m.sync.negotiated},
		ppk: m.ppk, transcribed: m.transcribed,
		auth: m.auth, redirect: m.redirect, resume: resumption{granted: m.resume.granted}, client: m.client,
	}
	s.inherit(m)
	if err := s.setKeys(suite.RekeySKEYSEED(m.prf, m.keys.D, shared, ni, nr, additional...), ni, nr); err != nil {
		return nil, err
	}
	s.life.start(now, s.cfg.RekeyTime, s.cfg.RandTime, s.cfg.HardTime, s.env.Jitter())
	return s, nil
}

// handleRekeyIKE answers the peer's rekeying of the IKE SA.
func (m *Machine) handleRekeyIKE(r *request, sa *wire.SA, nonce *wire.Nonce) []wire.Payload {
	x := r.header.Exchange
	if m.busyWithChildren() {
		// "If a peer receives a request to rekey the IKE SA, and it is currently creating, rekeying, or closing a Child SA of that IKE
		// SA, it SHOULD reply with TEMPORARY_FAILURE." https://www.rfc-editor.org/rfc/rfc7296#section-2.25.1
		return failing(wire.NotifyTemporaryFailure)
	}
	if m.predecessors() >= maxPredecessors {
		return failing(wire.NotifyTemporaryFailure)
	}
	ke, ok := find[*wire.KE](r.payloads)
	if !ok {
		return m.refuseSyntax(r, "an IKE rekeying without KE")
	}
	t, colliding := doing[*rekeyIKETask](m)
	if colliding && (t.rival != nil || t.rivalSeries.running(m) || t.series.active()) {
		// A second one, or one that comes when our own exchange is done and the key exchanges behind it are not.
		return failing(wire.NotifyTemporaryFailure)
	}
	chosen, err := proposal.Choose(m.cfg.Proposals, sa.Proposals, proposal.Options{PreferKE: ke.Group})
	if err != nil {
		m.emit(Failed{Failure: diag.IKEProposalMismatch(m.whereProposals(x).Answering(wire.NotifyNoProposalChosen), differences(err))})
		return failing(wire.NotifyNoProposalChosen)
	}
	if chosen.KE != ke.Group {
		return []wire.Payload{wire.NewInvalidKEPayload(chosen.KE)}
	}
	peerSPI, ok := ikeSPI(chosen.SPI)
	if !ok {
		return m.refuseSyntax(r, "an invalid IKE SPI")
	}
	if err := checkNonces(m.prf, chosen.PRF, nonce.Data); err != nil {
		return m.refuseSyntax(r, err.Error())
	}
	step, err := m.exchange(r.now, KeyExchange{Group: ke.Group, Peer: ke.Data})
	if err == errWaits {
		return nil
	}
	if err != nil && !badValue(err) {
		m.emit(Failed{Failure: keFailure(m.where(x), err)})
		return failing(wire.NotifyTemporaryFailure)
	}
	if err != nil {
		return m.refuseSyntax(r, "a bad key exchange value: "+err.Error())
	}
	nr, spi := m.env.Nonce(nonceLen), m.env.NewSPI()
	answer := chosen.Wire()
	answer.SPI = binary.BigEndian.AppendUint64(nil, uint64(spi))
	payloads := []wire.Payload{
		&wire.SA{Proposals: []wire.Proposal{answer}}, &wire.Nonce{Data: nr}, &wire.KE{Group: ke.Group, Data: step.Public},
	}
	payloads = append(payloads, m.env.token(peerSPI, spi)...)
	low := lowest(nonce.Data, nr)
	if methods := chosen.Additional(); len(methods) > 0 {
		p := &answering{lowest: low, ike: &answeredIKE{chosen: chosen, spi: spi, peerSPI: peerSPI, shared: step.Shared, ni: nonce.Data, nr: nr}}
		if colliding {
			t.rivalSeries, t.rivalLowest = p, low
		}
		return m.await(r, p, methods, append(payloads, m.ticketLater(r, true)...))
	}
	fresh, err := m.spawn(r.now, false, spi, peerSPI, chosen, step.Shared, nonce.Data, nr)
	if err != nil {
		m.emit(Failed{Failure: diag.Internal(m.where(x), err)})
		return failing(wire.NotifyTemporaryFailure)
	}
	m.takeRekeyed(r.now, fresh, low)
	return append(payloads, fresh.grantTicket(r)...)
}

// busyWithChildren reports whether a request is in flight that creates, replaces or closes a CHILD SA.
func (m *Machine) busyWithChildren() bool { return m.pending != nil && m.pending.task.traits().changes }
