package sa

import (
	"errors"
	"fmt"

	"esplanade/ike/auth"
	"esplanade/ike/diag"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// Several rounds of authentication (RFC 4739): a side proves one identity after another, see [auth.ProveRounds].
//
//	IKE_SA_INIT                                              <--  N(MULTIPLE_AUTH_SUPPORTED)
//	IKE_AUTH     IDi, AUTH, …, N(MULTIPLE_AUTH_SUPPORTED),
//	             N(ANOTHER_AUTH_FOLLOWS)                     -->
//	                                                         <--  IDr, AUTH
//	IKE_AUTH     IDi, AUTH                                   -->
//	                                                         <--  SAr2, TSi, TSr, …
//
// The first round's identities select the connection. An IKE SA is what it is for the identities of the last round: by those it is
// shown, counted and unique. It is there when all rounds are done, and nothing of it before.

// Round is one round of a side in addition to the first one.
type Round struct {
	// ID is as LocalID and RemoteID of [Fixed].
	ID   identity.Identity
	Auth policy.Auth
}

func (r Round) signs() bool { return r.Auth == policy.AuthPubkey }

// SeveralRounds reports whether either side proves itself more than once.
func (c *Config) SeveralRounds() bool { return len(c.LocalRounds)+len(c.RemoteRounds) > 0 }

// round is the i-th round of this side, from 0, and peerRound that of the peer.
func (c *Config) round(i int) Round {
	if i == 0 {
		return Round{c.LocalID, c.LocalAuth}
	}
	return c.LocalRounds[i-1]
}

func (c *Config) peerRound(i int) Round {
	if i == 0 {
		return Round{c.RemoteID, c.RemoteAuth}
	}
	return c.RemoteRounds[i-1]
}

// peerRoundLine is where the identity of the i-th round of the peer is configured.
func (c *Config) peerRoundLine(i int) string {
	if i == 0 || i > len(c.RemoteRoundLines) {
		return c.RemoteIDLine
	}
	return c.RemoteRoundLines[i-1]
}

// multipleAuth says that this side does RFC 4739. A responder says so to everybody.
func multipleAuth() []wire.Payload {
	return []wire.Payload{&wire.Notify{NotifyType: wire.NotifyMultipleAuthSupported}}
}

// answersMultipleAuth takes the responder's IKE_SA_INIT.
func (m *Machine) answersMultipleAuth(payloads []wire.Payload) *diag.Failure {
	m.init.multipleAuth = notify(payloads, wire.NotifyMultipleAuthSupported) != nil
	if m.cfg.SeveralRounds() && !m.init.multipleAuth {
		return m.noMultipleAuth(m.where(wire.ExchangeIKESAInit))
	}
	return nil
}

// offerMultipleAuth is what an initiator says of it, to a responder that knows it.
func (m *Machine) offerMultipleAuth() []wire.Payload {
	if !m.init.multipleAuth {
		return nil
	}
	return multipleAuth()
}

// takesRounds refuses an initiator that could not be shown all that this side proves. That one which proves too little itself is refused
// shows in its messages.
func (m *Machine) takesRounds(payloads []wire.Payload) error {
	if m.initiator || len(m.cfg.LocalRounds) == 0 || notify(payloads, wire.NotifyMultipleAuthSupported) != nil {
		return nil
	}
	return &auth.RoundsError{Want: 1 + len(m.cfg.RemoteRounds), Round: 1, Unsupported: true}
}

// prover and checker are the proofs of all rounds.
func (m *Machine) prover(f *authFlow, first auth.Authenticator) auth.Authenticator {
	if len(m.cfg.LocalRounds) == 0 || m.resume.active {
		return first
	}
	list := []auth.Round{{Authenticator: first}}
	for i := range m.cfg.LocalRounds {
		list = append(list, auth.Round{Authenticator: m.prove(f, i+1), Shows: func() *wire.ID { return m.shows(i + 1) }})
	}
	return auth.ProveRounds(list)
}

func (m *Machine) checker(f *authFlow, first auth.Authenticator) auth.Authenticator {
	if m.resume.active {
		return first
	}
	list := []auth.Round{{Authenticator: first}}
	for i := range m.cfg.RemoteRounds {
		list = append(list, auth.Round{Authenticator: m.check(f, i+1), Hears: func(id *wire.ID) error { return m.hears(i+1, id) }})
	}
	return auth.CheckRounds(list)
}

// shows takes up the identity of a later round of this side.
func (m *Machine) shows(round int) *wire.ID {
	m.localID = m.written(round)
	return m.idPayload()
}

// idPayload is the identity of this side.
func (m *Machine) idPayload() *wire.ID {
	return &wire.ID{Responder: !m.initiator, IDType: wire.IDType(m.localID.Type), Data: m.localID.Data}
}

// hears takes the identity that the peer shows in a round.
func (m *Machine) hears(round int, id *wire.ID) error {
	if f := m.peerIs(round, id); f != nil {
		return &peerIDError{f}
	}
	return nil
}

// peerIDError is an identity that is not the expected one, on its way through package auth.
type peerIDError struct{ f *diag.Failure }

func (e *peerIDError) Error() string { return e.f.Error() }

// otherConnection reports whether a message that can't be right for a connection may be so for another one with the same identities:
// nothing has been compared with a secret, and another connection may trust another CA.
func otherConnection(err error) bool {
	var method *auth.MethodError
	var rounds *auth.RoundsError
	var refusal *pki.Refusal
	return errors.As(err, &refusal) || errors.Is(err, auth.ErrNoTrust) || errors.As(err, &method) || errors.As(err, &rounds) && rounds.Round == 1
}

// roundsFailure is what IKE_AUTH has failed with because of the number of rounds.
func (m *Machine) roundsFailure(w diag.Where, e *auth.RoundsError) *diag.Failure {
	ours := rounds(e.Want)
	switch {
	case e.Unsupported:
		return m.noMultipleAuth(w)
	case e.NoID:
		return diag.Unexpected(w, fmt.Sprintf("the identity of round %d", e.Round), "a message without it")
	case e.More:
		return diag.RoundsDiffer(w, ours, "more, or for other identities")
	}
	return diag.RoundsDiffer(w, ours, rounds(e.Round))
}

// noMultipleAuth is the failure that the peer does not know RFC 4739.
func (m *Machine) noMultipleAuth(w diag.Where) *diag.Failure {
	return diag.NoMultipleAuth(w, rounds(1+len(m.cfg.LocalRounds))+" here and "+rounds(1+len(m.cfg.RemoteRounds))+" of the peer")
}

func rounds(n int) string {
	if n == 1 {
		return "one round"
	}
	return fmt.Sprintf("%d rounds", n)
}
