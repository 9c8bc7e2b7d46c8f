package sim

import (
	"time"

	"esplanade/ike/sa"
)

// script schedules what the seed wants to happen while the network is bad.
func (w *World) script() {
	p := &w.plan
	at := func() time.Duration { return w.between(0, p.chaos) }
	for range p.operations {
		w.after(at(), w.operate)
	}
	for range p.restarts {
		w.after(at(), w.restart)
	}
	for range p.rebinds {
		w.after(at(), w.net.rebind)
	}
	for range p.moves {
		w.after(at(), w.move)
	}
	for range p.attacks {
		w.after(at(), w.attacker.attack)
	}
	for range p.blackouts {
		w.after(at(), func() {
			w.logf("the line is cut")
			w.net.cut = true
			w.after(w.between(time.Second, 60*time.Second), func() { w.logf("the line is back"); w.net.cut = false })
		})
	}
	w.traffic()
	if p.b.start {
		w.review()
	}
}

// review clears up when both sides have initiated.
func (w *World) review() {
	w.a.reviewRedundant()
	w.b.reviewRedundant()
	w.after(15*time.Second, w.review)
}

// traffic sends packets in both directions for ever.
func (w *World) traffic() {
	w.a.data.tick()
	w.b.data.tick()
	w.after(w.between(500*time.Millisecond, 1500*time.Millisecond), w.traffic)
}

// hosts are those an operation is about: one of them, or both at the same moment.
func (w *World) pick() []*Host {
	switch w.rng.IntN(3) {
	case 0:
		return []*Host{w.a}
	case 1:
		return []*Host{w.b}
	}
	return []*Host{w.a, w.b}
}

// operate does what an operator, or a limit of traffic, would do.
func (w *World) operate() {
	kinds := 6
	if w.plan.gentle {
		kinds = 3
	}
	switch w.rng.IntN(kinds) {
	case 0:
		w.each("rekey children", func(h *Host, n *node) {
			for _, c := range n.m.Children() {
				n.m.RekeyChild(w.now, c.ID)
			}
		})
	case 1:
		w.each("rekey IKE SA", func(_ *Host, n *node) { n.m.RekeyIKE(w.now) })
	case 2:
		w.each("rekey both", func(_ *Host, n *node) {
			for _, c := range n.m.Children() {
				n.m.RekeyChild(w.now, c.ID)
			}
			n.m.RekeyIKE(w.now)
		})
	case 3:
		w.each("delete a child", func(h *Host, n *node) {
			if cs := n.m.Children(); len(cs) > 0 {
				w.check.destroyed(h, "operator")
				n.m.DeleteChild(w.now, cs[w.rng.IntN(len(cs))].ID, "operator")
			}
		})
	case 4:
		w.each("delete the IKE SA", func(h *Host, n *node) {
			w.check.destroyed(h, "operator")
			n.m.Delete(w.now, "operator")
		})
	case 5:
		w.each("one more child", func(h *Host, n *node) {
			cs := h.plan.cfg.Children
			n.m.InitiateChild(w.now, cs[w.rng.IntN(len(cs))], nil)
		})
	}
}

func (w *World) each(what string, do func(h *Host, n *node)) {
	for _, h := range w.pick() {
		for _, n := range h.nodes() {
			if s := n.m.State(); s != sa.StateEstablished && s != sa.StateRekeying {
				continue
			}
			w.logf("operator of %s: %s (%d)", h.name, what, n.m.ID())
			do(h, n)
			h.drain(n)
		}
	}
}

// restart kills a host's daemon and starts a new one.
func (w *World) restart() {
	h := w.pick()[0]
	w.logf("%s restarts", h.name)
	w.check.destroyed(h, "restart")
	h.boot()
}

// calm makes the network perfect and lets whatever went wrong come right.
func (w *World) calm() {
	if w.broken != nil {
		return
	}
	w.logf("calm")
	w.net.conditions, w.net.cut = calmConditions, false
	w.plan.moves = 0
	// Datagrams that are still on the way and blackouts that have been scheduled end within this time; then the slowest
	// failure detection: a liveness check, all its retransmissions, a new attempt.
	w.play(calmTime)
	w.net.cut = false
	for end := w.now.Add(w.plan.patience()); w.broken == nil && w.orphan() && w.now.Before(end); {
		w.play(10 * time.Second)
	}
}

// calmTime is longer than any timeout of a plan but one: see patience.
const calmTime = 4 * time.Minute

// orphan tells whether a host has an IKE SA of which the other has no end.
func (w *World) orphan() bool {
	for _, h := range [...]*Host{w.a, w.b} {
		for _, n := range h.open() {
			if x := w.other(h).machines[n.m.PeerSPI()]; x == nil || x.m.State() == sa.StateClosed {
				return true
			}
		}
	}
	return false
}

// patience is how long a host may hold on to an IKE SA that the other gave up before it had an answer, and that is nowhere to be
// found since the other has moved: as long as a request is repeated. With MOBIKE a responder goes on for four times that.
func (p *plan) patience() time.Duration {
	r := p.a.cfg.Retransmit
	total, pause := time.Duration(0), float64(r.Timeout)
	for range r.Tries + 1 {
		total += time.Duration(pause)
		pause *= r.Base
	}
	if p.mobike {
		total *= 4
	}
	return total
}
