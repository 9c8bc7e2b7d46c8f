package sa

import (
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// Childless says whether an IKE SA may be set up without a CHILD SA, RFC 6023. The words are strongSwan's.
type Childless uint8

// The values of [Config].Childless.
const (
	// ChildlessAllow: the peer may; this side creates a child with IKE_AUTH.
	ChildlessAllow Childless = iota
	// ChildlessPrefer: this side does so too where the peer can, and creates its children afterwards.
	ChildlessPrefer
	// ChildlessForce: it is the only way, in both roles.
	ChildlessForce
	// ChildlessNever: neither side may.
	ChildlessNever
)

// childless is what has been agreed about it.
type childless struct {
	// offered: the responder has sent CHILDLESS_IKEV2_SUPPORTED.
	offered bool
	// meant: this side wants no child for now, so that the IKE SA is no failure for having none.
	meant bool
}

// childlessSupported is what a responder announces in IKE_SA_INIT. The initiator says nothing: it sees in the response
// whether it may leave the child out of IKE_AUTH. https://www.rfc-editor.org/rfc/rfc6023#section-3
func (m *Machine) childlessSupported() []wire.Payload {
	if m.cfg.Childless == ChildlessNever {
		return nil
	}
	return []wire.Payload{&wire.Notify{NotifyType: wire.NotifyChildlessIKEv2Supported}}
}

// withoutChild decides for an initiator whether IKE_AUTH goes without a child. ok is false when it can't be done as
// configured; the SA is closed then.
func (m *Machine) withoutChild(now time.Time) (without, ok bool) {
	switch m.cfg.Childless {
	case ChildlessPrefer:
		return m.childless.offered, true
	case ChildlessForce:
		if m.childless.offered {
			return true, true
		}
		m.close(now, "the peer has no childless IKE SAs", m.failure(diag.CodeUnsupported, wire.ExchangeIKEAuth,
			failSides(`childless = "force"`, "no CHILDLESS_IKEV2_SUPPORTED in its IKE_SA_INIT response")))
		return false, false
	}
	return false, true
}

// malformedChild finds fault with what an IKE_AUTH request says about a child: half of one, or none where one is needed. Such a
// request is refused as a whole, for INVALID_SYNTAX is one of those errors that "are the only ones to cause the IKE SA to be
// deleted or not created, without a Delete payload". https://www.rfc-editor.org/rfc/rfc7296#section-2.21.2
func (m *Machine) malformedChild(payloads []wire.Payload) *diag.Failure {
	_, hasSA := find[*wire.SA](payloads)
	tsi, tsr := findTS(payloads, false) != nil, findTS(payloads, true) != nil
	switch {
	case hasSA && tsi && tsr, !hasSA && !tsi && !tsr && m.cfg.Childless != ChildlessNever:
		return nil
	}
	return m.failure(diag.CodeSyntax, wire.ExchangeIKEAuth, failSides("", "IKE_AUTH without a whole child (SA, TSi, TSr)"),
		failNotify(wire.NotifyInvalidSyntax))
}

// authChild is the responder's side of what IKE_AUTH says about a child.
func (m *Machine) authChild(r *request) []wire.Payload {
	if _, asks := find[*wire.SA](r.payloads); !asks {
		return nil
	}
	if m.cfg.Childless == ChildlessForce {
		m.emit(Failed{Failure: m.failure(diag.CodeUnsupported, wire.ExchangeIKEAuth, failNotify(wire.NotifyNoProposalChosen),
			failSides(`childless = "force": children come after IKE_AUTH`, "a child within IKE_AUTH"))})
		m.childlessUntil = r.now.Add(childlessTime)
		return failing(wire.NotifyNoProposalChosen)
	}
	answer, created := m.answerChild(r, nil, true)
	if !created {
		m.childlessUntil = r.now.Add(childlessTime)
	}
	return answer
}
