package sa

import "time"

// finishTwin takes the answer to an offer when the peer has asked for the same child at the same time. One SA is enough:
// the rule for rekeyings that collide says which of the two goes, and who closes it (see collision). A peer that does not know of
// this rule keeps its own, which does no harm.
func (m *Machine) finishTwin(r *response, o *childOffer, rival *Child) {
	c, _ := m.takeAnswer(r, o, nil)
	if c == nil {
		return
	}
	heir := rival // as it is now: it may have been rekeyed while we waited
	for !heir.live() && heir.successor != nil {
		heir = heir.successor
	}
	x := collision{ours: attempt{stageMade, c.lowestNonce}}
	if heir.live() && !m.leaves(heir) && heir.TS.Contains(c.TS) {
		x.theirs = attempt{stageMade, rival.lowestNonce}
	}
	if x.settle().ours == fateCloses {
		c.State = ChildRekeyed
		c.successor = heir
		m.requeue(&deleteChildTask{child: c})
		return
	}
	m.switchOutbound(c)
	m.emit(ChildUp{Child: c})
}

// noteTwin looks whether this side has asked for the same child as c, which the peer has just created. When our request
// is still in flight its answer decides (see finishTwin); when it has been answered already, the nonces are known now,
// and the child may have been rekeyed since.
//
// Only a request that can have crossed ours counts: the one with the id that was the next when ours was answered, or one that
// had begun before ours was done, when it takes several exchanges. What a
// peer asks for later it means: "IKEv2 deliberately allows parallel SAs with the same Traffic Selectors between common
// endpoints". https://www.rfc-editor.org/rfc/rfc7296#section-2.8
func (m *Machine) noteTwin(now time.Time, id uint32, begun time.Time, c *Child) {
	if t, ok := doing[*createChildTask](m); ok && c.Config == t.cfg && (t.trigger == nil || c.TS.MatchOut(*t.trigger)) {
		t.rival = c
		return
	}
	for _, own := range m.children {
		if first := own.origin; own.Config == c.Config && own.live() && first.initiator && first.ike == m.id &&
			(first.peerID == id || begun.Before(now) && !own.Created.Before(begun)) && c.TS.Contains(own.TS) &&
			(collision{attempt{stageMade, first.lowestNonce}, attempt{stageMade, c.lowestNonce}}).settle().ours == fateCloses {
			m.deleteChild(now, own, "redundant: both sides have asked for it", true)
		}
	}
}
