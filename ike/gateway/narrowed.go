package gateway

import (
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/selector"
)

// narrowing is what the peer of a child that is up has left out of its selectors, and what is done about it: "The responder is allowed
// to narrow the choices by selecting a subset of the traffic" (https://www.rfc-editor.org/rfc/rfc7296#section-2.9). Gateways that hold
// one pair of networks for each CHILD SA leave out all others; each of those gets a CHILD SA of its own. One that is to come up by
// itself asks for them one after the other, one that waits for packets with the next packet that nothing carries.
type narrowing struct {
	// asking is the pair whose CHILD SA is being asked for, since when; nil for none.
	asking *selector.Pair
	since  time.Time
	// refused are the pairs that the peer did not give one for.
	refused []denial
	// said: it was reported, and the report still stands.
	said bool
}

// denial is a pair of selectors that the peer has not taken.
type denial struct {
	pair  selector.Pair
	times int
	next  time.Time // no attempt before
}

const (
	// maxPairs bounds the pairs of networks of one child that are told apart, and its CHILD SAs with one peer: 8 networks on each side. A
	// child with more is said to be narrowed, and nothing is done about it.
	maxPairs = 64
	// morePause is the pause after a pair was refused, twice as long each time up to maxMorePause. The peer has said that it does not take
	// the pair; only its operator can change that, and nothing is lost by asking rarely: an operator who has changed something can
	// initiate the child, or wait.
	morePause    = time.Minute
	maxMorePause = time.Hour
	// moreTimeout ends the waiting for a CHILD SA of which nothing is heard: longer than a request is repeated, with some
	// TEMPORARY_FAILUREs before.
	moreTimeout = 5 * time.Minute
)

// carrier is the IKE SA that the CHILD SAs of a child are with. There is none when it has several peers: which of them a packet is for
// is not known.
func (g *Manager) carrier(h *child) *entry {
	var found *entry
	for id := range h.live {
		i := g.installed[id]
		if i == nil || !inUse(i.child) || !i.owner.alive() {
			continue
		}
		switch x := i.owner; {
		case found == nil:
			found = x
		case x.peer != found.peer:
			return nil
		case x.m.ID() > found.m.ID():
			found = x // the older one is on its way out
		}
	}
	return found
}

// carried are the selectors of the CHILD SAs that a child has on an IKE SA, asked whether this side has asked for any of them.
func carried(h *child, e *entry) (list []selector.Pair, asked bool) {
	for _, c := range e.m.Children() {
		if c.Config == h.cfg && inUse(c) {
			list, asked = append(list, c.TS), asked || c.Asked()
		}
	}
	return list, asked
}

// pairs are the pairs of networks of a child, as configured. ok is false when there are too many.
func pairs(ts selector.Pair) (list []selector.Pair, ok bool) {
	if len(ts.Local)*len(ts.Remote) > maxPairs {
		return nil, false
	}
	for _, l := range ts.Local {
		for _, r := range ts.Remote {
			if l.Is4() == r.Is4() {
				list = append(list, selector.Pair{Local: []selector.Selector{l}, Remote: []selector.Selector{r}})
			}
		}
	}
	return list, true
}

// leftOut are the pairs of which no CHILD SA carries all.
func leftOut(all, have []selector.Pair) (out []selector.Pair) {
	for _, p := range all {
		if !slices.ContainsFunc(have, func(x selector.Pair) bool { return x.Contains(p) }) {
			out = append(out, p)
		}
	}
	return out
}

// review looks at what a child that is up does not carry. It asks for what is to be asked for, says what is left out, and gives the
// time when it is to be called again.
func (g *Manager) review(now time.Time, h *child) time.Time {
	n := &h.narrow
	if !h.up() || g.stopping || h.gone {
		*n = narrowing{}
		return time.Time{}
	}
	e := g.carrier(h)
	if e == nil {
		return time.Time{}
	}
	want := e.m.Configured(h.cfg)
	have, asked := carried(h, e)
	if len(have) == 0 || slices.ContainsFunc(have, func(x selector.Pair) bool { return x.Contains(want) }) {
		n.whole(g, h)
		return time.Time{}
	}
	all, ok := pairs(want)
	left := leftOut(all, have)
	if ok && len(left) == 0 {
		n.whole(g, h)
		return time.Time{}
	}
	// What has been carried for as long as its pause is nothing that comes and goes.
	n.refused = slices.DeleteFunc(n.refused, func(r denial) bool { return !now.Before(r.next) && !slices.ContainsFunc(left, r.pair.Equal) })
	if n.waits(now, h, e) && slices.ContainsFunc(left, n.asking.Equal) {
		return n.since.Add(moreTimeout)
	}
	n.asking = nil
	next := time.Time{}
	if asked && h.action() == policy.StartStart && !h.held && len(have) < maxPairs {
		for _, p := range left {
			if slices.ContainsFunc(have, p.Overlaps) {
				continue // it has a part of it, and the same request would get the same part
			}
			if r := n.denial(p); r == nil || !now.Before(r.next) {
				g.askMore(now, h, e, p, nil)
				return n.since.Add(moreTimeout)
			} else {
				next = earliest(next, r.next)
			}
		}
	}
	if asked && !n.said {
		n.said = true
		g.report(now, e, diag.SelectorsNarrowed(g.whereChild(now, e, h), texts(want), texts(union(have)), pairTexts(left, want)))
	}
	return next
}

// waits reports whether a CHILD SA is being asked for, on the IKE SA that the child is with now.
func (n *narrowing) waits(now time.Time, h *child, e *entry) bool {
	return n.asking != nil && now.Before(n.since.Add(moreTimeout)) && e != nil && e.m.AsksMore(h.cfg)
}

// whole notes that nothing is left out.
func (n *narrowing) whole(d *Manager, h *child) {
	if n.said {
		d.failures.Clear(h.conn.conf.Name, h.cfg.Name)
	}
	*n = narrowing{}
}

// cleared has what was said about a child said again where it still holds: its failures have just been cleared.
func (g *Manager) cleared(h *child) {
	if h.narrow.said {
		h.narrow.said = false
		g.touch(h)
	}
}

func (n *narrowing) denial(p selector.Pair) *denial {
	if i := slices.IndexFunc(n.refused, func(r denial) bool { return r.pair.Equal(p) }); i >= 0 {
		return &n.refused[i]
	}
	return nil
}

// acquireMore deals with a packet that a child is configured for and none of its CHILD SAs carries.
func (g *Manager) acquireMore(now time.Time, h *child, p selector.Packet) {
	e := g.carrier(h)
	if h.narrow.waits(now, h, e) {
		return // it may be for this packet; if it is not, the packet looks for its way again when the answer is there
	}
	if e != nil {
		have, _ := carried(h, e)
		if slices.ContainsFunc(have, func(x selector.Pair) bool { return x.MatchOut(p) }) {
			return // it has come up while the packet was reported, which is on its way
		}
		all, _ := pairs(e.m.Configured(h.cfg))
		for _, x := range all {
			if !x.MatchOut(p) {
				continue
			}
			if r := h.narrow.denial(x); len(have) < maxPairs && (r == nil || !now.Before(r.next)) {
				g.log.Info("traffic needs what the peer has left out", "connection", h.conn.conf.Name, "child", h.cfg.Name, "packet", p)
				g.askMore(now, h, e, x, &p)
				return
			}
		}
	}
	g.o.DataPlane.FailPending(h.policy)
}

// askMore asks for a CHILD SA for one pair. Until it is there the pair counts as refused, so that one which comes and goes, or does not
// carry what it was asked for, is not asked for again at once.
func (g *Manager) askMore(now time.Time, h *child, e *entry, p selector.Pair, trigger *selector.Packet) {
	n := &h.narrow
	r := n.denial(p)
	if r == nil {
		if len(n.refused) >= maxPairs { // those of addresses from before a move, among others
			n.refused = nil
		}
		n.refused = append(n.refused, denial{pair: p})
		r = &n.refused[len(n.refused)-1]
	}
	r.next = now.Add(min(morePause<<min(r.times, 10), maxMorePause))
	r.times++
	n.asking, n.since = &p, now
	e.m.InitiateMore(now, h.cfg, p, trigger)
	g.touch(h)
	g.drain(now, e)
}

// partFailed notes that the peer gives no CHILD SA for a pair. Packets that wait for it are refused.
func (g *Manager) partFailed(now time.Time, h *child, p selector.Pair) {
	h.narrow.asking, h.narrow.said = nil, false
	g.o.DataPlane.FailPending(h.policy)
	g.touch(h)
}

// whereChild describes a child on an IKE SA.
func (g *Manager) whereChild(now time.Time, e *entry, h *child) diag.Where {
	p := e.m.Path()
	return diag.Where{
		Connection: h.conn.conf.Name, Child: h.cfg.Name, Lone: h.conn.cfg.Lone, Local: p.Local, Remote: p.Remote, PeerID: e.m.RemoteID().String(),
		ConfigLine: h.cfg.RemoteTSLine, Time: now,
	}
}

func texts(p selector.Pair) diag.Selectors {
	return diag.Selectors{Local: selectors(p.Local), Remote: selectors(p.Remote)}
}

// union is both sides of several pairs.
func union(list []selector.Pair) (p selector.Pair) {
	for _, x := range list {
		p.Local, p.Remote = append(p.Local, x.Local...), append(p.Remote, x.Remote...)
	}
	return selector.Pair{Local: selector.Simplify(p.Local), Remote: selector.Simplify(p.Remote)}
}

// pairTexts names what is left out; where there are too many pairs to tell apart, it is a part of everything.
func pairTexts(left []selector.Pair, all selector.Pair) []string {
	if len(left) == 0 {
		return []string{"a part of " + all.String()}
	}
	out := make([]string, len(left))
	for i, p := range left {
		out[i] = p.String()
	}
	return out
}
