package sa

import "time"

// userTime is how long a person has for an answer, at least: a password is typed, or read off a token.
const userTime = time.Minute

// waitForUser lets a half-open responder wait for the next round of IKE_AUTH. half_open_timeout is for each round then, and a minute at least
// where a user is asked for a proof, in the second round and later. All of it ends after maxAuthTime.
func (m *Machine) waitForUser(now time.Time) {
	if !m.cfg.usesEAP() {
		return
	}
	d := m.cfg.HalfOpenTimeout
	if m.flow.rounds > 1 {
		d = max(d, userTime)
	}
	until := now.Add(d)
	if last := m.created.Add(maxAuthTime); until.After(last) {
		until = last
	}
	if until.After(m.life.expireAt) {
		m.life.expireAt = until
	}
}
