package sa

import (
	"time"

	"esplanade/ike/auth"
)

// userTime is how long a person has for an answer, at least: a password is typed, or read off a token.
const userTime = time.Minute

// verdictTime is how long a client has that was told, in the words of its method of EAP, that it is not let in: for its answer, and
// EAP-Failure. Many never come back, and ask for another password.
const verdictTime = 10 * time.Second

// tellVerdict says at once why a user will not be let in, when its client is being told: it may never come back.
func (m *Machine) tellVerdict(now time.Time) (told bool) {
	f := m.flow
	if f.told != nil {
		return true
	}
	err := f.pair.Verdict()
	if err == nil {
		return false
	}
	f.told = m.authFailure(err)
	m.emit(Failed{Failure: f.told, Early: true})
	m.life.expireAt = now.Add(verdictTime)
	return true
}

// waitForUser lets a half-open responder wait for the next round of IKE_AUTH. half_open_timeout is for each round then, and a minute at least
// where a user is asked for a proof, in the second round and later. All of it ends after maxAuthTime.
func (m *Machine) waitForUser(now time.Time) {
	if !m.cfg.usesEAP() || m.tellVerdict(now) {
		return
	}
	d := m.cfg.HalfOpenTimeout
	if m.flow.rounds > 1 {
		d = max(d, userTime)
	}
	m.halfOpenUntil(now.Add(d))
}

// waitForServer lets it wait while a RADIUS server is asked: it is not the user who does not go on then.
func (m *Machine) waitForServer(p Proof) {
	if _, ok := p.Want.(auth.EAPRelay); ok && !m.initiator {
		m.halfOpenUntil(m.asks.open.deadline.Add(m.cfg.HalfOpenTimeout))
	}
}

// halfOpenUntil puts off the end of a half-open responder.
func (m *Machine) halfOpenUntil(until time.Time) {
	if last := m.created.Add(maxAuthTime); until.After(last) {
		until = last
	}
	if until.After(m.life.expireAt) {
		m.life.expireAt = until
	}
}
