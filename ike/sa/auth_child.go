package sa

import (
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// The first CHILD SA goes along with IKE_AUTH: SAi2, TSi and TSr in the first request, SAr2, TSi and TSr in the last answer.
// It has no key exchange of its own. https://www.rfc-editor.org/rfc/rfc7296#section-1.2

// offerChild is what the first request of an initiator says about a child: nothing when the IKE SA is to have none yet. ok is
// false when it can't be as it is configured; the SA is closed then.
func (t *authTask) offerChild(m *Machine, now time.Time) (payloads []wire.Payload, ok bool) {
	if len(m.cfg.Children) == 0 {
		return nil, m.mayBeBare(now)
	}
	if without, ok := m.withoutChild(now); without || !ok {
		return nil, ok
	}
	// The first child that was asked for goes along; the others follow in CREATE_CHILD_SA exchanges.
	c, ok := queued(m, func(c *createChildTask) bool { return true })
	if !ok && m.childless.alone {
		return nil, m.mayBeBare(now)
	}
	if !ok {
		// What was asked for was taken back.
		m.close(now, "no child to bring up", diag.NothingToBringUp(m.where(wire.ExchangeIKEAuth)))
		return nil, false
	}
	m.dequeue(c)
	offer, err := m.newOffer(c.cfg, c.trigger, nil, true)
	if err != nil {
		m.close(now, "no SPI", diag.InstallFailed(m.where(wire.ExchangeIKEAuth).Of(c.cfg.Name, c.cfg.Line), "a CHILD SA", err))
		return nil, false
	}
	t.child = offer
	return []wire.Payload{offer.sa(), toWireTS(false, offer.ts.Local), toWireTS(true, offer.ts.Remote)}, true
}

// finishChild handles what IKE_AUTH says about the child. "[E]stablishing the Child SA … may still fail. This failure
// does not automatically cause the IKE SA to be deleted." https://www.rfc-editor.org/rfc/rfc7296#section-2.21.2
// Whether an IKE SA is of use without it is decided by pruneChildless.
func (t *authTask) finishChild(m *Machine, r *response) {
	if t.child != nil {
		m.finishOffer(r, t.child)
	}
	m.pruneChildless(r.now)
}

// pruneChildless closes an IKE SA of ours that carries nothing and is about to carry nothing.
func (m *Machine) pruneChildless(now time.Time) {
	if m.state != StateEstablished || len(m.children) > 0 || m.childless.meant {
		return
	}
	if _, ok := queued(m, func(*createChildTask) bool { return true }); ok {
		return
	}
	m.Delete(now, "no CHILD SA could be created")
}

// halfChild finds fault with an IKE_AUTH request that has a part of a child. It is refused as a whole, whoever has sent it, for
// INVALID_SYNTAX is one of those errors that "are the only ones to cause the IKE SA to be deleted or not created, without a Delete
// payload". https://www.rfc-editor.org/rfc/rfc7296#section-2.21.2
func (m *Machine) halfChild(payloads []wire.Payload) *refusedAuth {
	_, hasSA := find[*wire.SA](payloads)
	tsi, tsr := findTS(payloads, false) != nil, findTS(payloads, true) != nil
	if hasSA == tsi && tsi == tsr {
		return nil
	}
	return m.withoutWholeChild()
}

// childMissing does the same for a peer that has proved itself and asks for no child where the connection wants one. Before the
// proof, this answer would tell a stranger which identities have a connection.
func (m *Machine) childMissing(payloads []wire.Payload) *refusedAuth {
	if _, asks := find[*wire.SA](payloads); asks || m.cfg.Childless != policy.ChildlessNever {
		return nil
	}
	return m.withoutWholeChild()
}

func (m *Machine) withoutWholeChild() *refusedAuth {
	return &refusedAuth{notify: wire.NotifyInvalidSyntax, failure: diag.Unexpected(m.where(wire.ExchangeIKEAuth).Answering(wire.NotifyInvalidSyntax), "", "IKE_AUTH without a whole child (SA, TSi, TSr)")}
}

// firstChild is what the last answer of a responder says about the child that the first request has asked for.
func (g given) firstChild(m *Machine, r *request) []wire.Payload {
	if _, asks := find[*wire.SA](r.payloads); !asks {
		return nil
	}
	if m.cfg.Childless == policy.ChildlessForce {
		m.emit(Failed{Failure: diag.NotChildless(
			m.where(wire.ExchangeIKEAuth).Answering(wire.NotifyNoProposalChosen), "a child within IKE_AUTH")})
		m.childlessUntil = r.now.Add(childlessTime)
		return failing(wire.NotifyNoProposalChosen)
	}
	if no := m.withoutAddress(g, r); no != nil {
		m.emit(Failed{Failure: no.failure})
		m.childlessUntil = r.now.Add(childlessTime)
		return failing(no.notify)
	}
	answer, created := m.answerChild(r, nil, true)
	if !created {
		m.childlessUntil = r.now.Add(childlessTime)
	}
	return answer
}
