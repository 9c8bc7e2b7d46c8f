package sa

import (
	"net/netip"
	"slices"
	"time"

	"esplanade/ike/wire"
)

// announceTask tells the peer which addresses this side has in addition to the one that the message comes from: a whole list,
// which replaces what the peer knows. https://www.rfc-editor.org/rfc/rfc4555#section-3.6
type announceTask struct {
	// must: the peer has to hear it even when the list is the old one, since it comes from a new address.
	must bool
	// again: the same is said on the successor of the IKE SA.
	again bool
	list  []netip.Addr
}

func (t *announceTask) name() string                { return "announce the addresses" }
func (t *announceTask) exchange() wire.ExchangeType { return wire.ExchangeInformational }

// stays and silent are as those of updateTask.
func (t *announceTask) stays() task {
	if !t.must {
		return nil
	}
	return &announceTask{must: true, again: true}
}
func (t *announceTask) silent(m *Machine, now time.Time, p *outstanding) bool {
	return m.endReplaced(now, t)
}

// endReplaced ends an IKE SA that has been replaced, and whose peer does not answer the request of a task. It reports false for
// another IKE SA.
func (m *Machine) endReplaced(now time.Time, t task) bool {
	if !m.Replaced() {
		return false
	}
	t.abandoned(m, now)
	m.close(now, "replaced", nil)
	return true
}

// abandoned is as that of updateTask.
func (t *announceTask) abandoned(m *Machine, now time.Time) {
	if s := m.newest(); s != m && !t.again && s.speaks(true) {
		s.announce(now, t.must)
		m.touched(s, now)
	}
}

// announce has the peer told of this side's addresses when they are not those that it knows. What it must hear is said on
// every IKE SA that it may have, since the answer that tells of a new one may be what does not find it.
func (m *Machine) announce(now time.Time, must bool) {
	if !m.speaks(must) || !must && (m.rivalOf != nil || slices.Equal(m.additional(), m.mob.announced)) {
		return
	}
	for _, t := range m.queue {
		if t, ok := t.(*announceTask); ok {
			t.must = t.must || must
			return
		}
	}
	m.enqueue(&announceTask{must: must})
}

// speaks reports whether addresses are announced in this state.
func (m *Machine) speaks(must bool) bool {
	return m.state == StateEstablished || m.state == StateRekeying || must && m.state == StateRekeyed
}

func (t *announceTask) build(m *Machine, now time.Time) ([]wire.Payload, bool) {
	t.list = m.additional()
	if !m.speaks(t.must) || !t.must && slices.Equal(t.list, m.mob.announced) {
		return nil, false
	}
	var out []wire.Payload
	for _, a := range t.list {
		out = append(out, wire.NewAdditionalAddress(a))
	}
	if len(out) == 0 {
		out = append(out, &wire.Notify{NotifyType: wire.NotifyNoAdditionalAddresses})
	}
	return append(out, m.noNATs(m.path)...), true
}

func (t *announceTask) done(old *Machine, r *response) {
	m := old.newest()
	m.mob.announced = t.list
	if !slices.Equal(m.additional(), t.list) {
		m.announce(r.now, false)
	}
	old.touched(m, r.now)
}
