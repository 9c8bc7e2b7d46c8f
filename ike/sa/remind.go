package sa

import (
	"time"

	"esplanade/ike/wire"
)

// A peer that rekeys the IKE SA learns of the new one by our answer. If that is lost, it repeats its request, and gets the answer
// again: at the place where it looks for us. Where this side is behind a NAT that has another mapping since, the peer's repetitions reach
// nobody, and what this side says on the new IKE SA is of no use, since the peer has none. On the old one it would be understood,
// and would tell the peer where we are. So the peer is reminded there of us: when it seems not to have the new IKE SA, and before this
// side deletes the old one, which would be the end of all that the peer has.

// remindTask is an empty INFORMATIONAL request on an IKE SA that the peer has rekeyed.
type remindTask struct{}

func (remindTask) name() string                { return "find the peer on a rekeyed IKE SA" }
func (remindTask) exchange() wire.ExchangeType { return wire.ExchangeInformational }
func (remindTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	return nil, m.state == StateRekeyed
}
func (remindTask) done(m *Machine, r *response)        {}
func (remindTask) abandoned(m *Machine, now time.Time) {}

// silent is the end of the old IKE SA, and of no more: no other request may be made on it.
func (t remindTask) silent(m *Machine, now time.Time, p *outstanding) bool {
	return m.endReplaced(now, t)
}

// unheard reports whether nothing shows yet that the peer has this IKE SA, which its own request has brought about. What comes in ESP
// does not: the CHILD SAs are those of the old one.
func (m *Machine) unheard() bool {
	answered := m.window.nextSend
	if p := m.pending; p != nil && p.parked == nil {
		answered--
	}
	return answered == 0 && m.window.nextRecv == 0
}

// lacksSuccessor reports whether the peer may have rekeyed this IKE SA without having heard of the new one.
func (m *Machine) lacksSuccessor() bool {
	s := m.successor
	return m.state == StateRekeyed && s != nil && (s.state == StateEstablished || s.state == StateRekeying) && s.unheard()
}

// remindAfter is how long the peer has first, to repeat its request where that helps, or to see an answer that is under way.
const remindAfter = 5 * time.Second

// remindPeer reminds the peer on the IKE SA before this one that we are here, since somebody says that there is no such IKE SA as this
// one. Anybody can say that: so it is asked at most every suspectInterval, and nothing else follows of it.
func (m *Machine) remindPeer(now time.Time) {
	if old := m.predecessor; old != nil && now.Sub(m.created) >= remindAfter && old.lacksSuccessor() && old.alive.doubt(now) {
		old.remind(now)
		m.touched(old, now)
	}
}

// remind asks the peer of an IKE SA that it has rekeyed for a sign of life. With MOBIKE, the side that decides about the addresses has to
// say explicitly that its own has another look.
func (m *Machine) remind(now time.Time) {
	if m.watchesMapping() {
		m.requeue(&updateTask{from: m.path, again: true})
		return
	}
	m.requeue(remindTask{})
}

// endRekeyed ends an IKE SA that the peer has rekeyed and not deleted in time. A peer that does not seem to have the new one is given
// that time once more.
func (m *Machine) endRekeyed(now time.Time) {
	if m.lacksSuccessor() && !m.life.spared {
		m.life.spared, m.life.expireAt = true, now.Add(supersededTime)
		m.remind(now)
		return
	}
	m.delete(now, "replaced", false)
}
