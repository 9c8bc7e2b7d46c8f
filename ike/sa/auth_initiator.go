package sa

import (
	"slices"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/wire"
)

// authTask is the IKE_AUTH exchanges of the initiator, with the first CHILD SA in them: one task for all rounds.
type authTask struct {
	child *childOffer // nil when the connection has none to bring up
	spent bool        // the session that is resumed
}

func (t *authTask) name() string                { return "IKE_AUTH" }
func (t *authTask) exchange() wire.ExchangeType { return wire.ExchangeIKEAuth }

func (t *authTask) abandoned(m *Machine, now time.Time) {
	if t.child != nil {
		t.child.release(m)
	}
}

// ownIdentity is the configured identity, or the address that this SA uses.
func (m *Machine) ownIdentity() identity.Identity {
	if m.resume.active {
		return m.resume.own
	}
	return m.written(0)
}

// written is the identity of this side for a round: as configured, but as the certificate writes it where one is for it.
func (m *Machine) written(round int) identity.Identity {
	own := m.cfg.round(round)
	id := m.configured(own.ID)
	if !own.signs() {
		return id
	}
	for _, p := range m.pairs(round) {
		if len(p.Chain) > 0 && pki.Binds(p.Chain[0], id) {
			return pki.IdentityIn(p.Chain[0], id)
		}
	}
	return id
}

// configured is an identity of this side, or the address that this SA uses.
func (m *Machine) configured(id identity.Identity) identity.Identity {
	if id.Type != 0 && !id.Any() {
		return id
	}
	return identity.FromAddr(m.path.Local.Addr())
}

// build makes the request of a round.
func (t *authTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	if m.flow == nil {
		m.localID = m.ownIdentity()
		m.flow = m.newAuthFlow()
	}
	flow, f := m.flow, (*diag.Failure)(nil)
	if flow.now = now; !flow.building {
		f = m.nextRound()
	}
	if f == nil {
		step, err := flow.pair.Build(&flow.t)
		flow.building = step.Status == auth.Wait
		switch {
		case err != nil:
			f = m.authFailure(err)
		case flow.building:
			return nil, false
		case flow.rounds > 1:
			return step.Payloads, true
		default:
			return t.announce(m, now, step.Payloads)
		}
	}
	t.abandoned(m, now)
	if flow.rounds > 1 && m.cfg.usesEAP() {
		m.rejectPeer(now, f) // it waits for another message
		return nil, false
	}
	m.close(now, "no AUTH", f)
	return nil, false
}

// announce makes the first request: the proof, what this side can do, and the first CHILD SA.
func (t *authTask) announce(m *Machine, now time.Time, proof []wire.Payload) ([]wire.Payload, bool) {
	payloads := []wire.Payload{m.flow.t.OwnID}
	if m.env.FirstContact(m.cfg) {
		payloads = append(payloads, &wire.Notify{NotifyType: wire.NotifyInitialContact})
	}
	payloads = append(append(payloads, m.requestCerts(maxAuthAuthorities, m.cfg)...), m.announcement(m.cfg)...)
	if r := m.cfg.RemoteID; r.Concrete() {
		payloads = append(payloads, &wire.ID{Responder: true, IDType: wire.IDType(r.Type), Data: r.Data})
	}
	payloads = append(append(append(payloads, proof...), m.offerMultipleAuth()...), syncSupported())
	payloads = append(payloads, m.ownToken()...)
	payloads = append(payloads, m.requestTicket()...)
	config := m.requestConfig() // before the child, whose selectors depend on it
	child, ok := t.offerChild(m, now)
	if !ok {
		return nil, false
	}
	return m.fewAddresses(slices.Concat(payloads, config, child, m.mobilityOffer())), true
}

// done takes the answer of a round: refused or not, judge, and either another round or the end.
func (t *authTask) done(m *Machine, r *response) {
	flow := m.flow
	flow.now = r.now
	if m.resume.active && !t.spent {
		t.spent = true
		m.emit(SessionSpent{}) // whatever the answer says: only the peer can have made it
	}
	if n := m.authRefused(r.payloads); n != nil {
		t.abandoned(m, r.now)
		m.close(r.now, "peer answered "+n.NotifyType.String(), m.peerRefusedAuth(n))
		return
	}
	if f := t.judge(m, r); f != nil {
		t.abandoned(m, r.now)
		if e, ok := find[*wire.EAP](r.payloads); ok && e.Code == wire.EAPFailure {
			// The responder has nothing any more that it could be told about: "EAP failure" is one of those errors that "lead to a deletion of
			// the IKE SA without requiring an explicit INFORMATIONAL exchange". https://www.rfc-editor.org/rfc/rfc7296#section-2.21
			m.close(r.now, "peer answered EAP-Failure", f)
			return
		}
		m.rejectPeer(r.now, f)
		return
	}
	if m.waiting() {
		return
	}
	// "[T]he client MUST accept the REDIRECT notification only in the first IKE_AUTH response or the last IKE_AUTH response."
	// https://www.rfc-editor.org/rfc/rfc5685#section-6
	if (flow.rounds == 1 || flow.done) && flow.t.PeerProved && m.redirectedInAuth(r) {
		t.abandoned(m, r.now)
		return
	}
	if !flow.done {
		if flow.rounds == 1 {
			m.life.expireAt = r.now.Add(maxAuthTime)
		}
		m.requeue(t)
		return
	}
	m.established(r.now)
	m.takeAnnounced(r)
	if m.takeConfig(r, t) {
		t.finishChild(m, r)
	}
	m.announceRest(r.now)
}

// authRefused finds the error that an answer is instead of a proof. An error behind a proof is one of the CHILD SA.
func (m *Machine) authRefused(payloads []wire.Payload) *wire.Notify {
	if n := fatalNotify(payloads); n != nil {
		return n
	}
	if _, proves := find[*wire.Auth](payloads); proves || m.flow.t.PeerProved {
		return nil
	}
	return errorNotify(payloads)
}

// judge takes the proof in an answer, and in the first one who the peer says it is.
func (t *authTask) judge(m *Machine, r *response) *diag.Failure {
	if m.flow.rounds == 1 {
		idr := findID(r.payloads, true)
		if idr == nil {
			return diag.Unexpected(m.where(wire.ExchangeIKEAuth), "IDr and AUTH", "a response without IDr")
		}
		if f := m.peerIs(0, idr); f != nil {
			return f
		}
	}
	step, err := m.judge(r.payloads)
	if err != nil {
		return m.authFailure(err)
	}
	m.flow.done = step.Status == auth.Done
	return nil
}

// takeAnnounced takes what the responder says that it can do, in its last answer.
func (m *Machine) takeAnnounced(r *response) {
	m.sync.negotiated = notify(r.payloads, wire.NotifyIKEv2MessageIDSyncSupported) != nil
	m.takeToken(r.path, r.payloads)
	m.mobilityAgreed(r.payloads)
	m.peerAuthLifetime(r.now, r.path, r.payloads)
	m.takeTicket(r)
}

// peerRefusedAuth is an error notify instead of an IKE_AUTH answer.
func (m *Machine) peerRefusedAuth(n *wire.Notify) *diag.Failure {
	w := m.where(wire.ExchangeIKEAuth)
	if n.NotifyType != wire.NotifyAuthenticationFailed {
		return diag.Refused(w, n.NotifyType, m.proposed())
	}
	if m.resume.active { // no key was used: what has proved us is the session
		return diag.TicketRefused(w, n.NotifyType)
	}
	if m.initiator && m.flow != nil && m.flow.rounds > 1 && m.cfg.LocalAuth.EAP() && !m.ppk.agreed {
		return m.userRefused(w, n)
	}
	p := diag.Proof{Key: m.credential, Signed: m.ownSignature(), LocalID: m.localID.String(), LocalLine: m.cfg.LocalIDLine}
	if p.User = m.initiator && m.cfg.LocalAuth.EAP(); p.User || m.cfg.onlySigns() {
		p.Key = diag.Key{} // which is what the peer has proved itself with, if anything
	}
	if m.initiator && m.cfg.RemoteID.Concrete() {
		p.Asked, p.AskedLine = m.cfg.RemoteID.String(), m.cfg.RemoteIDLine
	}
	if m.ppk.agreed && m.ppk.id != "" {
		p.PPK = ppkName(m.ppk.id)
	}
	return diag.AuthRefused(w, n.NotifyType, p)
}

// rejectTask tells a responder that this initiator does not accept its authentication: "If the error occurs on
// the initiator, the notification MAY be returned in a separate INFORMATIONAL exchange, usually with no other payloads."
// (https://www.rfc-editor.org/rfc/rfc7296#section-2.21.2). Without it the responder would keep an SA that only it
// believes in.
type rejectTask struct{ f *diag.Failure }

func (t *rejectTask) name() string                        { return "reject the peer's authentication" }
func (t *rejectTask) exchange() wire.ExchangeType         { return wire.ExchangeInformational }
func (t *rejectTask) abandoned(m *Machine, now time.Time) {}
func (t *rejectTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	return failing(wire.NotifyAuthenticationFailed), true
}
func (t *rejectTask) done(m *Machine, r *response) {
	m.close(r.now, "the peer's authentication was rejected", t.f)
}

// rejectPeer ends an SA whose responder could not prove who it is.
func (m *Machine) rejectPeer(now time.Time, f *diag.Failure) {
	m.abandonTasks(now)
	m.emit(Failed{Failure: f})
	m.requeue(&rejectTask{f: f})
}
