package sa

import "time"

// How the CHILD SAs of an IKE SA, and what waits to be asked, come to the IKE SA that replaces it. Where two of them could, because both
// sides have rekeyed at once, the rule of collision.go decides; what the peer does may settle it before.

// handOver moves children and waiting requests to the successor; this SA waits for its deletion. The successor takes
// the requests up when it is called next, which is at once: not now, since the peer may not have our answer yet.
func (m *Machine) handOver(now time.Time, s *Machine) {
	if m.state == StateRekeyed {
		return // settled before
	}
	s.rivalOf = nil
	m.predecessors() // those that have ended are let go
	m.successor, s.predecessor = s, m
	if m.mob.on {
		s.inherit(m)
		s.path = m.path
	}
	s.children, m.children = append(s.children, m.children...), nil
	m.dropAllAnswering()
	end, ending := m.ending()
	var stay []task
	for _, t := range m.queue {
		if k, ok := t.(stayingTask); ok && !s.initiator && s.unheard() {
			if k := k.stays(); k != nil {
				stay = append(stay, k)
			}
		}
		if t.traits().follows {
			s.delayed = append(s.delayed, delayed{t, now})
		} else {
			t.abandoned(m, now)
		}
	}
	s.delayed, m.delayed = append(s.delayed, m.delayed...), nil
	s.renewTicket(now)
	m.queue = stay
	m.setState(StateRekeyed, "a successor has taken over")
	m.life.rekeyAt = time.Time{}
	m.emit(Replaced{Successor: s})
	if ending && end.whole {
		// Somebody has asked for the end of the whole thing while the rekeying was in flight.
		s.Delete(now, end.reason)
	}
}

// settleRival ends the uncertainty of a collision when the peer uses the IKE SA of its own request for anything but
// closing it: it has seen our answer and takes the exchange for complete, so that the children belong here.
func (m *Machine) settleRival(r *request) {
	old := m.rivalOf
	if old == nil || deletesIKE(r.payloads) {
		return
	}
	old.handOver(r.now, m)
	old.life.expireAt = r.now.Add(supersededTime)
	m.emit(Touched{Machine: old})
}

// rivalLives settles a collision of which the peer knows nothing: it never saw our request, has finished its own, and the old
// IKE SA is gone over there. It can't say so by a request when it does not know where we have moved to, but it answers
// what we ask on the IKE SA that it made. A peer that takes that one for redundant has deleted it long before.
func (m *Machine) rivalLives(now time.Time, t *rekeyIKETask) bool {
	s := t.heir()
	if s == nil || s.state != StateEstablished || s.alive.lastHeard.Sub(s.created) < rivalTime {
		return false
	}
	m.handOver(now, s)
	m.emit(Touched{Machine: s})
	m.close(now, "replaced", nil)
	return true
}

// rivalTime is how long after it was made an IKE SA is not redundant any more, if the peer still answers on it: far more than
// a DELETE is repeated.
const rivalTime = 30 * time.Second
