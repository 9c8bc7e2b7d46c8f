package sa

import "time"

// meets is the collision of our rekeying, at the stage that it has reached, with the peer's of the same child. A rival that has been
// rekeyed meanwhile counts; one that has just gone decides nothing.
func (t *rekeyChildTask) meets(m *Machine, ours attempt) collision {
	c := collision{ours: ours}
	switch {
	case t.rivalSeries.running(m):
		c.theirs = attempt{stageBegun, t.rivalSeries.lowest}
	case t.rival != nil && (t.rival.State != ChildDeleted || t.rival.successor != nil):
		c.theirs = attempt{stageMade, t.rival.lowestNonce}
	}
	return c
}

// heed does to the peer's side what a verdict says of it.
func (t *rekeyChildTask) heed(m *Machine, now time.Time, v verdict) {
	switch {
	case v.theirs == fateStays && v.wait:
		if t.old.State == ChildRekeying {
			t.old.State = ChildInstalled
		}
	case v.theirs == fateStays && t.old.live():
		m.supersede(now, t.old, t.rival)
	case v.theirs == fateStops:
		m.dropAnswering(t.rivalSeries)
	case v.theirs == fateCloses && !v.wait && t.rival.State != ChildDeleted:
		t.rival.State, t.rival.outboundPending, t.rival.supersededAt = ChildRekeyed, false, now
	}
}

// yield leaves the rekeying to the peer's own, since nothing comes of ours. It reports whether there is one.
func (t *rekeyChildTask) yield(m *Machine, now time.Time) bool {
	v := t.meets(m, attempt{}).settle()
	t.heed(m, now, v)
	return v.theirs == fateStays
}

// collide settles a collision when further key exchanges are to follow ours. It reports whether ours stops.
func (t *rekeyChildTask) collide(m *Machine, r *response) (stop bool) {
	v := t.meets(m, attempt{stageBegun, lowestWith(t.offer.nonce, r)}).settle()
	t.heed(m, r.now, v)
	if v.ours != fateStops {
		return false
	}
	t.offer.release(m)
	t.offer, t.series = nil, series{}
	return true
}

// meets is the collision of our rekeying, at the stage that it has reached, with the peer's.
func (t *rekeyIKETask) meets(m *Machine, ours attempt) collision {
	c := collision{ours: ours}
	switch {
	case m.state == StateRekeyed:
		c.theirs = attempt{stageSettled, t.rivalLowest}
	case t.rivalSeries.running(m):
		c.theirs = attempt{stageBegun, t.rivalLowest}
	case t.heir() != nil:
		c.theirs = attempt{stageMade, t.rivalLowest}
	}
	return c
}

// heed does to the peer's side what a verdict says of it.
func (t *rekeyIKETask) heed(m *Machine, now time.Time, v verdict) {
	s := t.heir()
	switch {
	case v.theirs == fateStays && v.wait:
		if m.state == StateRekeying {
			m.setState(StateEstablished, "the peer's own rekeying goes on")
		}
	case v.theirs == fateStays && s != nil:
		m.handOver(now, s)
	case v.theirs == fateStops:
		m.dropAnswering(t.rivalSeries)
	case v.theirs == fateCloses && !v.wait:
		// The peer does not, if our DELETE of the old SA overtakes the answer by which it would know that it has to.
		s.rivalOf = nil
		s.life = lifetime{expireAt: now.Add(redundantTime)}
		s.setState(StateRekeyed, "redundant after a collision")
		m.emit(Touched{Machine: s})
	}
}

// yield leaves the rekeying to the peer's own, since nothing comes of ours. It reports whether there is one.
func (t *rekeyIKETask) yield(m *Machine, now time.Time) bool {
	v := t.meets(m, attempt{}).settle()
	t.heed(m, now, v)
	return v.theirs == fateStays
}

// collide settles a collision when further key exchanges are to follow ours. It reports whether ours stops.
func (t *rekeyIKETask) collide(m *Machine, r *response) (stop bool) {
	v := t.meets(m, attempt{stageBegun, lowestWith(t.nonce, r)}).settle()
	t.heed(m, r.now, v)
	return v.ours == fateStops
}
