package sa

import (
	"time"

	"esplanade/ike/diag"
)

// silenceAfter is how many times a request has been sent again before its peer counts as one that does not answer. One repetition is
// the loss of one packet; with the default timers the second is sent after 5.6 seconds.
const silenceAfter = 2

// Silence is a request of this side without an answer, from its second repetition on. There is one while the peer does not answer,
// in an IKE SA that is being set up or is in use, and none again with the first answer. It is immutable.
type Silence struct {
	// Kind and Request say what for the request is: "IKE_SA_INIT", "liveness check".
	Kind    TaskKind
	Request string
	// Since is when the request was sent first, Last when it was sent again last: Repeated times so far. Tries is how often that
	// happens before the peer is given up.
	Since, Last     time.Time
	Repeated, Tries int
	// Dead is when the ordinary time was over, that of all Tries: the peer counts as dead since then, and its SAs as down,
	// although a responder with MOBIKE goes on asking (RFC 4555 section 3.11). Zero before.
	Dead time.Time
	// Failure is what it comes to if no answer comes: provisional as long as Dead is zero, what was reported afterwards.
	Failure *diag.Failure
}

// Silence says since when the peer does not answer, nil if it does, or if nothing depends on an answer: with an IKE SA that is
// replaced, or about to be deleted.
func (m *Machine) Silence() *Silence {
	inUse := m.state == StateConnecting || m.state == StateEstablished || m.state == StateRekeying
	if m.pending == nil || m.pending.parked.waits() || m.Replaced() || !inUse {
		return nil
	}
	return m.pending.silence
}

// noteSilence is called after each repetition of a request. One that somebody has refused in the clear is not without an answer; the
// refusal has been reported.
func (m *Machine) noteSilence(now time.Time, p *outstanding) {
	switch {
	case p.doubted:
		p.silence = nil
	case p.silence != nil && !p.silence.Dead.IsZero():
		s := *p.silence
		s.Last, s.Repeated = now, p.again
		p.silence = &s
	case p.tries >= silenceAfter || p.silence != nil: // that another path is tried is no answer
		p.silence = m.silenceOf(now, p)
	}
	p.listenAt = now.Add(listenInterval)
}

func (m *Machine) silenceOf(now time.Time, p *outstanding) *Silence {
	return &Silence{
		Kind: p.task.traits().kind, Request: p.task.name(), Since: p.firstSent, Last: now,
		Repeated: p.again, Tries: m.triesOf(p) + p.refragmented, Failure: m.verdict(now, p),
	}
}

// silent is the request of which [Machine.Silence] speaks, of a peer that is authenticated; nil for none.
func (m *Machine) silent() *outstanding {
	if m.state == StateConnecting || m.Silence() == nil {
		return nil
	}
	return m.pending
}

// deadTimeout is when the peer counts as dead, if it does not answer until then.
func (m *Machine) deadTimeout() time.Time {
	p := m.silent()
	if p == nil || p.doubted || p.task.traits().tries > 0 || !p.silence.Dead.IsZero() {
		return time.Time{}
	}
	return p.deadAt
}

// advanceSilence has a peer count as dead when the ordinary time is over. The repetitions may take longer: each change of the path
// begins them again.
func (m *Machine) advanceSilence(now time.Time) {
	if at := m.deadTimeout(); !at.IsZero() && !now.Before(at) {
		m.noteDead(now, m.pending)
	}
}

// listenInterval is how often a sign of life of a silent peer is looked for: ESP packets do not wake an IKE SA.
const listenInterval = 2 * time.Second

// recall sends a further copy of a request when its silent peer is heard again. The path was interrupted, and the next repetition may be
// half a minute away; until then the peer would be shown as one that does not answer.
func (m *Machine) recall(now time.Time) {
	if at := m.recallTimeout(); at.IsZero() || now.Before(at) {
		return
	}
	p := m.pending
	if m.Heard().After(p.silence.Last) {
		m.sendFurther(now, p)
		return
	}
	p.listenAt = now.Add(listenInterval)
}

func (m *Machine) recallTimeout() time.Time {
	p := m.silent()
	if p == nil || p.further > p.again {
		return time.Time{}
	}
	return p.listenAt
}

// sendFurther sends a request in flight once more at once, since the peer has just been heard: again, or from another place. It counts for
// none of the usual repetitions, and there is one such copy for each of them at most. When the peer does not hear this side, more of them do
// not help; and a peer may say of any address that it is there.
func (m *Machine) sendFurther(now time.Time, p *outstanding) {
	if p.further <= p.again {
		p.further = p.again + 1
		m.repeat(now, p)
	}
}

// noteDead reports that the peer counts as dead, once. The request goes on being repeated.
func (m *Machine) noteDead(now time.Time, p *outstanding) {
	if p.silence != nil && !p.silence.Dead.IsZero() {
		return
	}
	s := m.silenceOf(now, p)
	s.Dead = now
	if p.silence != nil {
		s.Last = p.silence.Last
	}
	p.silence = s
	m.emit(Failed{Failure: s.Failure})
}

// Heard is when the last authentic message or ESP packet came from the peer; zero before the first.
func (m *Machine) Heard() time.Time {
	last := m.alive.lastHeard
	if m.state == StateConnecting && last.Equal(m.created) {
		last = time.Time{}
	}
	for _, c := range m.children {
		if t := m.env.LastInbound(c.ID); t.After(last) {
			last = t
		}
	}
	return last
}
