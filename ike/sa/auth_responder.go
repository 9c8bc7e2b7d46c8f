package sa

import (
	"errors"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/pki"
	"esplanade/ike/wire"
)

// handleAuth is a round of IKE_AUTH of the responder: select the connection, verify the peer, admit it, prove who this side is,
// announce what it can do, and create the first CHILD SA. As long as one of the two proofs is not complete, the answer has
// what there is of them, and the SA stays half-open.
func (m *Machine) handleAuth(r *request) []wire.Payload {
	// Whatever the initiator floated to is where it is from now on.
	m.path = r.path
	before := m.flow != nil && m.flow.admitted
	for _, step := range [...]func(*request) *refusedAuth{m.selectAuth, m.verifyAuth, m.admitAuth} {
		if no := step(r); no != nil {
			return m.refuseAuth(no)
		}
		if m.waiting() {
			return nil
		}
	}
	if !m.flow.done {
		answer, no := m.proveAuth()
		switch {
		case no != nil:
			return m.refuseAuth(no)
		case m.waiting():
			return answer
		case !m.flow.done:
			m.waitForUser(r.now)
			return answer
		}
		m.flow.answer = answer
	}
	if before {
		// This side's proof has taken longer than the peer's: others may have come up in between, of the same peer as well.
		if no := m.room(r.now); no != nil {
			return m.refuseAuth(no)
		}
	}
	if m.lease(r.now); m.waiting() {
		return nil
	}
	// What is not a proof was in the first request.
	answer, given := m.flow.answer, m.flow.given()
	asked := &request{now: r.now, header: r.header, payloads: m.flow.first.payloads, path: r.path, size: r.size}
	m.welcome(asked)
	for _, say := range m.lastAnswer(given) {
		answer = append(answer, say(m, asked)...)
	}
	answer = m.fewAddresses(answer)
	m.announceRest(r.now)
	return answer
}

// refusedAuth is why IKE_AUTH comes to nothing, and what the peer learns of it.
type refusedAuth struct {
	notify  wire.NotifyType
	failure *diag.Failure
	// eap takes the place of the notification: EAP-Failure.
	eap *wire.EAP
}

// refused is AUTHENTICATION_FAILED for a reason, or nil without one.
func refused(f *diag.Failure) *refusedAuth {
	if f == nil {
		return nil
	}
	return &refusedAuth{notify: wire.NotifyAuthenticationFailed, failure: f}
}

// refusedProof is why a proof is not taken. Once EAP has begun, its own message says so: "If the exchange is terminated with EAP Failure, an
// AUTHENTICATION_FAILED notification is not sent." https://www.rfc-editor.org/rfc/rfc7296#section-2.21
func (m *Machine) refusedProof(err error) *refusedAuth {
	no := refused(m.authFailure(err))
	var e *auth.EAPError
	if errors.As(err, &e) {
		no.eap = e.Out
		if m.flow.told != nil && err == m.flow.pair.Verdict() {
			no.failure = m.flow.told
		}
	}
	return no
}

// refuseAuth ends a half-open SA. The response is all that the peer learns; the SA is gone once it is sent.
func (m *Machine) refuseAuth(no *refusedAuth) []wire.Payload {
	if no.eap != nil {
		m.closing = &Closed{Reason: "IKE_AUTH refused: EAP-Failure", Failure: no.failure}
		return []wire.Payload{no.eap}
	}
	m.closing = &Closed{Reason: "IKE_AUTH refused: " + no.notify.String(), Failure: no.failure}
	return failing(no.notify)
}

// unreceiveAuth takes the first request of a peer that has not proved itself for lost, with all that has come of it: this side has no
// time for its signature. When the peer repeats it, it is as new. If there never is any, this is what the IKE SA has failed with.
func (m *Machine) unreceiveAuth(r *request, err error) {
	m.busy = keFailure(m.where(wire.ExchangeIKEAuth), err)
	m.flow.end()
	m.flow, m.best = nil, nil
	m.unreceive(r, err)
}

// unreceiveRound does so with the request of a later round of a user, as long as nothing has come of it: the proof has it, and takes it
// again.
func (m *Machine) unreceiveRound(r *request, err error) {
	m.busy = keFailure(m.where(wire.ExchangeIKEAuth), err)
	m.flow.rounds--
	m.flow.at = nil
	m.unreceive(r, err)
}

// selectAuth finds the connections that the first request may be for, and begins with the best of them.
func (m *Machine) selectAuth(r *request) *refusedAuth {
	if f := m.flow; f != nil {
		f.now = r.now
		if f.at == r {
			return nil // it has waited
		}
		f.at, f.judged = r, false
		return refused(m.nextRound())
	}
	if f := m.premature(); f != nil {
		return &refusedAuth{notify: wire.NotifyInvalidSyntax, failure: f}
	}
	idi, idr := findID(r.payloads, false), findID(r.payloads, true)
	if idi == nil {
		return &refusedAuth{notify: wire.NotifyInvalidSyntax, failure: diag.Unexpected(
			m.where(wire.ExchangeIKEAuth).Answering(wire.NotifyInvalidSyntax), "IDi", "an IKE_AUTH request without IDi")}
	}
	if no := m.halfChild(r.payloads); no != nil {
		return no
	}
	fits, f := m.selectConnections(idi, idr, r.payloads)
	if f != nil {
		return refused(f)
	}
	m.candidates = fits
	return m.attempt(fits[0], r, idi)
}

// attempt begins IKE_AUTH with a connection.
func (m *Machine) attempt(cfg *Config, r *request, idi *wire.ID) *refusedAuth {
	m.cfg = cfg
	m.localID = m.ownIdentity()
	m.flow = m.newAuthFlow()
	m.flow.rounds, m.flow.first, m.flow.at, m.flow.now = 1, r, r, r.now
	m.flow.t.Requests, m.flow.t.PeerMethods = certRequests(r.payloads), announcedMethods(r.payloads)
	return refused(m.peerIs(0, idi))
}

// maxTrusts is how many connections judge the certificate of a peer that has proved nothing yet. Each of them may verify a chain for it.
const maxTrusts = 8

// verifyAuth judges what the peer proves itself with. A first request with another method than the connection asks for, for another
// number of rounds, or with a certificate of another CA may be for the next one with the same identities: nothing has been compared with a
// secret yet, and nothing is once more after it has.
func (m *Machine) verifyAuth(r *request) *refusedAuth {
	if m.flow.judged {
		return nil
	}
	idi := m.flow.t.PeerID
	_, err := m.judge(r.payloads)
	for otherConnection(err) && m.flow.rounds == 1 && len(m.candidates) > 1 {
		if m.best == nil {
			m.best = &refusedCandidate{cfg: m.cfg, flow: m.flow, err: err}
		}
		if errors.As(err, new(*pki.Refusal)) {
			if m.best.judged++; m.best.judged == maxTrusts {
				break
			}
		}
		m.candidates = m.candidates[1:]
		if m.attempt(m.candidates[0], r, idi) == nil {
			_, err = m.judge(r.payloads)
		}
	}
	if b := m.best; b != nil && otherConnection(err) {
		m.cfg, m.flow, err = b.cfg, b.flow, b.err // none takes it: what the best one asks for is what is wrong
		m.localID = m.ownIdentity()
	}
	if err != nil {
		return m.refusedProof(err)
	}
	m.flow.judged = !m.waiting()
	return nil
}

// refusedCandidate is a connection that does not take a request, which may be for another one.
type refusedCandidate struct {
	cfg  *Config
	flow *authFlow
	err  error
	// judged is how many connections have judged a certificate since.
	judged int
}

// admitAuth lets a peer in that has proved itself, once: it comes the way it says, there is room for it, and its ticket is good.
func (m *Machine) admitAuth(r *request) *refusedAuth {
	f := m.flow
	if !f.t.PeerProved || f.admitted {
		return nil
	}
	if no := m.mayBeDowngraded(); no != nil {
		return no
	}
	if no := m.childMissing(f.first.payloads); no != nil {
		return no
	}
	if m.cfg.MOBIKE && natChanged(f.first.payloads, f.first.path) {
		return &refusedAuth{notify: wire.NotifyUnexpectedNATDetected, failure: diag.NATDetected(
			m.where(wire.ExchangeIKEAuth).Answering(wire.NotifyUnexpectedNATDetected), f.first.path.Remote)}
	}
	_, m.redirect.away = m.redirect.target(m.cfg, r.path)
	if no := m.room(r.now); no != nil {
		return no
	}
	if no := m.spendTicket(r.now); no != nil {
		return refused(no)
	}
	f.admitted = true
	return nil
}

// room returns the reason for refusing a peer that has proved itself, unless it is sent elsewhere.
func (m *Machine) room(now time.Time) *refusedAuth {
	if m.redirect.away {
		return nil
	}
	if no := m.shut(); no != nil {
		return no
	}
	return refused(m.oneTooMany(now, notify(m.flow.first.payloads, wire.NotifyInitialContact) != nil))
}

// proveAuth makes the proof of this side, and what the peer's goes on with.
func (m *Machine) proveAuth() ([]wire.Payload, *refusedAuth) {
	f := m.flow
	step, err := f.pair.Build(&f.t)
	if err != nil {
		return nil, m.refusedProof(err)
	}
	if step.Status == auth.Wait {
		return nil, nil
	}
	f.done = step.Status == auth.Done
	if f.rounds == 1 {
		return append([]wire.Payload{f.t.OwnID}, step.Payloads...), nil
	}
	return step.Payloads, nil
}

// welcome is for the owner of the machine: the peer is there, and what has become of its earlier IKE SAs.
func (m *Machine) welcome(asked *request) {
	m.established(asked.now)
	if m.resume.active {
		m.emit(Resumes{SPI: m.resume.of})
	}
	if !m.redirect.away && notify(asked.payloads, wire.NotifyInitialContact) != nil {
		m.emit(PeerInitialContact{})
	}
}

// announcement is what the last answer says to a part of the first request. None depends on another.
type announcement func(m *Machine, asked *request) []wire.Payload

// lastAnswer is what the last answer has behind the proof, in this order: what the IKE SA can do, what the peer is given ("In all cases, the
// CP payload MUST be inserted before the SA payload", https://www.rfc-editor.org/rfc/rfc7296#section-2.19), the first CHILD SA, and MOBIKE
// behind it, where https://www.rfc-editor.org/rfc/rfc4555#section-1.2 has it; or that the peer is to go elsewhere.
func (m *Machine) lastAnswer(given given) []announcement {
	if m.redirect.away {
		return []announcement{(*Machine).redirectAuth, (*Machine).refuseTicket}
	}
	return []announcement{(*Machine).authLifetime, (*Machine).tokenAnswer, (*Machine).grantTicket, (*Machine).syncAnswer,
		given.configAnswer, given.firstChild, (*Machine).mobilityAnswer}
}

// oneTooMany returns the reason for refusing an authenticated peer another IKE SA: a limit is reached, or it has one, and that
// is kept. With contact, INITIAL_CONTACT, it has none any more, but for a user, whose other devices may.
func (m *Machine) oneTooMany(now time.Time, contact bool) *diag.Failure {
	w := m.where(wire.ExchangeIKEAuth).Answering(wire.NotifyAuthenticationFailed)
	if m.env.IKEFull != nil {
		if limit := m.env.IKEFull(m, contact); limit != "" {
			return diag.LimitReached(w, limit, "another IKE SA")
		}
	}
	if m.env.Kept == nil {
		return nil
	}
	kept, ok := m.env.Kept(now, m, contact)
	if !ok {
		return nil
	}
	return diag.OneIsKept(w, kept)
}

// known reports whether the peer has proved a first identity at least.
func (m *Machine) known() bool {
	return m.flow != nil && (m.flow.t.PeerProved || m.flow.t.PeerRounds > 0)
}

// provesOn reports whether a half-open responder goes on with another round: to a peer that has proved a first identity, or that is to prove
// itself by EAP and was shown who this side is before. Between two rounds the initiator may find that it does not accept what it is shown.
func (m *Machine) provesOn() bool {
	return m.known() || m.flow != nil && m.flow.judged && m.cfg.RemoteAuth.EAP()
}

// handleRejection takes the INFORMATIONAL request by which an initiator says so: "If the error occurs on the initiator, the notification MAY be
// returned in a separate INFORMATIONAL exchange". https://www.rfc-editor.org/rfc/rfc7296#section-2.21.2
func (m *Machine) handleRejection(r *request) []wire.Payload {
	if n := fatalNotify(r.payloads); n != nil {
		f := m.peerRefusedAuth(n)
		// A client that its method has told no may not wait for EAP-Failure, as strongSwan: it is not this side that it refuses.
		if m.flow != nil && m.flow.told != nil {
			f = m.flow.told
		}
		m.closing = &Closed{Reason: "peer answered " + n.NotifyType.String(), Failure: f}
	}
	return nil
}
