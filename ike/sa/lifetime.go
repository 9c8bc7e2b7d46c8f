package sa

import (
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// lifetime schedules the end of an IKE SA: first its rekeying, then, when that did not work, its deletion.
type lifetime struct {
	rekeyAt, expireAt time.Time
	// spared: expireAt was put off once, see endRekeyed.
	spared bool
}

// start sets the times for an SA established now. A random share of rand is taken off the rekey time, so that two
// gateways with equal settings do not collide (RFC 7296 section 2.8).
func (l *lifetime) start(now time.Time, rekey, rand, hard time.Duration, jitter float64) {
	*l = lifetime{}
	if rekey > 0 {
		l.rekeyAt = now.Add(jittered(rekey, rand, jitter))
	}
	if hard > 0 {
		l.expireAt = now.Add(hard)
	}
}

func jittered(d, rand time.Duration, jitter float64) time.Duration {
	return max(d-time.Duration(float64(rand)*jitter), d/10)
}

const (
	// rekeyRetry is the pause before a rekeying that the peer could not do now is tried again. RFC 7296 section 2.25
	// asks for a pause and leaves its length open.
	rekeyRetry = 10 * time.Second
	// refusedPart is which part of the time that is left of a CHILD SA is the pause after a rekeying that the peer has refused.
	refusedPart = 4
	// lateTraffic is how long an inbound SA stays after its DELETE for packets that are still on the way.
	lateTraffic = 5 * time.Second
	// supersededTime is how long the peer that rekeyed an SA may take to delete the old one before we do.
	supersededTime = 60 * time.Second
	// redundantTime is the same for the IKE SA of a rekeying that lost against ours. Nothing is in it, and a peer that has heard of the
	// end of ours before it had our answer does not know it.
	redundantTime = 5 * time.Second
	// childlessTime is how long a responder keeps an IKE SA whose only CHILD SA could not be created.
	childlessTime = 10 * time.Second
)

// NextTimeout is the latest time of the next [Machine.Advance]; zero when nothing is scheduled.
func (m *Machine) NextTimeout() time.Time {
	if m.state == StateClosed {
		return m.closedUntil
	}
	t := m.livenessTimeout()
	if p := m.pending; p != nil && !p.parked.waits() {
		t = earliest(t, p.next)
	}
	t = earliest(earliest(t, m.requestTimeout()), earliest(m.deadTimeout(), m.recallTimeout()))
	if m.state == StateEstablished {
		t = earliest(t, m.life.rekeyAt)
	}
	t = earliest(t, m.life.expireAt)
	t = earliest(t, m.authTimeout())
	t = earliest(t, m.childlessUntil)
	t = earliest(t, m.frag.nextTimeout())
	t = earliest(t, m.answeringTimeout())
	for _, d := range m.delayed {
		t = earliest(t, d.at)
	}
	for _, c := range m.children {
		t = earliest(t, c.nextTimeout(m.state))
	}
	return t
}

func (c *Child) nextTimeout(ike State) time.Time {
	t := c.removeAt
	if c.State == ChildInstalled && ike == StateEstablished {
		t = earliest(t, c.rekeyAt)
	}
	if c.live() && (ike == StateEstablished || ike == StateRekeying) {
		t = earliest(t, c.expireAt)
	}
	if c.State == ChildRekeyed && !c.supersededAt.IsZero() && ike == StateEstablished {
		t = earliest(t, c.supersededAt.Add(supersededTime))
	}
	return t
}

// Advance does what is due: retransmissions, liveness checks, rekeyings, expiry.
func (m *Machine) Advance(now time.Time) {
	if m.state == StateClosed {
		if !m.closedUntil.IsZero() && !now.Before(m.closedUntil) {
			m.closedUntil = time.Time{}
			m.window.response = nil
		}
		return
	}
	m.advanceRequests(now)
	m.advanceRetransmit(now)
	m.advanceSilence(now)
	m.recall(now)
	m.frag.advance(now)
	m.advanceAnswering(now)
	m.advanceLifetime(now)
	m.advanceAuthLife(now)
	for _, c := range slices.Clone(m.children) {
		m.advanceChild(now, c)
	}
	m.advanceDelayed(now)
	m.advanceLiveness(now)
	m.pump(now)
}

func (m *Machine) advanceLifetime(now time.Time) {
	if !m.childlessUntil.IsZero() && !now.Before(m.childlessUntil) {
		m.childlessUntil = time.Time{}
		if len(m.children) == 0 {
			m.Delete(now, "no CHILD SA")
		}
	}
	if !m.life.expireAt.IsZero() && !now.Before(m.life.expireAt) {
		m.life.expireAt = time.Time{}
		switch m.state {
		case StateConnecting:
			m.abortHalfOpen(now)
		case StateRekeyed:
			m.endRekeyed(now)
		default:
			m.delete(now, "lifetime is over", false)
		}
	}
	if m.state == StateEstablished && !m.life.rekeyAt.IsZero() && !now.Before(m.life.rekeyAt) {
		m.life.rekeyAt = time.Time{}
		m.RekeyIKE(now)
	}
}

func (m *Machine) advanceChild(now time.Time, c *Child) {
	if !c.removeAt.IsZero() && !now.Before(c.removeAt) {
		m.forgetChild(c)
		return
	}
	if m.state != StateEstablished && m.state != StateRekeying {
		return
	}
	if c.live() && !c.expireAt.IsZero() && !now.Before(c.expireAt) {
		c.expireAt = time.Time{}
		if c.refused && c.State == ChildInstalled && m.state == StateEstablished {
			// "If an SA has expired or is about to expire and rekeying attempts using the mechanisms described here fail, an
			// implementation MUST close the IKE SA and any associated Child SAs and then MAY start new ones."
			// https://www.rfc-editor.org/rfc/rfc7296#section-2.8
			m.emit(Failed{Failure: diag.Expired(m.where(wire.ExchangeCreateChildSA).Of(c.Config.Name, c.Config.Line), "that of the CHILD SA, which the peer does not rekey")})
			m.Delete(now, "a CHILD SA has expired and could not be rekeyed")
			return
		}
		m.deleteChild(now, c, "lifetime is over", false)
		return
	}
	if m.state != StateEstablished {
		return
	}
	if c.State == ChildInstalled && !c.rekeyAt.IsZero() && !now.Before(c.rekeyAt) {
		c.rekeyAt = time.Time{}
		m.RekeyChild(now, c.ID)
	}
	if c.State == ChildRekeyed && !c.supersededAt.IsZero() && !now.Before(c.supersededAt.Add(supersededTime)) {
		c.supersededAt = time.Time{}
		m.deleteChild(now, c, "replaced", false)
	}
}
