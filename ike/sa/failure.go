package sa

import (
	"errors"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/selector"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// keFailure is the failure of a key exchange: the peer's fault, if it sent a value that must not be used, or a matter of time.
func keFailure(w diag.Where, err error) *diag.Failure {
	var bad *suite.KEError
	switch {
	case errors.As(err, &bad):
		return diag.BadKEValue(w, groupName(bad.Group), err)
	case NotNow(err):
		return diag.NoTime(w, err)
	}
	return diag.Internal(w, err)
}

// badValue reports whether a key exchange has failed because of the peer's value.
func badValue(err error) bool {
	var bad *suite.KEError
	return errors.As(err, &bad)
}

// peerRefusedInit is an error notify in an IKE_SA_INIT response.
func (m *Machine) peerRefusedInit(n *wire.Notify) *diag.Failure {
	return diag.Refused(m.whereProposals(wire.ExchangeIKESAInit), n.NotifyType, m.proposed())
}

func (m *Machine) refusedGroup(group uint16) *diag.Failure {
	return diag.KEGroupRefused(m.whereProposals(wire.ExchangeIKESAInit), wire.NotifyInvalidKEPayload, proposalTexts(m.cfg.Proposals), groupName(group))
}

// peerRefusedChild is an error notify instead of a CHILD SA.
func (m *Machine) peerRefusedChild(x wire.ExchangeType, c *ChildConfig, ts selector.Pair, n *wire.Notify) *diag.Failure {
	line := c.Line
	switch n.NotifyType {
	case wire.NotifyNoProposalChosen, wire.NotifyInvalidKEPayload:
		line = c.ProposalsLine
	case wire.NotifyTSUnacceptable:
		line = c.LocalTSLine
	}
	return diag.Refused(m.where(x).Of(c.Name, line), n.NotifyType, diag.Offer{Proposals: proposalTexts(c.Proposals), Selectors: selectorTexts(ts)})
}

// giveUp ends the SA after the last retransmission stayed without an answer. "An endpoint MUST
// conclude that the other endpoint has failed only when repeated attempts to contact it have gone unanswered for a timeout
// period": https://www.rfc-editor.org/rfc/rfc7296#section-2.4
func (m *Machine) giveUp(now time.Time, p *outstanding) {
	m.pending = nil
	if t, ok := p.task.(silentTask); ok && t.silent(m, now, p) {
		return
	}
	if s := p.silence; s != nil && !s.Dead.IsZero() {
		m.endUnanswered(now, p, s.Failure) // which was reported
		return
	}
	m.endUnanswered(now, p, m.verdict(now, p))
}

// verdict is what a request that stays without an answer fails with.
func (m *Machine) verdict(now time.Time, p *outstanding) *diag.Failure {
	if t, ok := p.task.(verdictTask); ok {
		if f := t.verdict(m, now, p); f != nil {
			return f
		}
	}
	switch {
	case p.stuck != nil:
		return p.stuck
	case p.unreached != nil && m.state == StateConnecting:
		return p.unreached
	}
	return m.silence(now, p)
}

// endUnanswered ends the SA for a request that stayed without an answer.
func (m *Machine) endUnanswered(now time.Time, p *outstanding, f *diag.Failure) {
	p.task.abandoned(m, now)
	m.window.response = nil // a peer that is silent does not ask again
	m.close(now, p.task.exchange().String()+" was not answered", f)
}

// silence is the failure of a request that stayed without an answer.
func (m *Machine) silence(now time.Time, p *outstanding) *diag.Failure {
	w, connecting := m.where(p.task.exchange()), m.state == StateConnecting
	switch {
	case p.unreachable > 0 && connecting:
		return diag.UnreachableAfter(w, p.unreachErr, p.sent(now))
	case p.task.traits().kind == TaskLiveness && !connecting:
		return diag.Dead(w, m.lastInbound(), p.sent(now))
	}
	sent := p.sent(now)
	sent.Size, sent.InitPort = p.size(), m.init.port
	return diag.Silent(w, connecting, sent)
}

// sent is what was sent for a request so far.
func (p *outstanding) sent(now time.Time) diag.Sent {
	return diag.Sent{Times: p.again + 1, Over: now.Sub(p.firstSent)}
}
