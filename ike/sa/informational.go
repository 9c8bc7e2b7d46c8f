package sa

import (
	"encoding/binary"
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// handleInformational answers DELETE, error notifications and liveness checks, RFC 7296 section 1.4.
func (m *Machine) handleInformational(r *request) []wire.Payload {
	answer, refused := m.answerMobility(r)
	if refused {
		return answer
	}
	for _, p := range r.payloads {
		d, ok := p.(*wire.Delete)
		if !ok {
			continue
		}
		switch {
		case d.Protocol == wire.ProtocolIKE:
			m.peerDeletesIKE(r.now)
			// "The response to a request that deletes the IKE SA is an empty INFORMATIONAL response."
			// https://www.rfc-editor.org/rfc/rfc7296#section-1.4.1
			return nil
		case childProtocol(d.Protocol):
			if own := m.peerDeletesChildren(r.now, d); own != nil {
				answer = append(answer, own)
			}
		}
	}
	m.heedInvalidSPI(r)
	m.peerAuthLifetime(r.now, r.path, r.payloads)
	m.redirectedLive(r)
	m.takeToken(r.path, r.payloads)
	answer = append(answer, m.grantTicket(r)...)
	if n := fatalNotify(r.payloads); n != nil {
		// Our IKE_AUTH response was not accepted, and the initiator says so in an exchange of its own.
		m.closing = &Closed{Reason: "the peer rejected our authentication", Failure: m.peerRefusedAuth(n)}
	}
	return answer
}

// deletesIKE reports whether a request deletes the IKE SA.
func deletesIKE(payloads []wire.Payload) bool {
	return slices.ContainsFunc(payloads, func(p wire.Payload) bool {
		d, ok := p.(*wire.Delete)
		return ok && d.Protocol == wire.ProtocolIKE
	})
}

// peerDeletesIKE ends the IKE SA on the peer's word, after the response. Children that live on were moved to a
// successor before; a rekeying of ours that is in flight is forgotten: "it SHOULD reply as usual, and forget about its
// own rekeying request." https://www.rfc-editor.org/rfc/rfc7296#section-2.25.2
func (m *Machine) peerDeletesIKE(now time.Time) {
	if t, ok := doing[*rekeyIKETask](m); ok && t.heir() != nil {
		m.handOver(now, t.heir())
	}
	c := &Closed{Reason: DeletedByPeer}
	switch m.state {
	case StateRekeyed:
		c.Reason = "replaced"
	case StateDeleting:
		c.Reason = "deleted by both sides"
	default:
		if len(m.children) == 0 {
			break // it carried nothing: why there was no child has been reported
		}
		c.Failure = diag.PeerDeleted(m.where(wire.ExchangeInformational), "the IKE SA")
	}
	m.closing = c
}

// peerDeletesChildren takes away the children whose inbound SPI at the peer, our outbound one, is listed. The answer
// lists the paired SPIs of those that we have not deleted ourselves, for crossing requests: "In that case, the responses MUST
// NOT include Delete payloads for the deleted SAs, since that would result in duplicate deletion". https://www.rfc-editor.org/rfc/rfc7296#section-1.4.1
func (m *Machine) peerDeletesChildren(now time.Time, d *wire.Delete) *wire.Delete {
	own := &wire.Delete{Protocol: d.Protocol}
	for _, b := range d.SPIs {
		spi, ok := parseChildSPI(b)
		if !ok {
			continue
		}
		c := m.childByPeerSPI(d.Protocol, spi)
		if c == nil && m.creatingChild() && len(m.gone) < maxGone {
			m.gone = append(m.gone, childSPI{d.Protocol, spi})
		}
		if c == nil || c.State == ChildDeleted {
			continue // unknown SPIs are ignored
		}
		if c.State != ChildDeleting {
			own.SPIs = append(own.SPIs, binary.BigEndian.AppendUint32(nil, c.Inbound.SPI))
		}
		m.childDeletedByPeer(now, c)
	}
	if len(own.SPIs) == 0 {
		return nil
	}
	return own
}

// maxGone bounds what is remembered of deleted SPIs while one answer is outstanding.
const maxGone = 64

// creatingChild reports whether the answer that is outstanding may create a CHILD SA.
func (m *Machine) creatingChild() bool { return m.pending != nil && m.pending.task.traits().creates }

func (m *Machine) childDeletedByPeer(now time.Time, c *Child) {
	t, rekeying := doing[*rekeyChildTask](m)
	if rekeying && t.old == c && t.rival != nil && c.live() {
		// The peer's rekeying is complete and it never saw ours: its child is the successor.
		m.supersede(now, c, t.rival)
	}
	// The responder of a rekeying may send on the new SA when "it receives an IKE request to close the replaced SA".
	// https://www.rfc-editor.org/rfc/rfc7296#section-2.8
	m.switchToSuccessor(c)
	// A peer that has our answer already, while its own is still on the way to us, closes its child as the redundant one
	// of a collision. The traffic has the old child and gets ours.
	redundant := rekeying && t.rival == c && t.old.live()
	live := c.live() && !redundant
	m.retire(now, c)
	if live {
		m.emit(ChildDown{Child: c, Reason: "deleted by the peer", ByPeer: true})
	}
}

// switchToSuccessor lets the successor of a child carry its traffic when that has been waiting for a sign of the peer.
func (m *Machine) switchToSuccessor(c *Child) {
	if s := c.successor; s != nil && s.outboundPending {
		m.switchOutbound(s)
	}
}

// deleteChildTask closes a CHILD SA.
type deleteChildTask struct {
	child  *Child
	reason string // not empty: it goes without a successor
	// whole: the child is to end for good. A successor that a rekeying in flight brings about ends with it.
	whole bool
}

func (t *deleteChildTask) name() string                        { return "delete child " + t.child.Config.Name }
func (t *deleteChildTask) exchange() wire.ExchangeType         { return wire.ExchangeInformational }
func (t *deleteChildTask) abandoned(m *Machine, now time.Time) {}

func (t *deleteChildTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	for t.whole && !t.child.live() && t.child.successor != nil {
		t.child = t.child.successor
	}
	if t.child.State == ChildDeleted || t.child.State == ChildDeleting {
		return nil, false
	}
	// A peer that rekeyed and never showed that it uses the new SA: without the old one there is no other to use.
	m.switchToSuccessor(t.child)
	if t.reason != "" && t.child.live() {
		m.emit(ChildDown{Child: t.child, Reason: t.reason})
	}
	t.child.State = ChildDeleting
	return []wire.Payload{deleteChild(t.child.Protocol, t.child.Inbound.SPI)}, true
}

// done takes the child away whatever the answer says: an answer without our SPI means that the deletes have crossed.
func (t *deleteChildTask) done(m *Machine, r *response) {
	if t.child.State != ChildDeleted {
		m.retire(r.now, t.child)
	}
}

// DeleteChild closes a CHILD SA and tells the peer. When a rekeying of it is in flight, the successor is closed. The IKE
// SA stays, also when it was the last child.
func (m *Machine) DeleteChild(now time.Time, id uint64, reason string) {
	if c := m.child(id); c != nil {
		m.deleteChild(now, c, reason, true)
	}
	m.pump(now)
}

func (m *Machine) deleteChild(now time.Time, c *Child, reason string, whole bool) {
	if c.State == ChildDeleting || c.State == ChildDeleted {
		return
	}
	same := func(t *deleteChildTask) bool { return t.child == c }
	if t, ok := queued(m, same); ok {
		t.whole = t.whole || whole
		return
	}
	m.enqueue(&deleteChildTask{child: c, reason: reason, whole: whole})
}

// leaves reports whether this side is about to delete a child: its DELETE waits behind another request, and nothing else may be left to
// the child until then.
func (m *Machine) leaves(c *Child) bool {
	_, ok := queued(m, func(t *deleteChildTask) bool {
		last := t.child
		for t.whole && last != c && last.successor != nil {
			last = last.successor
		}
		return last == c
	})
	return ok
}

// deleteIKETask closes the IKE SA with all its children.
type deleteIKETask struct {
	reason string
	// whole: a successor that a rekeying in flight brings about is closed as well. Otherwise it is this IKE SA that has
	// had its time, and the successor lives on.
	whole bool
}

func (t *deleteIKETask) name() string                        { return "delete IKE SA" }
func (t *deleteIKETask) exchange() wire.ExchangeType         { return wire.ExchangeInformational }
func (t *deleteIKETask) abandoned(m *Machine, now time.Time) {}

func (t *deleteIKETask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	m.setState(StateDeleting, t.reason)
	return []wire.Payload{&wire.Delete{Protocol: wire.ProtocolIKE}}, true
}

func (t *deleteIKETask) done(m *Machine, r *response) { m.close(r.now, t.reason, nil) }

func (t *deleteIKETask) silent(m *Machine, now time.Time, p *outstanding) bool {
	m.window.response = nil // a peer that is silent does not ask again
	m.close(now, t.reason+"; the peer did not answer the DELETE", nil)
	return true
}

// deleteTries bounds the retransmissions of the DELETE of an IKE SA: it is a courtesy, and a daemon that ends should
// not wait a minute for a peer that is gone.
const deleteTries = 2

// Delete closes the IKE SA and tells the peer. An SA that is not established yet is dropped: there is nothing that
// the peer could be told in a way it would believe.
func (m *Machine) Delete(now time.Time, reason string) { m.delete(now, reason, true) }

func (m *Machine) delete(now time.Time, reason string, whole bool) {
	switch m.state {
	case StateClosed, StateDeleting:
		return
	case StateConnecting:
		m.close(now, reason, nil)
		return
	case StateEstablished, StateRekeying, StateRekeyed:
	}
	// What has not been sent is of no interest any more; a request in flight is waited for, the window being one.
	if t, ok := m.ending(); ok {
		whole = whole || t.whole
	}
	m.abandonTasks(now)
	m.enqueue(&deleteIKETask{reason: reason, whole: whole})
	m.pump(now)
}

// ending returns the waiting or outstanding DELETE of the IKE SA.
func (m *Machine) ending() (*deleteIKETask, bool) {
	return queued(m, func(*deleteIKETask) bool { return true })
}

// Abandon closes the SA at once and without a message.
func (m *Machine) Abandon(now time.Time, reason string) {
	m.window.response = nil
	m.close(now, reason, nil)
	m.closedUntil = time.Time{}
}
