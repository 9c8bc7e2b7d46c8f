package sim

import (
	"slices"
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/sa"
)

// settle checks at the end of a run that both hosts agree about everything, that what is wanted is there once, and that
// all traffic arrives.
func (w *World) settle() {
	if w.broken != nil {
		return
	}
	w.quiet()
	// All packets of a minute must arrive, whatever is rekeyed meanwhile.
	for _, h := range w.hosts {
		h.data.take()
	}
	w.play(time.Minute)
	w.quiet()
	if w.broken != nil {
		return
	}
	for _, l := range w.plan.links {
		ends := w.endsOf(l)
		for i, e := range ends {
			o := ends[1-i]
			h, peer := w.host(e.host), w.host(o.host)
			for k := range l.kids {
				there, here := childName(e.peer, k), childName(o.peer, k)
				// Up to two may still be on the way.
				if sent, got := h.data.sent[there], peer.data.received[here]; sent < 40 || got < sent-2 {
					w.fail("%s sent %d packets of %s in the last minute, %d arrived (%d)", h.name, sent, there, got, i)
				}
			}
		}
		w.agree(l)
	}
}

// endsOf are the two ends that have a link at present: a peer that was redirected is with the second gateway.
func (w *World) endsOf(l *linkPlan) [2]*endPlan {
	if l.second != nil {
		for _, s := range w.host(l.ends[0].host).between(l.ends[0].peer) {
			if w.host(l.second.host).hasSA(s) {
				return [2]*endPlan{l.ends[0], l.second}
			}
		}
	}
	return l.ends
}

// idleEnd is the end of a link that nobody is with; nil for none.
func (w *World) idleEnd(l *linkPlan) *endPlan {
	switch {
	case l.second == nil:
		return nil
	case w.endsOf(l)[1] == l.second:
		return l.ends[1]
	}
	return l.second
}

// quiet waits for a moment in which nothing is under way.
func (w *World) quiet() {
	patience := quietTime
	for _, l := range w.plan.links {
		if l.eitherCalls() {
			patience = restingTime
		}
	}
	until := w.now.Add(patience)
	for w.broken == nil && !w.idle() {
		if w.now.After(until) || !w.step(until) {
			w.fail("no quiet moment within %s: %s", patience, w.busyWith())
		}
	}
}

// quietTime is much longer than any exchange takes on a perfect network, and than what is put off for a while: with equal
// lifetimes rekeyings can collide so that the next one begins when what the last one left over is cleared away.
const quietTime = 4 * time.Minute

// restingTime is the same where either side may begin an IKE SA: a gateway that takes its peer for one which restarts what is closed
// leaves two for half an hour.
const restingTime = 35 * time.Minute

func (w *World) idle() bool { return w.net.flying == 0 && w.busyWith() == "" }

// mayHave reports whether there may be so many IKE SAs of a link: one, or where both sides can call, as many as have a child that no
// other has. A child may then be there once with each.
func (l *linkPlan) mayHave(n int) bool { return n == 1 || l.eitherCalls() && n > 1 && n <= l.kids }

// busyWith names the first thing that is under way.
func (w *World) busyWith() string {
	for _, l := range w.plan.links {
		if e := w.idleEnd(l); e != nil && len(w.host(e.host).between(e.peer)) > 0 {
			return e.host + ": an IKE SA with " + e.peer + ", which is elsewhere"
		}
		for _, e := range w.endsOf(l) {
			h := w.host(e.host)
			list := h.between(e.peer)
			if !l.mayHave(len(list)) {
				return h.name + ": " + itoa(len(list)) + " IKE SAs with " + e.peer
			}
			for _, s := range list {
				switch {
				case len(s.Tasks) > 0:
					return h.name + ": " + s.Tasks[0].String()
				case s.State != sa.StateEstablished:
					return h.name + ": an IKE SA is " + s.State.String()
				}
			}
			for i := range l.kids {
				if n := len(h.carrying(e.peer, i)); n < 1 || n > len(list) {
					return h.name + ": " + childName(e.peer, i) + " is there " + itoa(n) + " times"
				}
			}
		}
	}
	return ""
}

// agree checks that both hosts of a link have the same SAs.
func (w *World) agree(l *linkPlan) {
	ends := w.endsOf(l)
	ea, eb := ends[0], ends[1]
	ha, hb := w.host(ea.host), w.host(eb.host)
	a, b := ha.between(ea.peer), hb.between(eb.peer)
	if !l.mayHave(len(a)) || len(a) != len(b) {
		w.fail("%d IKE SAs at %s, %d at %s", len(a), ha.name, len(b), hb.name)
		return
	}
	want := ea.ppk
	if eb.ppk == otherPPK {
		want = ""
	}
	for _, s := range a {
		i := slices.IndexFunc(b, func(x sa.Snapshot) bool { return x.SPIi == s.SPIi && x.SPIr == s.SPIr })
		if i < 0 || b[i].Initiator == s.Initiator {
			w.fail("%s and %s have different IKE SAs", ha.name, hb.name)
			return
		}
		if ha.addressed(s, true); hb.addressed(b[i], true) && !slices.Equal(s.LocalVIPs, b[i].RemoteVIPs) {
			w.fail("%s has the addresses %v, and %s has given it %v", ha.name, s.LocalVIPs, hb.name, b[i].RemoteVIPs)
		}
		w.wantPaths(ha, hb, s)
		w.wantPaths(hb, ha, b[i])
		if s.PPK != want || b[i].PPK != want {
			w.fail("the hosts use the PPKs %q and %q, not %q", s.PPK, b[i].PPK, want)
		}
	}
	for i := range l.kids {
		ca, cb := ha.carrying(ea.peer, i), hb.carrying(eb.peer, i)
		if len(ca) < 1 || len(ca) > len(a) || len(ca) != len(cb) {
			w.fail("child %d is there %d times at %s, %d times at %s", i, len(ca), ha.name, len(cb), hb.name)
			return
		}
		for _, x := range ca {
			if !slices.ContainsFunc(cb, func(y sa.ChildSnapshot) bool { return x.LocalSPI == y.RemoteSPI && y.LocalSPI == x.RemoteSPI }) {
				w.fail("child %d has the SPIs %08x/%08x at %s, which %s has not", i, x.LocalSPI, x.RemoteSPI, ha.name, hb.name)
			}
		}
	}
	for _, h := range []*Host{ha, hb} {
		w.wantData(h)
	}
}

// wantData checks that a data plane has the SAs of its children and nothing else. Those of an IKE SA that is about to go, since there is
// another one, are no longer sent on.
func (w *World) wantData(h *Host) {
	d, kids, wanted, carried := &h.data, 0, 0, 0
	for _, e := range h.plan.ends {
		kids += len(e.kids)
		if w.idleEnd(e.link) == e {
			continue
		}
		wanted += len(e.kids)
		for i := range e.kids {
			carried += len(h.carrying(e.peer, i))
		}
	}
	if len(d.allocated) != len(d.inbound) {
		w.fail("%s: %d SPIs are allocated, %d in use", h.name, len(d.allocated), len(d.inbound))
	}
	if n := len(d.outbound); n < wanted || n > carried || len(d.policies) != kids {
		w.fail("%s: %d outbound SAs and %d policies for %d children, %d of them wanted, %d there", h.name, n, len(d.policies), kids, wanted, carried)
	}
	for _, out := range d.outbound {
		found := false
		for _, x := range w.hosts {
			in := x.data.inbound[out.spi]
			found = found || x != h && in != nil && in.key == out.key && in.name != ""
		}
		if !found {
			w.fail("%s sends on SPI %08x, which the peer does not have", h.name, out.spi)
		}
	}
}

// shutdown ends one host after the other, and checks that nothing is left of either.
func (w *World) shutdown() {
	if w.broken != nil {
		return
	}
	w.check.down, w.check.ending = "shutdown", true
	order := slices.Clone(w.hosts)
	w.rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	for _, h := range order {
		w.logf("%s ends", h.name)
		h.stopping = true
		h.input(func(now time.Time, g *gateway.Manager) { g.Shutdown(now) })
		for end := w.now.Add(endTime); w.broken == nil && h.g.Open() > 0 && w.now.Before(end) && w.step(end); {
		}
		if n := h.g.Open(); n > 0 && w.broken == nil {
			w.fail("%s has %d IKE SAs open %s after it was to end", h.name, n, endTime)
		}
		for _, e := range h.plan.ends {
			for _, s := range w.host(e.peer).between(e.host) {
				with := h.has(s.Path.Remote.Addr()) || s.Path.Remote.Addr() == addrNAT
				if s.State == sa.StateEstablished && with && w.broken == nil {
					w.fail("%s has an IKE SA with %s, which has ended", e.peer, h.name)
				}
			}
		}
		h.input(func(now time.Time, g *gateway.Manager) { g.Close(now) })
	}
	w.play(shutdownTime)
	for _, h := range w.hosts {
		w.empty(h)
	}
}

// empty checks that nothing is left of a host that has ended.
func (w *World) empty(h *Host) {
	d := &h.data
	if n := len(d.inbound) + len(d.outbound) + len(d.allocated) + len(d.policies); n != 0 && w.broken == nil {
		w.fail("%s has %d inbound and %d outbound SAs, %d SPIs and %d policies at the end", h.name, len(d.inbound), len(d.outbound), len(d.allocated), len(d.policies))
	}
	if n := len(h.routes) + len(h.excluded) + len(h.assigned); n != 0 && w.broken == nil {
		w.fail("%s: at the end %d routes are wanted, and %v outside of the tunnels", h.name, len(h.routes), h.excluded)
	}
	if t := h.g.NextTimeout(); !t.IsZero() && w.broken == nil {
		w.fail("%s wants to be called at %s after its end", h.name, t.Sub(epoch))
	}
}

const (
	// endTime is how long the peers have to answer DELETEs on a perfect network.
	endTime = 3 * time.Second
	// shutdownTime is longer than a closed IKE SA stays to repeat its last answer.
	shutdownTime = time.Minute
)
