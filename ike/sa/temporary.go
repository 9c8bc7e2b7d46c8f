package sa

import (
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// maxTemporaryFailures bounds how often one request is repeated after TEMPORARY_FAILURE; what the request was for is
// then reported as failed, or left to the next lifetime event.
const maxTemporaryFailures = 5

// temporaryLimit is how long a peer may answer nothing but TEMPORARY_FAILURE: "If a peer continues to receive
// TEMPORARY_FAILURE on the same IKE SA after several minutes, it SHOULD conclude that the state information is out of
// sync and close the IKE SA." https://www.rfc-editor.org/rfc/rfc7296#section-2.25
const temporaryLimit = 5 * time.Minute

// countTemporary looks at an answer for signs that the two sides are out of step.
func (m *Machine) countTemporary(now time.Time, x wire.ExchangeType, answer []wire.Payload) {
	if x != wire.ExchangeCreateChildSA {
		return
	}
	n := notify(answer, wire.NotifyTemporaryFailure)
	switch {
	case n == nil:
		m.temporarySince = time.Time{}
	case m.temporarySince.IsZero():
		m.temporarySince = now
	case now.Sub(m.temporarySince) >= temporaryLimit && (m.state == StateEstablished || m.state == StateRekeying):
		m.emit(Failed{Failure: diag.Refused(m.where(x), n.NotifyType, diag.Offer{})})
		m.Delete(now, "the peer answers nothing but TEMPORARY_FAILURE")
	}
}
