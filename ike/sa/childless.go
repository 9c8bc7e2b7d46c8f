package sa

import (
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// childless is what has been agreed about it.
type childless struct {
	// offered: the responder has sent CHILDLESS_IKEV2_SUPPORTED.
	offered bool
	// alone: this side began the IKE SA for itself, whatever children its connection has.
	alone bool
	// meant: this side wants no child for now, so that the IKE SA is no failure for having none.
	meant bool
}

// childlessSupported is what a responder announces in IKE_SA_INIT. The initiator says nothing: it sees in the response
// whether it may leave the child out of IKE_AUTH. https://www.rfc-editor.org/rfc/rfc6023#section-3
func (m *Machine) childlessSupported() []wire.Payload {
	if m.cfg.Childless == policy.ChildlessNever {
		return nil
	}
	return []wire.Payload{&wire.Notify{NotifyType: wire.NotifyChildlessIKEv2Supported}}
}

// mayBeBare decides whether an initiator can have an IKE SA for itself. If not, the SA is closed.
func (m *Machine) mayBeBare(now time.Time) bool {
	w := m.where(wire.ExchangeIKEAuth)
	switch {
	case m.cfg.Childless == policy.ChildlessNever:
		m.close(now, "no child to bring up", diag.NothingToBringUp(w))
	case !m.childless.offered:
		m.close(now, "the peer has no childless IKE SAs", diag.NoBareIKESA(w, "no CHILDLESS_IKEV2_SUPPORTED in its IKE_SA_INIT response"))
	default:
		m.childless.meant = true
	}
	return m.childless.meant
}

// withoutChild decides for an initiator whether IKE_AUTH goes without a child. ok is false when it can't be done as
// configured; the SA is closed then.
func (m *Machine) withoutChild(now time.Time) (without, ok bool) {
	switch m.cfg.Childless {
	case policy.ChildlessPrefer:
		return m.childless.offered, true
	case policy.ChildlessForce:
		if m.childless.offered {
			return true, true
		}
		m.close(now, "the peer has no childless IKE SAs", diag.NotChildless(m.where(wire.ExchangeIKEAuth),
			"no CHILDLESS_IKEV2_SUPPORTED in its IKE_SA_INIT response"))
		return false, false
	case policy.ChildlessAllow, policy.ChildlessNever:
	}
	return false, true
}
