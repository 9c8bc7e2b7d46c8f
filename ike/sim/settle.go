package sim

import (
	"time"

	"esplanade/ike/sa"
)

// settle checks at the end of a run that both hosts agree about everything, that what is wanted is there once, and that
// all traffic arrives.
func (w *World) settle() {
	if w.broken != nil {
		return
	}
	// All packets of a minute must arrive, whatever is rekeyed meanwhile.
	w.a.data.take()
	w.b.data.take()
	w.play(time.Minute)
	w.quiet()
	if w.broken != nil {
		return
	}
	for _, h := range [...]*Host{w.a, w.b} {
		peer := w.other(h)
		for _, c := range h.plan.cfg.Children {
			sent, got := h.data.sent[c.Name], peer.data.received[c.Name]
			// Up to two may still be on the way.
			if sent < 40 || got < sent-2 {
				w.fail("%s sent %d packets of %s in the last minute, %d arrived", h.name, sent, c.Name, got)
			}
		}
	}
	w.agree()
}

func (d *dataPlane) take() { clear(d.sent); clear(d.received) }

func (w *World) other(h *Host) *Host {
	if h == w.a {
		return w.b
	}
	return w.a
}

// quiet waits for a moment in which nothing is under way.
func (w *World) quiet() {
	until := w.now.Add(quietTime)
	for w.broken == nil && !w.idle() {
		if w.now.After(until) || !w.step(until) {
			w.fail("no quiet moment within %s: %s", quietTime, w.busyWith())
		}
	}
}

// quietTime is much longer than any exchange takes on a perfect network, and than what is put off for a while: with equal
// lifetimes rekeyings can collide so that the next one begins when what the last one left over is cleared away.
const quietTime = 4 * time.Minute

func (w *World) idle() bool { return w.net.flying == 0 && w.busyWith() == "" }

// busyWith names the first thing that is under way.
func (w *World) busyWith() string {
	for _, h := range [...]*Host{w.a, w.b} {
		if n := len(h.open()); n > 1 {
			return h.name + ": " + itoa(n) + " IKE SAs"
		}
		for _, n := range h.nodes() {
			switch s := n.m.Snapshot(); {
			case s.State == sa.StateClosed:
			case len(s.Tasks) > 0:
				return h.name + ": " + s.Tasks[0].Name
			case s.State != sa.StateEstablished:
				return h.name + ": an IKE SA is " + s.State.String()
			}
		}
		for _, cfg := range h.plan.cfg.Children {
			if h.data.liveOf(cfg) > 1 {
				return h.name + ": " + cfg.Name + " is there more than once"
			}
		}
	}
	return ""
}

// agree checks that both hosts have the same SAs.
func (w *World) agree() {
	a, b := w.a.open(), w.b.open()
	if len(a) != 1 || len(b) != 1 {
		w.fail("%d IKE SAs at a, %d at b", len(a), len(b))
		return
	}
	ma, mb := a[0].m, b[0].m
	if ma.LocalSPI() != mb.PeerSPI() || mb.LocalSPI() != ma.PeerSPI() || ma.Initiator() == mb.Initiator() {
		w.fail("the hosts have different IKE SAs")
		return
	}
	w.wantPaths()
	want := w.plan.a.cfg.PPKID
	if w.plan.b.cfg.PPKID == otherPPK {
		want = ""
	}
	if x, y := ma.Snapshot().PPK, mb.Snapshot().PPK; x != want || y != want {
		w.fail("the hosts use the PPKs %q and %q, not %q", x, y, want)
	}
	for i, cfg := range w.a.plan.cfg.Children {
		ca, cb := w.a.data.live(cfg), w.b.data.live(w.b.plan.cfg.Children[i])
		if len(ca) != 1 || len(cb) != 1 {
			w.fail("%s is there %d times at a, %d times at b", cfg.Name, len(ca), len(cb))
			return
		}
		x, y := ca[0], cb[0]
		if x.Inbound.SPI != y.Outbound.SPI || y.Inbound.SPI != x.Outbound.SPI {
			w.fail("%s has the SPIs %08x/%08x at a and %08x/%08x at b", cfg.Name, x.Inbound.SPI, x.Outbound.SPI, y.Inbound.SPI, y.Outbound.SPI)
		}
		if string(x.Inbound.EncrKey) != string(y.Outbound.EncrKey) || string(y.Inbound.EncrKey) != string(x.Outbound.EncrKey) ||
			string(x.Inbound.EncrKey) == string(x.Outbound.EncrKey) {
			w.fail("%s has different keys at a and b", cfg.Name)
		}
	}
	for _, h := range [...]*Host{w.a, w.b} {
		d, peer := &h.data, &w.other(h).data
		if len(d.allocated) != len(d.inbound) {
			w.fail("%s: %d SPIs are allocated, %d in use", h.name, len(d.allocated), len(d.inbound))
		}
		if n := len(h.plan.cfg.Children); len(d.outbound) != n {
			w.fail("%s: %d outbound SAs for %d children", h.name, len(d.outbound), n)
		}
		for _, c := range d.outbound {
			if in := peer.inbound[c.Outbound.SPI]; in == nil || string(in.Inbound.EncrKey) != string(c.Outbound.EncrKey) {
				w.fail("%s sends on SPI %08x, which the peer does not have", h.name, c.Outbound.SPI)
			}
		}
	}
}

// shutdown lets one side end everything, and checks that nothing is left on either.
func (w *World) shutdown() {
	if w.broken != nil {
		return
	}
	w.a.wants, w.b.wants = nil, nil
	h := w.pick()[0]
	w.logf("%s ends", h.name)
	w.check.down = "shutdown"
	w.check.ending = true
	for _, n := range h.nodes() {
		n.m.Delete(w.now, "the daemon ends")
		h.drain(n)
	}
	w.play(shutdownTime)
	for _, h := range [...]*Host{w.a, w.b} {
		d := &h.data
		if n := len(h.machines) + len(d.inbound) + len(d.outbound) + len(d.allocated); n != 0 && w.broken == nil {
			w.fail("%s has %d IKE SAs, %d inbound and %d outbound SAs and %d SPIs at the end", h.name, len(h.machines), len(d.inbound),
				len(d.outbound), len(d.allocated))
		}
	}
}

// shutdownTime is longer than a closed IKE SA stays to repeat its last answer.
const shutdownTime = 30 * time.Second
