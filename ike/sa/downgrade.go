package sa

import (
	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// Without more, each side authenticates the IKE_SA_INIT message that it has sent. A message that was changed on the way is noticed
// only by the proof of its sender: whoever can make that proof, with a key that was stolen, can also choose the weakest
// algorithms that both sides have. With downgrade prevention each proof covers both messages, so that it takes the keys of both
// sides:
//
//	IKE_SA_INIT  N(IKE_SA_INIT_FULL_TRANSCRIPT_AUTH)    -->
//	                                                    <--  N(IKE_SA_INIT_FULL_TRANSCRIPT_AUTH)
//
// The responder sends it whether the initiator has or not: what the initiator authenticates then says which of the two it was.
// draft-ietf-ipsecme-ikev2-downgrade-prevention-08.
type downgrade struct {
	// offered: this side has sent the notification; full: both have, in the IKE_SA_INIT messages that count.
	offered, full bool
}

// transcript announces downgrade prevention. An initiator announces it as its connection says, a responder as its daemon does:
// which connection it is shows in IKE_AUTH only, and may not change then what was agreed on before.
func (m *Machine) transcript() []wire.Payload {
	d := &m.init.downgrade
	d.offered = m.env.NoTranscript == nil || !m.env.NoTranscript()
	if m.initiator && m.cfg.Downgrade == policy.DowngradeNo {
		d.offered = false
	}
	if !d.offered {
		return nil
	}
	return []wire.Payload{&wire.Notify{NotifyType: wire.NotifyIKESAInitFullTranscriptAuth}}
}

// announcesTranscript reports whether the sender of an IKE_SA_INIT message does downgrade prevention.
func announcesTranscript(payloads []wire.Payload) bool {
	return notify(payloads, wire.NotifyIKESAInitFullTranscriptAuth) != nil
}

// answersTranscript takes the responder's IKE_SA_INIT.
func (m *Machine) answersTranscript(payloads []wire.Payload) *diag.Failure {
	m.init.downgrade.full = m.init.downgrade.offered && announcesTranscript(payloads)
	return m.noTranscript(m.where(wire.ExchangeIKESAInit))
}

// noTranscript is the failure that there is no downgrade prevention where the connection requires it.
func (m *Machine) noTranscript(w diag.Where) *diag.Failure {
	if m.init.downgrade.full || m.cfg.Downgrade != policy.DowngradeRequired {
		return nil
	}
	return diag.NoDowngradePrevention(w.At(m.cfg.DowngradeLine))
}

// mayBeDowngraded refuses an initiator without downgrade prevention that has proved itself, if the connection requires it.
// The IKE SA that is resumed had it, or there was none to resume.
func (m *Machine) mayBeDowngraded() *refusedAuth {
	if m.resume.active {
		return nil
	}
	w := m.where(wire.ExchangeIKEAuth).Answering(wire.NotifyAuthenticationFailed).Showing(m.flow.peer.String())
	return refused(m.noTranscript(w))
}
