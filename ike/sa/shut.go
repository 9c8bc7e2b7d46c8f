package sa

import (
	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// shut refuses a peer that has proved itself an IKE SA of a connection that an operator keeps down; nil where none does. The answer
// is TEMPORARY_FAILURE. AUTHENTICATION_FAILED would be a lie, and send the peer's operator to the keys. This one is for "a request that
// cannot be completed due to a temporary condition", and it makes the peer wait: it "MUST NOT immediately retry the operation".
// https://www.rfc-editor.org/rfc/rfc7296#section-2.25
func (m *Machine) shut() *refusedAuth {
	if m.env.Shut == nil || !m.env.Shut(m.cfg) {
		return nil
	}
	w := m.where(wire.ExchangeIKEAuth).Answering(wire.NotifyTemporaryFailure)
	return &refusedAuth{notify: wire.NotifyTemporaryFailure, failure: diag.Terminated(w, "an IKE SA")}
}

// childShut is the failure of a child that an operator keeps down; nil for one that nobody does. The peer is told NO_ADDITIONAL_SAS,
// "the responder is unwilling to accept any more Child SAs on this IKE SA" (https://www.rfc-editor.org/rfc/rfc7296#section-1.3). A peer
// that hears TEMPORARY_FAILURE for minutes "SHOULD conclude that the state information is out of sync and close the IKE SA",
// with all the other children: https://www.rfc-editor.org/rfc/rfc7296#section-2.25
func (m *Machine) childShut(x wire.ExchangeType, c *ChildConfig) *diag.Failure {
	if m.env.ChildShut == nil || !m.env.ChildShut(m, c) {
		return nil
	}
	return diag.Terminated(m.where(x).Of(c.Name, c.Line).Answering(wire.NotifyNoAdditionalSAs), "a CHILD SA")
}
