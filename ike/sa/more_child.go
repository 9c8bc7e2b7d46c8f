package sa

import (
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/selector"
)

// InitiateMore asks for a further CHILD SA of a child that is up, for a part of its selectors that the peer has left out. trigger is
// the packet that wants it, or nil. [ChildUp], or [Failed] with the part, follows, unless a CHILD SA for it has come up meanwhile.
func (m *Machine) InitiateMore(now time.Time, c *ChildConfig, part selector.Pair, trigger *selector.Packet) {
	m.enqueue(&createChildTask{cfg: c, part: &part, trigger: trigger})
	m.pump(now)
}

// AsksMore reports whether a request of InitiateMore for a child has not come to anything yet. One whose IKE SA ends, or that somebody
// else has seen to, ends without an output.
func (m *Machine) AsksMore(c *ChildConfig) bool {
	_, ok := queued(m, func(t *createChildTask) bool { return t.cfg == c && t.part != nil })
	return ok
}

// served reports whether what a request is for is carried by a CHILD SA already: its packet, its part of the child, or the child.
func (m *Machine) served(t *createChildTask) bool {
	return slices.ContainsFunc(m.children, func(c *Child) bool {
		return c.Config == t.cfg && c.live() && !m.leaves(c) && (t.trigger == nil && t.part == nil ||
			t.trigger != nil && c.TS.MatchOut(*t.trigger) || t.part != nil && c.TS.Contains(*t.part))
	})
}

// offerPart draws up the offer of a request for a part of a child: that part alone, since a peer that takes one pair of networks only
// would find the first one in a longer list again.
func (m *Machine) offerPart(t *createChildTask) error {
	o, err := m.newOffer(t.cfg, nil, nil, false)
	if err != nil {
		return err
	}
	o.part, o.ts = t.part, specific(*t.part, t.trigger)
	t.offer = o
	return nil
}

// finishPart takes the answer to a request for a part of a child. A CHILD SA that carries nothing that another does not is of no use,
// and every packet would bring another of them: it is closed, and the request has failed.
func (m *Machine) finishPart(r *response, o *childOffer) {
	c, _ := m.takeAnswer(r, o, nil)
	if c == nil {
		return
	}
	i := slices.IndexFunc(m.children, func(x *Child) bool {
		return x != c && x.Config == c.Config && x.live() && x.TS.Contains(c.TS)
	})
	if i < 0 {
		m.switchOutbound(c)
		m.emit(ChildUp{Child: c})
		return
	}
	c.State, c.successor = ChildRekeyed, m.children[i]
	m.requeue(&deleteChildTask{child: c})
	w := m.where(r.header.Exchange).Of(o.cfg.Name, o.cfg.RemoteTSLine)
	m.emit(Failed{Child: o.cfg, Part: o.part, Failure: diag.NothingNew(w, selectorTexts(o.ts), selectorTexts(c.TS))})
}

// Asked reports whether this side has asked for the CHILD SA, or for the one that it was first rekeyed from.
func (c *Child) Asked() bool { return c.origin.initiator }
