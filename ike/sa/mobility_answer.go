package sa

import (
	"net/netip"

	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// answerMobility handles the notifications of MOBIKE in an INFORMATIONAL request. What it returns goes into the answer;
// with refused, it is the whole answer.
func (m *Machine) answerMobility(r *request) (answer []wire.Payload, refused bool) {
	if !m.mob.on {
		return nil, false
	}
	var cookie []wire.Payload
	if n := notify(r.payloads, wire.NotifyCookie2); n != nil {
		if _, err := n.Cookie2(); err != nil {
			return m.refuseSyntax(r, err.Error()), true
		}
		// "[T]he recipient of an INFORMATIONAL request MUST copy the notification as-is to the response."
		// https://www.rfc-editor.org/rfc/rfc4555#section-3.7
		cookie = []wire.Payload{wire.NewCookie2(n.Data)}
	}
	if natChanged(r.payloads, r.path) {
		// The answer goes "to the address and port that the corresponding request came from", and the contents of the
		// notification are used for nothing. https://www.rfc-editor.org/rfc/rfc4555#section-3.9
		m.emit(Failed{Failure: diag.NATDetected(m.where(r.header.Exchange).Answering(wire.NotifyUnexpectedNATDetected), r.path.Remote)})
		return append(failing(wire.NotifyUnexpectedNATDetected), cookie...), true
	}
	if notify(r.payloads, wire.NotifyUpdateSAAddresses) != nil {
		switch {
		case m.mob.initiator:
			// "[T]he responder does not normally update any IPsec SAs without receiving an explicit UPDATE_SA_ADDRESSES request
			// from the initiator": it is not the responder's to send.
			m.ignore(r.path, IgnoreState, "UPDATE_SA_ADDRESSES of the responder")
		case !m.acceptable(r.path):
			return append(failing(wire.NotifyUnacceptableAddresses), cookie...), true
		default:
			m.peerMoves(r)
		}
	}
	if m.newest().learnAddresses(r.payloads) {
		m.peerAnnounced(r)
	}
	if m.nat.supported && hasNATDetection(r.payloads) {
		// "[I]f the request includes them, the responder MUST also include them in the response".
		// https://www.rfc-editor.org/rfc/rfc4555#section-3.8
		answer = natPayloads(m.spii(), m.spir(), r.path, m.cfg.ForceEncap)
	}
	return append(answer, cookie...), false
}

// acceptable "[c]hecks that the (source IP address, destination IP address) pair in the IP header is acceptable according
// to local policy". https://www.rfc-editor.org/rfc/rfc4555#section-3.5
func (m *Machine) acceptable(path Path) bool {
	return m.env.Acceptable == nil || m.env.Acceptable(m.cfg, path)
}

// peerMoves "[u]pdates the IP addresses in the IKE_SA with the values from the IP header"; the CHILD SAs follow as the
// policy for return routability says. https://www.rfc-editor.org/rfc/rfc4555#section-3.5
func (m *Machine) peerMoves(r *request) {
	old, target := m, m.newest()
	defer old.touched(target, r.now)
	fresh, before := !target.isVerified(r.path.Remote.Addr()), target.espPath()
	target.repath(r.now, r.path, "UPDATE_SA_ADDRESSES")
	target.mob.esp, target.mob.displaced = netip.AddrPort{}, false
	target.detectNAT(r.now, old, r.payloads, r.path)
	if fresh && m.cfg.RouteCheck != policy.RouteCheckNever {
		target.checkRoute()
	}
	if !fresh || m.cfg.RouteCheck != policy.RouteCheckBefore {
		target.moveChildren()
	} else {
		target.mob.held = before
	}
}

// peerAnnounced handles a new list of the peer's addresses. For an initiator, "[t]his is particularly important if the
// announced set of addresses no longer contains the currently used address": the responder has lost that one, and the
// address that the message comes from is the first to try. https://www.rfc-editor.org/rfc/rfc4555#section-3.5
func (m *Machine) peerAnnounced(r *request) {
	t := m.newest()
	from := r.path.Remote.Addr()
	if !t.mob.initiator || t.path.Remote.Addr() == from || t.tunnelled(from) {
		return
	}
	for _, a := range t.mob.peer {
		if a == t.path.Remote.Addr() {
			return
		}
	}
	path := Path{Local: r.path.Local, Remote: r.path.Remote}
	if src, ok := t.sourceFor(from); ok {
		path.Local = netip.AddrPortFrom(src, r.path.Local.Port())
	}
	t.move(r.now, path, "the peer has left "+t.path.Remote.Addr().String())
	m.touched(t, r.now)
}
