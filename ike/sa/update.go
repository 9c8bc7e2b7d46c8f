package sa

import (
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/wire"
)

// updateTask is the initiator's UPDATE_SA_ADDRESSES. https://www.rfc-editor.org/rfc/rfc4555#section-3.5
type updateTask struct {
	// path is the one that the request was made for; from the one before it.
	path, from Path
	cookie     []byte
	// nats counts the answers UNEXPECTED_NAT_DETECTED.
	nats int
	// spread: the request was sent on other paths as well, so that the answer does not tell which of them works.
	spread bool
	// again: the same is said on the successor of the IKE SA.
	again bool
}

func (t *updateTask) name() string                { return "update the addresses" }
func (t *updateTask) exchange() wire.ExchangeType { return wire.ExchangeInformational }
func (t *updateTask) strayed()                    { t.spread = true }

// stays: that the peer does not find us may be why it lacks our answer, and without that it knows of no successor on which it could
// be told.
func (t *updateTask) stays() task { return &updateTask{from: t.from, again: true} }

// silent is nothing to mind when the IKE SA is replaced: the peer has the successor, and hears it there.
func (t *updateTask) silent(m *Machine, now time.Time, p *outstanding) bool {
	return m.endReplaced(now, t)
}

// abandoned has what was not heard on an IKE SA that was rekeyed and is gone said on its successor.
func (t *updateTask) abandoned(m *Machine, now time.Time) {
	if s := m.newest(); s != m && !t.again && s.speaks(true) {
		s.update(now, t.from)
		m.touched(s, now)
	}
}

// update has the peer told of the addresses that this IKE SA has now, before anything else that waits.
func (m *Machine) update(now time.Time, from Path) {
	if m.rivalOf != nil {
		return // an IKE SA of which it is not settled whether it stays is not spoken on; it will have the other's path
	}
	for _, t := range m.queue {
		if _, ok := t.(*updateTask); ok {
			return // not sent yet: it will have the present addresses
		}
	}
	m.requeue(&updateTask{from: from})
}

func (t *updateTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	// One that the peer has rekeyed is spoken on as well: the answer that tells of the new one may not have found the peer.
	if !m.speaks(true) {
		return nil, false
	}
	t.path, t.cookie, t.spread = m.path, m.env.Nonce(cookie2Len), false
	out := []wire.Payload{&wire.Notify{NotifyType: wire.NotifyUpdateSAAddresses}}
	if m.nat.supported {
		out = append(out, natPayloads(m.spii(), m.spir(), m.path, m.cfg.ForceEncap)...)
	}
	out = append(out, m.noNATs(m.path)...)
	return append(out, wire.NewCookie2(t.cookie)), true
}

// done handles the answer. The IKE SA may have been rekeyed meanwhile by the peer: the answer is about the children, and
// they are where they are now.
func (t *updateTask) done(old *Machine, r *response) {
	m := old.newest()
	defer old.touched(m, r.now)
	refusal := errorNotify(r.payloads)
	if !m.cookieReturned(r, t.cookie, refusal != nil) {
		return
	}
	switch {
	case t.path != m.path:
		// "If an address change has occurred after the request was first sent, no MOBIKE processing is done for the reply
		// message because a new UPDATE_SA_ADDRESSES is going to be sent".
	case refusal != nil && refusal.NotifyType == wire.NotifyUnexpectedNATDetected:
		t.natDetected(m, r)
	case refusal != nil:
		t.refused(m, r, refusal)
	default:
		m.mob.refused = nil
		m.detectNAT(r.now, old, r.payloads, r.path)
		if t.spread && !m.isVerified(m.path.Remote.Addr()) && m.cfg.RouteCheck != policy.RouteCheckNever {
			// "[R]eceiving the INFORMATIONAL response does not tell which address is the working one. In this case, a new
			// INFORMATIONAL request needs to be sent". https://www.rfc-editor.org/rfc/rfc4555#section-3.7
			m.checkRoute()
			return
		}
		m.verify(m.path.Remote.Addr())
		m.moveChildren()
	}
}

// detectNAT takes the NAT_DETECTION notifications of an exchange of the IKE SA old, if there are any.
func (m *Machine) detectNAT(now time.Time, old *Machine, payloads []wire.Payload, path Path) {
	if !m.nat.supported || !hasNATDetection(payloads) {
		return
	}
	m.nat.detect(old.spii(), old.spir(), path, payloads)
	m.mob.outside, m.mob.askedAt = nil, now
	if m == old {
		m.mob.outside = slices.Clone(notify(payloads, wire.NotifyNATDetectionDestinationIP).Data)
	}
}

func hasNATDetection(payloads []wire.Payload) bool {
	return notify(payloads, wire.NotifyNATDetectionSourceIP) != nil && notify(payloads, wire.NotifyNATDetectionDestinationIP) != nil
}

// natDetected handles UNEXPECTED_NAT_DETECTED: the initiator "SHOULD retry the operation several times using new
// INFORMATIONAL requests", so that "an attacker who is able to modify only a single packet does not unnecessarily cause a path
// to remain unused". As many times as a request would be repeated. https://www.rfc-editor.org/rfc/rfc4555#section-3.9
func (t *updateTask) natDetected(m *Machine, r *response) {
	if t.nats++; t.nats <= m.cfg.Retransmit.Tries {
		m.delayed = append(m.delayed, delayed{&updateTask{from: t.from, nats: t.nats}, r.now.Add(natRetry)})
		return
	}
	m.emit(Failed{Failure: diag.Refused(t.where(m, r), wire.NotifyUnexpectedNATDetected, diag.Offer{})})
	t.elsewhere(m, r.now)
}

// where is that of a failure, with the addresses that the peer was asked to go on with.
func (t *updateTask) where(m *Machine, r *response) diag.Where {
	w := m.where(r.header.Exchange)
	w.Local, w.Remote = t.path.Local, t.path.Remote
	return w
}

// natRetry is the pause before an update is tried again that met a NAT.
const natRetry = time.Second

// refused handles UNACCEPTABLE_ADDRESSES and what else a peer may say: "the initiator MAY select another addresses and
// retry the exchange, keep on using the previously used addresses, or disconnect".
func (t *updateTask) refused(m *Machine, r *response, n *wire.Notify) {
	m.emit(Failed{Failure: diag.Refused(t.where(m, r), n.NotifyType, diag.Offer{Request: "an update of our addresses: " + t.path.String()})})
	t.elsewhere(m, r.now)
}

// elsewhere tries the next pair of addresses. With none left, the IKE SA ends: its owner may make a new one.
func (t *updateTask) elsewhere(m *Machine, now time.Time) {
	m.mob.refused = append(m.mob.refused, t.path)
	for _, p := range append(m.otherPaths(), t.from) {
		if p.Local.IsValid() && m.mine(p.Local.Addr()) && !slices.Contains(m.mob.refused, p) {
			m.move(now, p, "the peer does not accept "+t.path.String())
			return
		}
	}
	m.Delete(now, "the peer accepts none of the addresses")
}
