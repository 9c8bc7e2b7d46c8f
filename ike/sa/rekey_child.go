package sa

import (
	"cmp"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/wire"
)

// RekeyChild replaces a CHILD SA by a new one with the same selectors, RFC 7296 section 1.3.3. It does nothing for a
// child that is being replaced or deleted already.
func (m *Machine) RekeyChild(now time.Time, id uint64) {
	if c := m.child(id); c != nil && c.State == ChildInstalled && (m.state == StateEstablished || m.state == StateRekeying) {
		same := func(t *rekeyChildTask) bool { return t.old == c }
		if _, ok := queued(m, same); !ok && !m.enqueue(&rekeyChildTask{old: c}) {
			m.retryRekey(now, c)
		}
	}
	m.pump(now)
}

// rekeyChildTask replaces a child. The peer may be at the same: see collision.
type rekeyChildTask struct {
	old     *Child
	offer   *childOffer
	demands demands
	// rival is what the peer's request, answered while ours was in flight, has created for the same child.
	rival *Child
	// rivalSeries is the peer's request when additional key exchanges are to follow it.
	rivalSeries *answering
	series      series
}

func (t *rekeyChildTask) name() string                { return "rekey child " + t.old.Config.Name }
func (t *rekeyChildTask) exchange() wire.ExchangeType { return t.series.exchange() }

func (t *rekeyChildTask) abandoned(m *Machine, now time.Time) {
	if t.offer != nil {
		t.offer.release(m)
	}
}

func (t *rekeyChildTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	if !t.old.live() {
		t.abandoned(m, now) // replaced or deleted by the peer meanwhile
		return nil, false
	}
	if t.series.active() {
		if _, ending := m.ending(); ending {
			t.abandoned(m, now)
			return nil, false
		}
		return t.series.payloads(), true
	}
	if m.peerRekeysIKE() || m.answeringFor(t.old) != nil {
		t.postpone(m, now) // the peer is at it
		return nil, false
	}
	if t.old.outboundPending {
		// The peer has asked for this child and may not know yet that it exists: our answer is under way.
		t.postpone(m, now)
		return nil, false
	}
	payloads, offer, f := m.buildOffer(now, t.offer, t.old.Config, nil, t.old, &t.demands)
	t.offer = offer
	if m.waiting() {
		return nil, false
	}
	if f != nil {
		m.emit(Failed{Failure: f, Child: t.old.Config})
		m.retryRekey(now, t.old)
		return nil, false
	}
	t.old.State = ChildRekeying
	// "[T]his is the SPI the exchange initiator would expect in inbound ESP or AH packets":
	// https://www.rfc-editor.org/rfc/rfc7296#section-1.3.3
	rekey := wire.NewRekeySA(t.old.Protocol, t.old.Inbound.SPI)
	return append([]wire.Payload{rekey}, payloads...), true
}

// postpone puts the task off, and keeps nothing until then.
func (t *rekeyChildTask) postpone(m *Machine, now time.Time) {
	t.abandoned(m, now)
	t.offer = nil
	m.putOff(now, t)
}

// retryRekey schedules another attempt for a child that is still in use; its hard lifetime ends the attempts.
func (m *Machine) retryRekey(now time.Time, c *Child) {
	if c.live() {
		c.State, c.refused = ChildInstalled, true
		c.rekeyAt = now.Add(jittered(rekeyRetry, rekeyRetry/2, m.env.Jitter()))
	}
}

func (t *rekeyChildTask) done(m *Machine, r *response) {
	old := t.old
	if t.series.active() {
		if r = t.series.followed(m, t, r); r != nil {
			t.finish(m, r)
		}
		return
	}
	again := m.retryGroup(r, t.offer, &t.demands)
	if m.waiting() {
		return
	}
	old.demanded = cmp.Or(t.demands.group, old.demanded) // for the next one, if nothing comes of this
	if again {
		if old.State == ChildRekeying {
			old.State = ChildInstalled
		}
		m.requeue(t)
		return
	}
	if n := errorNotify(r.payloads); n != nil {
		t.refused(m, r, n)
		return
	}
	switch more, f := t.series.begin(m, r, t.offer.proposals); {
	case m.waiting():
	case f != nil:
		t.seriesFailed(m, r, f)
	case more && !t.collide(m, r):
		m.requeue(t)
	case !more:
		t.finish(m, r)
	}
}

// finish takes the answer, all key exchanges being made.
func (t *rekeyChildTask) finish(m *Machine, r *response) {
	old, offer := t.old, t.offer
	fresh, f := m.takeAnswer(r, offer, old)
	if m.waiting() {
		return
	}
	t.offer = nil
	switch {
	case f != nil && f.Code == diag.CodeDeleted && old.live():
		// The peer considers the old SA replaced and has already deleted its replacement.
		m.retryRekey(r.now, old)
		m.deleteChild(r.now, old, "deleted by the peer", true)
		return
	case f != nil:
		// The peer has made its SA, and this side has it closed. If it is the one that loses, the peer goes on with its own.
		if v := t.meets(m, attempt{stageMade, lowestWith(offer.nonce, r)}).settle(); v.ours == fateCloses {
			t.heed(m, r.now, v)
		} else {
			m.retryRekey(r.now, old)
		}
		return
	}
	v := t.meets(m, attempt{stageMade, fresh.lowestNonce}).settle()
	t.heed(m, r.now, v)
	if v.ours == fateCloses {
		// Nothing is ever sent on it: the old child goes on until the peer is seen to use its own new one, or deletes the old one.
		fresh.State = ChildRekeyed
		m.requeue(&deleteChildTask{child: fresh})
		return
	}
	m.switchOutbound(fresh)
	if old.live() {
		m.supersede(r.now, old, fresh)
		m.requeue(&deleteChildTask{child: old})
	} else {
		m.emit(ChildUp{Child: fresh}) // the peer has deleted the old one meanwhile, which was reported as its end
	}
}

// supersede notes that fresh carries the traffic of old from now on.
func (m *Machine) supersede(now time.Time, old, fresh *Child) {
	old.State, old.supersededAt, old.successor = ChildRekeyed, now, fresh
	m.emit(ChildReplaced{Old: old, New: fresh})
}

// refused handles an error notify in answer to a rekeying.
func (t *rekeyChildTask) refused(m *Machine, r *response, n *wire.Notify) {
	old := t.old
	t.offer.release(m)
	t.offer = nil
	if t.yield(m, r.now) {
		// "When A receives this error, it already knows there was simultaneous rekeying, so it can ignore the error message."
		// https://www.rfc-editor.org/rfc/rfc7296#section-2.8.1
		return
	}
	switch n.NotifyType {
	case wire.NotifyChildSANotFound:
		// "A peer that receives a CHILD_SA_NOT_FOUND notification SHOULD silently delete the Child SA (if it still exists) and
		// send a request to create a new Child SA from scratch". https://www.rfc-editor.org/rfc/rfc7296#section-2.25
		if old.live() {
			f := m.peerRefusedChild(r.header.Exchange, old.Config, old.TS, n)
			m.emit(Failed{Failure: f})
			m.removeChild(old, "the peer has lost it", false)
			m.enqueue(&createChildTask{cfg: old.Config})
		}
	case wire.NotifyTemporaryFailure:
		m.retryRekey(r.now, old)
	default:
		m.emit(Failed{Failure: m.peerRefusedChild(r.header.Exchange, old.Config, old.TS, n)})
		m.retryRefused(r.now, old)
	}
}

// retryRefused is retryRekey where the peer does not want to, and has not said for how long: each pause is a part of the time that is left. Windows
// behind NAT always refuses, and renews the child itself within the hour (TestWindowsRenewsItself of ike/gateway).
func (m *Machine) retryRefused(now time.Time, c *Child) {
	m.retryRekey(now, c)
	if pause := c.expireAt.Sub(now) / refusedPart; !c.expireAt.IsZero() && c.live() && pause > rekeyRetry {
		c.rekeyAt = now.Add(jittered(pause, pause/2, m.env.Jitter()))
	}
}

// handleRekeyChild answers the peer's rekeying of a CHILD SA.
func (m *Machine) handleRekeyChild(r *request, n *wire.Notify) []wire.Payload {
	spi, ok := parseChildSPI(n.SPI)
	notFound := []wire.Payload{&wire.Notify{Protocol: n.Protocol, SPI: n.SPI, NotifyType: wire.NotifyChildSANotFound}}
	if !ok || !childProtocol(n.Protocol) {
		return notFound
	}
	old := m.childByPeerSPI(n.Protocol, spi)
	if old == nil {
		if m.busyWithChildren() {
			// The SPI may be the one in the answer to our own request, which this request has overtaken.
			return failing(wire.NotifyTemporaryFailure)
		}
		return notFound
	}
	switch old.State {
	case ChildDeleting, ChildRekeyed:
		// Being closed by us, or replaced already: "If a peer receives a request to rekey a Child SA that it is currently
		// trying to close, it SHOULD reply with TEMPORARY_FAILURE."
		// https://www.rfc-editor.org/rfc/rfc7296#section-2.25.1
		return failing(wire.NotifyTemporaryFailure)
	case ChildDeleted:
		return notFound
	case ChildInstalled, ChildRekeying:
	}
	t, colliding := doing[*rekeyChildTask](m)
	colliding = colliding && t.old == old
	if colliding && (t.rival != nil || t.rivalSeries.running(m) || t.series.active()) {
		// A second request for the same child, or one that comes when our own exchange is done and the key exchanges behind
		// it are not. https://www.rfc-editor.org/rfc/rfc9370#section-2.2.4
		return failing(wire.NotifyTemporaryFailure)
	}
	answer, created := m.answerChild(r, old, false)
	if m.waiting() {
		return nil
	}
	if !created {
		if colliding {
			t.rivalSeries = m.answeringFor(old)
		}
		return answer
	}
	fresh := m.children[len(m.children)-1]
	if colliding {
		// "[I]t SHOULD reply as usual, and SHOULD prepare to close redundant SAs later based on the nonces".
		// https://www.rfc-editor.org/rfc/rfc7296#section-2.25.1
		t.rival = fresh
		return answer
	}
	m.supersede(r.now, old, fresh)
	return answer
}
