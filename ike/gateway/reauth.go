package gateway

import (
	"net/netip"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/sa"
)

// reauthPause is how long after a failure the next attempt to authenticate again is made.
const reauthPause = 15 * time.Second

// reauthenticate replaces an IKE SA by a new one from scratch: "creating a new IKE SA from scratch …, creating new Child
// SAs within the new IKE SA …, and finally deleting the old IKE SA". https://www.rfc-editor.org/rfc/rfc7296#section-2.8.3
func (g *Manager) reauthenticate(now time.Time, e *entry) {
	c := e.conn
	if !e.up && !e.closed && !e.leaving {
		e.m.ScheduleReauth(now.Add(reauthPause)) // a successor that has not taken over yet
		return
	}
	if c == nil || !e.alive() || g.stopping {
		return
	}
	if g.reauthenticating(e) || g.superseded(e) || g.yields(now, e) {
		return
	}
	if !c.conf.CanInitiate() {
		return // the peer was told the lifetime; when it does not heed it the IKE SA ends
	}
	g.resolve(now, c, func(now time.Time, remote netip.Addr, err error) {
		e := e.latest() // it may have been rekeyed while the name was looked up
		switch {
		case !e.alive() || e.conn != c || g.reauthenticating(e) || g.superseded(e):
		case err != nil:
			g.report(now, e, diag.Unresolved(whereOf(c), c.nameToTry(), err))
			g.reauthFailed(now, e)
		default:
			g.beginReauth(now, e, remote)
		}
	})
}

// reauthenticating reports whether an IKE SA that takes the place of e is on its way.
func (g *Manager) reauthenticating(e *entry) bool {
	if e.conn == nil {
		return false
	}
	for x := range e.conn.entries {
		if x.handover.from == e && !x.closed && !x.leaving {
			return true
		}
	}
	return false
}

// superseded reports whether there is a newer IKE SA with the same peer that has all that e carries, as when the peer has just
// reauthenticated: it will delete e. To reauthenticate e as well would make two of what one is wanted of.
func (g *Manager) superseded(e *entry) bool {
	for x := range g.table.peers[e.peer] {
		if e.beside(x) && x.first.After(e.first) && g.covers(x, e) {
			return true
		}
	}
	return false
}

func (g *Manager) beginReauth(now time.Time, e *entry, remote netip.Addr) {
	c := e.conn
	var wanted []*child
	for _, h := range c.children {
		if e.willCarry(h) {
			wanted = append(wanted, h)
		}
	}
	if len(wanted) == 0 && len(c.children) > 0 {
		return // it carries nothing, and is closed for that
	}
	if !g.conf.IKE.MakeBeforeBreak {
		g.logger(e).Info("reauthenticating (break before make)")
		for _, h := range wanted {
			h.asked = true
			h.backoff.reset()
		}
		if len(c.children) == 0 {
			c.bare.asked = true
			g.bares = append(g.bares, c)
		}
		g.delete(now, e, "reauthentication")
		return
	}
	path, err := g.pathTo(c, remote)
	if err != nil {
		w := whereOf(c)
		w.Remote, w.Time = netip.AddrPortFrom(remote, 0), now
		g.report(now, e, diag.Unreachable(w, err))
		g.reauthFailed(now, e)
		return
	}
	var cfgs []*sa.ChildConfig
	for _, h := range wanted {
		cfgs = append(cfgs, h.cfg)
	}
	m := sa.NewInitiator(g.env, now, c.cfg, path, cfgs)
	x := g.table.add(m, c)
	x.follow(handoverOf(now, e, wanted))
	g.excludePeer(x)
	g.logger(x).Info("reauthenticating", "replaces", e.m.ID(), "local", path.Local, "remote", path.Remote)
	c.tell(1, "reauthenticating IKE_SA "+c.conf.Name)
	g.drain(now, x)
}

// reauthFailed puts the next attempt off; the old IKE SA stays as it is until its time is over.
func (g *Manager) reauthFailed(now time.Time, e *entry) {
	if e.alive() {
		e.m.ScheduleReauth(now.Add(time.Duration(float64(reauthPause) * (1 - pauseJitter*g.env.Jitter()))))
		g.drain(now, e)
	}
}

// reauthAgain gives up an attempt to authenticate again that the peer has begun to answer and does not go on with, when the peer must have
// given it up as half-open, and begins another one: the old IKE SA does not wait for ever.
func (g *Manager) reauthAgain(now time.Time, x *entry) {
	from, wait := x.handover.from, g.conf.IKE.HalfOpenTimeout
	if from == nil || !from.alive() || x.handover.begun.IsZero() || x.leaving || x.m.State() != sa.StateConnecting || x.m.PeerSPI() == 0 ||
		x.silent == nil || now.Sub(x.handover.begun) < wait {
		return
	}
	g.logger(x).Info("authenticating again from the beginning: the peer does not go on", "after", now.Sub(x.handover.begun).Round(time.Second))
	x.handover.again = true
	g.abandon(now, x, "the peer does not go on")
}

// Reauthenticate starts to reauthenticate the IKE SAs of a target and returns how many there are. Where none can be, since
// only the peer can call, that is the error.
func (g *Manager) Reauthenticate(now time.Time, t Target) (int, error) {
	var uncallable *diag.Failure
	n, err := g.renew(now, t, func(e *entry) int {
		if c := e.conn; c != nil && !c.conf.CanInitiate() {
			w := whereOf(c)
			w.ConfigLine = c.conf.At("remote_addrs").FileLine()
			uncallable = diag.Uncallable(w)
			return 0
		}
		g.reauthenticate(now, e)
		return 1
	})
	if n == 0 && uncallable != nil {
		return 0, uncallable
	}
	return n, err
}
