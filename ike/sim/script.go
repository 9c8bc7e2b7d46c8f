package sim

import (
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
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
	for range p.reloads {
		w.after(at(), w.reload)
	}
	for range p.loads {
		w.after(at(), w.load)
	}
	for range p.redirects {
		w.after(at(), w.redirect)
	}
	for range p.renewals {
		w.after(at(), w.renew)
	}
	for range p.strangeCAs {
		w.after(at(), w.strangeCA)
	}
	for range p.locks {
		w.after(at(), w.lock)
	}
	for range p.revocations {
		w.after(at(), w.revoke)
	}
	w.traffic()
}

// traffic sends packets in all directions for ever.
func (w *World) traffic() {
	for _, h := range w.hosts {
		h.data.tick()
	}
	w.after(w.between(500*time.Millisecond, 1500*time.Millisecond), w.traffic)
}

// redirect has each of two gateways send its peer to the other one.
func (w *World) redirect() {
	l := w.plan.links[0]
	b, d := w.host(l.ends[1].host), w.host(l.second.host)
	for _, h := range []*Host{b, d} {
		to := b
		if h == b {
			to = d
		}
		if len(to.addrs) == 0 {
			continue
		}
		w.check.destroyed(h, "redirect")
		h.input(func(now time.Time, g *gateway.Manager) {
			n, err := g.Redirect(now, gateway.Redirect{Target: gateway.Target{Connection: l.ends[1].peer}, Gateway: wire.Gateway{Addr: to.addrs[0]}})
			w.logf("operator of %s: redirect to %s: %d, %v", h.name, to.name, n, err)
			w.check.stats.Redirects += n
		})
	}
}

// reload gives a host another configuration, and later the one that it had.
func (w *World) reload() {
	h := w.hosts[w.rng.IntN(len(w.hosts))]
	v := variant{times: time.Duration(w.rng.IntN(20)) * time.Second}
	if !w.plan.gentle {
		v.without, v.moved, v.other = w.rng.IntN(4) == 0, w.rng.IntN(4) == 0, w.rng.IntN(6) == 0
		if v.without || v.moved || v.other {
			w.check.destroyed(h, "reload")
		}
	}
	h.reload(v)
	w.after(w.between(0, 60*time.Second), func() {
		if v.without || v.moved || v.other {
			w.check.destroyed(h, "reload")
		}
		h.reload(variant{})
	})
}

// pick chooses those an operation is about: one of them, or all at the same moment.
func (w *World) pick() []*Host {
	if n := w.rng.IntN(len(w.hosts) + 1); n < len(w.hosts) {
		return w.hosts[n : n+1]
	}
	return w.hosts
}

// operate does what an operator, or a limit of traffic, would do.
func (w *World) operate() {
	kinds := 10
	if w.plan.gentle {
		kinds = 5
	}
	kind := w.rng.IntN(kinds)
	for _, h := range w.pick() {
		if h.down {
			continue
		}
		for _, s := range h.sas() {
			if s.State == sa.StateEstablished || s.State == sa.StateRekeying {
				w.operateOn(h, s, kind)
			}
		}
	}
}

func (w *World) operateOn(h *Host, s sa.Snapshot, kind int) {
	ike := gateway.Target{IKEID: s.ID}
	do := func(what string, f func(now time.Time, g *gateway.Manager)) {
		w.logf("operator of %s: %s (%d)", h.name, what, s.ID)
		h.input(f)
	}
	children := func(f func(now time.Time, g *gateway.Manager, child uint64)) func(time.Time, *gateway.Manager) {
		return func(now time.Time, g *gateway.Manager) {
			for _, c := range s.Children {
				f(now, g, c.ID)
			}
		}
	}
	// What is not there any more is an error, and no matter here.
	switch kind {
	case 0:
		do("rekey children", children(func(now time.Time, g *gateway.Manager, id uint64) { _, _ = g.Rekey(now, gateway.Target{ChildID: id}) }))
	case 1:
		do("rekey IKE SA", func(now time.Time, g *gateway.Manager) { _, _ = g.Rekey(now, ike) })
	case 2:
		do("rekey both", func(now time.Time, g *gateway.Manager) {
			children(func(now time.Time, g *gateway.Manager, id uint64) { _, _ = g.Rekey(now, gateway.Target{ChildID: id}) })(now, g)
			_, _ = g.Rekey(now, ike)
		})
	case 3:
		do("children are nearly exhausted", children(func(now time.Time, g *gateway.Manager, id uint64) { g.Exhausting(now, id) }))
	case 4:
		if e := h.plan.end(s.Connection); w.plan.gentle && (e.unique == "keep" || !e.start || len(h.between(e.peer)) > 1) {
			return // one at a time, and by one side: of several that are on their way, each is in place of another
		}
		do("reauthenticate", func(now time.Time, g *gateway.Manager) { _, _ = g.Reauthenticate(now, ike) })
	case 5:
		if len(s.Children) > 0 {
			w.check.destroyed(h, "operator")
			id := s.Children[w.rng.IntN(len(s.Children))].ID
			do("delete a child", func(now time.Time, g *gateway.Manager) {
				w.terminate(now, g, gateway.Target{ChildID: id}, gateway.Ending{})
			})
		}
	case 6:
		w.check.destroyed(h, "operator")
		do("delete the IKE SA", func(now time.Time, g *gateway.Manager) { w.terminate(now, g, ike, gateway.Ending{}) })
	case 7:
		w.check.destroyed(h, "operator")
		do("delete the IKE SA and not wait", func(now time.Time, g *gateway.Manager) { w.terminate(now, g, ike, gateway.Ending{Force: true}) })
	case 8:
		w.check.destroyed(h, "operator")
		do("take the connection down", func(now time.Time, g *gateway.Manager) {
			how := gateway.Ending{Shut: s.ID%2 == 0}
			w.terminate(now, g, gateway.Target{Connection: s.Connection}, how)
			if how.Shut {
				h.shut[s.Connection] = true
				w.check.stats.Shut++
			} else {
				h.hold(s.Connection)
				w.check.stats.Held++
			}
		})
		h.later(w.between(0, 30*time.Second), func(_ time.Time, g *gateway.Manager) {
			w.logf("operator of %s: bring %s up again", h.name, s.Connection)
			h.initiate(g, s.Connection)
		})
	case 9:
		do("bring everything up", func(_ time.Time, g *gateway.Manager) { h.initiate(g, s.Connection) })
	}
}

func (w *World) terminate(now time.Time, g *gateway.Manager, t gateway.Target, how gateway.Ending) {
	_, _ = g.Terminate(now, t, how, func() {})
}

// restart kills a host's daemon and starts a new one, at once or after a while.
func (w *World) restart() {
	h := w.hosts[w.rng.IntN(len(w.hosts))]
	if h.down {
		return
	}
	w.check.destroyed(h, "restart")
	if w.rng.IntN(2) == 0 {
		w.logf("%s restarts", h.name)
		h.boot()
		return
	}
	w.logf("%s dies", h.name)
	h.down = true
	w.after(w.between(time.Second, 20*time.Second), func() { w.logf("%s is back", h.name); h.boot() })
}

// calm makes the network perfect and lets whatever went wrong come right.
func (w *World) calm() {
	if w.broken != nil {
		return
	}
	w.logf("calm")
	w.net.conditions, w.net.cut = calmConditions, false
	w.plan.deaf, w.plan.slow = 0, 10*time.Millisecond
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

// orphan reports whether a host has an IKE SA of which no other has the other end.
func (w *World) orphan() bool {
	for _, h := range w.hosts {
		for _, s := range h.sas() {
			found := false
			for _, x := range w.hosts {
				found = found || x != h && x.hasSA(s)
			}
			if !found {
				return true
			}
		}
	}
	return false
}

// patience is how long a host may hold on to an IKE SA that the other gave up before it had an answer, and that is nowhere to be
// found since the other has moved: as long as a request is repeated. With MOBIKE a responder goes on for four times that.
func (p *plan) patience() time.Duration {
	total, pause := time.Duration(0), float64(p.retransmit)
	for range p.tries + 1 {
		total += time.Duration(pause)
		pause *= retransmitBase
	}
	if p.mobike {
		total *= 4
	}
	return total
}
