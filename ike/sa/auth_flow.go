package sa

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/policy"
	"esplanade/ike/ticket"
	"esplanade/ike/wire"
)

// authFlow is where the IKE_AUTH exchanges of a new IKE SA are. There are as many rounds as the proofs of the two sides take
// (package auth), each a request and its answer with a message id of its own. What is not a proof has its place in the first
// request and in the last answer:
//
//	first request   IDi, [IDr,] [AUTH,] …, SAi2, TSi, TSr, and what the initiator can do
//	first answer    IDr, [AUTH,] …
//	…               …
//	last answer     [AUTH,] SAr2, TSi, TSr, and what the responder can do
//
// With a pre-shared key the first round is the last one. https://www.rfc-editor.org/rfc/rfc7296#section-2.16
type authFlow struct {
	t    auth.Transcript
	pair *auth.Pair
	// rounds counts the requests.
	rounds int
	// peer is who the peer says it is, in its round of that number, from 0.
	peer  identity.Identity
	round int
	// first is the request that a responder was asked with, kept its size once somebody has asked for it.
	first *request
	kept  int
	// at is the request that a responder is at, and judged that its proof was. building: an initiator is at a request.
	// What waits begins again there.
	now              time.Time
	at               *request
	judged, building bool
	// told is why the peer will not be let in, once that was said.
	told *diag.Failure
	// admitted: a peer that has proved itself was let in.
	admitted bool
	// done: both proofs are complete. answer is what a responder's last message has of them.
	done   bool
	answer []wire.Payload
	// leased is what a responder gives to the peer that has asked for addresses, and unleased why it has none for it.
	leased   *Leased
	unleased error
}

const (
	// maxAuthRounds bounds the rounds of IKE_AUTH in both roles: more than "at least ten" of RFC 7296 section 2.16, and than it
	// takes for the chains of certificates of EAP-TLS in small fragments.
	maxAuthRounds = 64
	// maxAuthTime is how long an initiator goes on with further rounds. For a responder there is half_open_timeout.
	maxAuthTime = 5 * time.Minute
)

// newAuthFlow begins IKE_AUTH, with the connection and the identity that this side has by now.
func (m *Machine) newAuthFlow() *authFlow {
	f := &authFlow{}
	f.t = auth.Transcript{
		PRF: m.prf, Keys: m.keys, Initiator: m.initiator, OwnMessage: m.init.ownMessage, PeerMessage: m.init.peerMessage,
		Ni: m.init.ni, Nr: m.init.nr, IntAuth: m.intAuth(), Full: m.init.downgrade.full,
		OwnHashes: m.sig.own, PeerHashes: m.sig.peer, Requests: m.sig.requests, PeerMethods: m.sig.methods,
		OwnID: m.idPayload(),
		Ask:   m.askAuth,
	}
	own, peer := m.authenticators(f)
	f.pair = auth.NewPair(own, peer)
	return f
}

// held is how many octets are kept of what the peer of a responder has sent: from the first request on, also while that waits.
func (f *authFlow) held() int {
	if f == nil || f.first == nil {
		return 0
	}
	if f.kept == 0 {
		f.kept = len(wire.AppendPayloads(nil, f.first.payloads))
	}
	return f.kept + f.pair.Held()
}

// end ends what the proofs keep. It may be called on nil.
func (f *authFlow) end() {
	if f != nil {
		f.pair.Close()
	}
}

// authenticators makes the proofs of both sides that the connection asks for. A PPK goes with the first round.
func (m *Machine) authenticators(f *authFlow) (own, peer auth.Authenticator) {
	own, peer = m.prove(f, 0), m.check(f, 0)
	switch {
	case !m.initiator:
		peer = auth.CheckPPK(peer, m.ppkPolicy())
	case m.ppk.agreed:
		own = auth.ProvePPK(own, auth.PPK{ID: m.ppk.id, Secret: m.ppk.secret, Required: m.cfg.PPKRequired})
	}
	return m.prover(f, own), m.checker(f, peer)
}

// prove is the proof of a round of this side, and check that of the peer.
func (m *Machine) prove(f *authFlow, round int) auth.Authenticator {
	how, key := m.cfg.round(round).Auth, func() (auth.Credential, bool) {
		if f.t.PeerID == nil {
			return m.lookUp(auth.Query{Local: m.localID, Remote: m.cfg.RemoteID, Guess: !m.cfg.RemoteID.Concrete()})
		}
		return m.lookUp(auth.Query{Local: m.localID, Remote: f.peer})
	}
	if !m.initiator && !m.resume.active && how == policy.AuthPSK && m.cfg.RemoteAuth.EAP() {
		return auth.ProvePSKFirst(key)
	}
	return m.method(how, round).Prove(key)
}

func (m *Machine) check(f *authFlow, round int) auth.Authenticator {
	return m.method(m.cfg.peerRound(round).Auth, round).Check(func() (auth.Credential, bool) {
		return m.lookUp(auth.Query{Local: m.localID, Remote: f.peer})
	})
}

// method finds the authenticators of a configured method, for a round. An IKE SA that was resumed is proved by its keys, whatever the
// method was.
func (m *Machine) method(a policy.Auth, round int) method {
	switch {
	case m.resume.active:
		return method{Prove: auth.ProveResumed, Check: auth.CheckResumed}
	case m.env.method != nil:
		return m.env.method(a)
	}
	return m.methodOf(a, round)
}

// method makes the authenticators of a method: one that proves this side, one that checks the peer. They find what they prove
// it with by the function that they are given.
type method struct {
	Prove, Check func(auth.Secret) auth.Authenticator
}

// methodOf gives the methods that there are.
func (m *Machine) methodOf(a policy.Auth, round int) method {
	switch a {
	case policy.AuthPSK:
		return method{Prove: auth.ProvePSK, Check: auth.CheckPSK}
	case policy.AuthPubkey:
		return method{
			Prove: func(auth.Secret) auth.Authenticator { return auth.ProveSignature(m.signing(round)) },
			Check: func(auth.Secret) auth.Authenticator { return auth.CheckSignature(m.checking(round)) },
		}
	default:
		if a.EAP() {
			return m.eapMethod(round)
		}
	}
	panic("BUG: a connection without a method of authentication: " + a.String())
}

// lookUp finds a credential for a proof, and notes where it is configured.
func (m *Machine) lookUp(q auth.Query) (auth.Credential, bool) {
	q.Connection = m.cfg.Name
	if m.resume.active && m.cfg.signs() {
		_, ok := m.credentialMark(q.Local, q.Remote)
		return auth.Credential{}, ok
	}
	c, ok := m.env.Credentials(q)
	m.credential = diag.Key{Table: c.Name, Line: c.Line}
	return c, ok
}

// credentialMark is the mark of what two identities prove themselves with; ok is false if there is nothing any more. Of a side that
// signs it is what the connection has for that: this side's certificates, and what is accepted of the peer.
func (m *Machine) credentialMark(local, remote identity.Identity) (mark [ticket.MarkLen]byte, ok bool) {
	h := sha256.New()
	if m.cfg.LocalAuth != policy.AuthPubkey || m.cfg.RemoteAuth != policy.AuthPubkey {
		c, ok := m.env.Credentials(auth.Query{Connection: m.cfg.Name, Local: local, Remote: remote})
		if mark = markOf(c); !ok || !m.cfg.signs() {
			return mark, ok
		}
		h.Write(mark[:])
	}
	if m.env.Mark == nil || m.cfg.LocalAuth == policy.AuthPubkey && len(m.pairs(0)) == 0 ||
		m.cfg.RemoteAuth == policy.AuthPubkey && m.accepted(m.cfg, 0).Trust == nil {
		return mark, false
	}
	signed := m.env.Mark(m.cfg.Name)
	h.Write(signed[:])
	return [ticket.MarkLen]byte(h.Sum(nil)), true
}

// markOf identifies a credential within session tickets, which nobody but this daemon reads. When it has changed, what was
// proved with the old one is worth nothing.
func markOf(c auth.Credential) [ticket.MarkLen]byte {
	mark := c.Mark()
	return [ticket.MarkLen]byte(mark[:])
}

// nextRound counts a round.
func (m *Machine) nextRound() *diag.Failure {
	f := m.flow
	if f.rounds >= maxAuthRounds {
		w := m.where(wire.ExchangeIKEAuth).Answering(wire.NotifyAuthenticationFailed)
		return diag.LimitReached(w, fmt.Sprintf("%d rounds of IKE_AUTH at most", maxAuthRounds), "another one")
	}
	f.rounds++
	return nil
}

// peerIs takes the identity that the peer claims in a round, from 0. It has to be one that the connection is for, and that of the ticket
// where an IKE SA is resumed.
func (m *Machine) peerIs(round int, id *wire.ID) *diag.Failure {
	want := m.cfg.peerRound(round).ID
	w := m.where(wire.ExchangeIKEAuth).At(m.cfg.peerRoundLine(round)).Answering(wire.NotifyAuthenticationFailed)
	got, err := identity.FromWire(uint8(id.IDType), id.Data)
	if err != nil {
		return diag.IDUnreadable(w, want.String(), id.IDType.String(), err)
	}
	if _, ok := got.Matches(want); !ok {
		return diag.IDMismatch(w.Showing(got.String()), want.String(), got.String())
	}
	m.flow.t.PeerID, m.flow.peer, m.flow.round = id, got, round
	return m.otherThanResumed(got)
}

// judge takes the peer's message of a round.
func (m *Machine) judge(payloads []wire.Payload) (step auth.Step, err error) {
	f := m.flow
	f.t.Now = f.now
	if f.rounds == 1 {
		if err = m.takesRounds(payloads); err != nil {
			return step, err
		}
	}
	step, err = f.pair.Process(&f.t, payloads)
	if err == nil && step.Status != auth.Wait && f.t.PeerProved {
		m.remoteID, m.candidates, m.best = f.peer, nil, nil
	}
	return step, err
}

// authFailure is what a proof has failed with, as the operator sees it.
func (m *Machine) authFailure(err error) *diag.Failure {
	w := m.where(wire.ExchangeIKEAuth)
	refuse, own, peer := w.Answering(wire.NotifyAuthenticationFailed), m.localID.String(), m.flow.peer.String()
	var method *auth.MethodError
	var ppk *auth.PPKError
	var rounds *auth.RoundsError
	var id *peerIDError
	if f := m.signatureFailure(refuse, err); f != nil {
		return f
	}
	if f := m.eapFailure(refuse, err); f != nil {
		return f
	}
	switch {
	case errors.As(err, &rounds):
		return m.roundsFailure(refuse.Showing(peer).At(m.cfg.peerRoundLine(m.flow.round)), rounds)
	case errors.As(err, &id):
		return id.f
	case errors.As(err, &method) && method.Missing && m.initiator:
		return diag.Unexpected(w, "IDr and AUTH", "a response without AUTH")
	case errors.As(err, &method):
		theirs := method.Got.String()
		if method.Missing {
			theirs = "EAP (no AUTH payload)"
		}
		return diag.MethodMismatch(refuse.At(m.cfg.peerRoundLine(m.flow.round)), m.cfg.peerRound(m.flow.round).Auth.String(), theirs)
	case errors.As(err, &ppk):
		return m.ppkDisagreed(ppk)
	case errors.Is(err, auth.ErrNoSecret) && m.flow.t.PeerID == nil:
		return diag.NoSecret(w, own, m.cfg.RemoteID.String())
	case errors.Is(err, auth.ErrNoSecret):
		return diag.NoSecret(refuse, own, peer)
	case errors.Is(err, auth.ErrStripped):
		return diag.TranscriptStripped(refuse.Showing(peer))
	case errors.Is(err, auth.ErrMismatch):
		f := diag.WrongPSK(refuse.Showing(peer), m.credential, own, peer)
		if !m.initiator && m.flow.t.PPKUsed && m.flow.t.PPK != "" {
			f.WithPPK(ppkName(m.flow.t.PPK))
		}
		return f
	}
	return keFailure(refuse, err)
}

// established marks the SA as authenticated both ways and starts its lifetime.
func (m *Machine) established(now time.Time) {
	t := &m.flow.t
	m.keys = t.Keys // SK_d has the PPK in it by now
	m.ppk.settle(t.PPK, t.PPKUsed)
	m.transcribed = m.transcribed || t.Full
	m.establishedAt = now
	m.life.start(now, m.cfg.RekeyTime, m.cfg.RandTime, m.cfg.HardTime, m.env.Jitter())
	m.startAuthLife(m.authenticatedAt())
	m.startSession(t.User)
	if c := t.Peer.Chain; len(c) > 0 {
		m.auth.cert = pki.Subject(c[0])
	}
	if m.auth.until, m.auth.good = t.Peer.Until, t.PeerGoodUntil; m.resume.active {
		m.auth.until = m.resume.until
	}
	m.startLooking(now, t.PeerCerts)
	m.auth.reauthAt = earliest(m.auth.reauthAt, m.resume.reauthAt)
	m.init.ownMessage, m.init.peerMessage = nil, nil // the nonces still key the first child
	m.signed = t.Own
	m.flow.end()
	m.inter, m.flow = intermediate{}, nil
	m.setState(StateEstablished, "IKE_AUTH done")
	m.emit(Established{})
	// A PPK that was not used is a downgrade that both sides allow: "implementations SHOULD audit this event".
	// https://www.rfc-editor.org/rfc/rfc8784#section-6-10
	if m.cfg.PPKID != "" && !m.ppk.used {
		m.emit(PPKUnused{ID: m.cfg.PPKID})
	}
}
