package sa

import (
	"bytes"

	"esplanade/ike/wire"
)

// watchesMapping reports whether liveness checks also look at what the NAT in front of this side does: "When the initiator is
// behind a NAT …, it SHOULD include these notifications in DPD messages and compare the received
// NAT_DETECTION_DESTINATION_IP notifications with the value from the previous UPDATE_SA_ADDRESSES response (or the
// IKE_SA_INIT response)." https://www.rfc-editor.org/rfc/rfc4555#section-3.8
//
// Such a side asks even while ESP and the peer's own requests come in: the peer may have found where to send both and still
// take this side's IKE SA for being elsewhere.
func (m *Machine) watchesMapping() bool { return m.mob.on && m.mob.initiator && m.nat.local }

// mappingProbe is what a liveness check carries.
func (m *Machine) mappingProbe() []wire.Payload {
	if !m.watchesMapping() {
		return nil
	}
	return natPayloads(m.spii(), m.spir(), m.path, m.cfg.ForceEncap)
}

// compareMapping tells the peer of our addresses when it sees others than before: "the initiator SHOULD send
// UPDATE_SA_ADDRESSES". After a rekeying there is nothing to compare with, since the value depends on the SPIs: that "may
// cause an extra address update", which is harmless. https://www.rfc-editor.org/rfc/rfc4555#section-3.8
func (m *Machine) compareMapping(r *response) {
	n := notify(r.payloads, wire.NotifyNATDetectionDestinationIP)
	m.mob.askedAt = r.now
	if !m.watchesMapping() || n == nil || m.successor != nil || bytes.Equal(n.Data, m.mob.outside) {
		return
	}
	m.update(r.now, m.path)
}

// bare reports whether a message is a liveness check and nothing else: empty, or with what MOBIKE adds to one.
func bare(payloads []wire.Payload) bool {
	for _, p := range payloads {
		n, ok := p.(*wire.Notify)
		if !ok {
			return false
		}
		switch n.NotifyType {
		case wire.NotifyNATDetectionSourceIP, wire.NotifyNATDetectionDestinationIP, wire.NotifyCookie2:
		default:
			return false
		}
	}
	return true
}
