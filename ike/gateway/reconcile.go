package gateway

import (
	"net/netip"
	"slices"
	"time"

	"esplanade/config"
	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// reconcile compares what is desired with what is, and starts what is missing. It is called after every input and looks
// only at the children that the input has touched and those whose time has come.
func (g *Manager) reconcile(now time.Time) {
	for h, ok := g.wakes.due(now); ok; h, ok = g.wakes.due(now) {
		g.wakes.set(h, time.Time{})
		g.touch(h)
	}
	g.reconcileBares(now)
	// An attempt touches children in its turn, each at most once: it makes them busy or puts them off.
	for len(g.dirty) > 0 {
		list := g.dirty
		g.dirty = nil
		for _, h := range list {
			h.dirty = false
			g.reconcileChild(now, h)
		}
	}
}

// touch has a child reconciled before the event loop waits again. It is to be called after everything that may change
// what is to be done for it.
func (g *Manager) touch(h *child) {
	if !h.dirty {
		h.dirty = true
		g.dirty = append(g.dirty, h)
	}
}

// touchAll has all children of a connection reconciled.
func (g *Manager) touchAll(c *connection) {
	if c != nil {
		for _, h := range c.children {
			g.touch(h)
		}
	}
}

// pending reports whether an attempt for the child is to be made, now or later.
func (h *child) pending() bool {
	return h.wanted() && !h.up() && !h.busy && !h.conn.resolving && !h.backoff.exhausted && !h.gone
}

// due reports whether an attempt for the child is to be made now.
func (h *child) due(now time.Time) bool { return h.pending() && !now.Before(h.backoff.next) }

func (g *Manager) reconcileChild(now time.Time, h *child) {
	again := g.offerFreed(now, h)
	if h.state == phaseUp && !h.up() {
		g.keep(h)
		if now.Sub(h.since) < flapTime {
			h.backoff.failed(now, 0, g.env.Jitter())
		} else {
			h.backoff.reset()
		}
	}
	if h.due(now) {
		g.attempt(now, h)
	}
	next := g.review(now, h)
	if h.pending() {
		next = h.backoff.next
	}
	g.wakes.set(h, earliest(next, again))
	switch {
	case h.up():
		g.setChildUp(h, now)
	case h.busy || h.conn.resolving && h.wanted():
		h.setPhase(phaseConnecting, now)
	case h.wanted() && !h.backoff.exhausted:
		h.setPhase(phaseWaiting, now)
	case h.prepared != nil && !h.held && h.action() == policy.StartTrap:
		h.setPhase(phaseTrapped, now)
	default:
		h.setPhase(phaseDown, now)
	}
}

// attempt brings a child up: on the IKE SA that exists, or with a new one.
func (g *Manager) attempt(now time.Time, h *child) {
	c := h.conn
	for _, e := range c.entries.sorted() {
		if e.leaving || e.closed || e.m.Config() != c.cfg {
			continue
		}
		if e.alive() || e.m.State() == sa.StateConnecting && e.m.Initiator() {
			h.busy, h.machine = true, e.m
			e.m.InitiateChild(now, h.cfg, h.trigger)
			g.drain(now, e)
			return
		}
	}
	g.resolve(now, c, func(now time.Time, remote netip.Addr, err error) {
		if err != nil {
			g.unresolved(now, c, err)
			return
		}
		g.initiate(now, c, remote)
	})
}

// wantedOf lists the children of a connection for which an attempt is to be made now.
func wantedOf(now time.Time, c *connection) []*child {
	var wanted []*child
	for _, h := range c.children {
		if h.due(now) {
			wanted = append(wanted, h)
		}
	}
	return wanted
}

// unresolved fails the attempts of a connection that found no address to go to.
func (g *Manager) unresolved(now time.Time, c *connection, err error) {
	wanted := wantedOf(now, c)
	if len(wanted) == 0 {
		return
	}
	w := whereOf(c)
	w.Child, w.Time = wanted[0].cfg.Name, now
	w.ConfigLine = c.conf.At("remote_addrs").FileLine()
	var f *diag.Failure
	if name := c.nameToTry(); name != "" {
		f = diag.Unresolved(w, name, err)
	} else if c.conf.CanInitiate() {
		f = diag.Unreachable(w, err)
	} else {
		f = diag.Uncallable(w)
	}
	c.tries++
	g.report(now, nil, f)
	for _, h := range wanted {
		g.attemptFailed(now, h, f)
	}
}

// candidates are the configured peers that an attempt can go to.
func (c *connection) candidates() []config.Endpoint {
	return slices.DeleteFunc(slices.Clone(c.conf.RemoteAddrs), func(e config.Endpoint) bool { return !e.Specific() })
}

// nameToTry is the DNS name that the present attempt goes to; empty when it goes to an address.
func (c *connection) nameToTry() string {
	if list := c.candidates(); len(list) > 0 {
		return list[c.tries%len(list)].Name
	}
	return ""
}

// resolve finds the address for the next attempt to reach the peer and calls then with it: at once when it is
// configured, later when it has to be looked up. Each attempt goes to the next of the addresses, in their order.
func (g *Manager) resolve(now time.Time, c *connection, then func(now time.Time, remote netip.Addr, err error)) {
	list := c.candidates()
	if len(list) == 0 {
		then(now, netip.Addr{}, errNoAddress)
		return
	}
	e, round := list[c.tries%len(list)], c.tries/len(list)
	if a := e.Addr(); a.IsValid() {
		then(now, a.Unmap(), nil)
		return
	}
	c.resolving = true
	g.lookUp(now, e.Name, func(now time.Time, addrs []netip.Addr, err error) {
		c.resolving = false
		for _, h := range c.children {
			g.touch(h)
		}
		if g.stopping || c.gone {
			return
		}
		if err != nil {
			then(now, netip.Addr{}, err)
			return
		}
		then(now, addrs[round%len(addrs)], nil)
	})
}

// initiate starts an IKE SA with all children of the connection that are wanted now.
func (g *Manager) initiate(now time.Time, c *connection, remote netip.Addr) {
	wanted := wantedOf(now, c)
	if len(wanted) == 0 || g.stopping {
		return // brought up by the peer, or given up, while the name was looked up
	}
	path, err := g.pathTo(c, remote)
	if err != nil {
		w := whereOf(c)
		w.Child, w.Remote, w.Time = wanted[0].cfg.Name, netip.AddrPortFrom(remote, 0), now
		f := diag.Unreachable(w, err)
		c.tries++
		g.report(now, nil, f)
		for _, h := range wanted {
			g.attemptFailed(now, h, f)
		}
		return
	}
	var cfgs []*sa.ChildConfig
	for _, h := range wanted {
		cfgs = append(cfgs, h.cfg)
	}
	m := g.newInitiator(now, c, path, cfgs)
	for _, h := range wanted {
		h.busy, h.machine = true, m
		h.setPhase(phaseConnecting, now)
	}
	e := g.table.add(m, c)
	e.again = !slices.ContainsFunc(wanted, func(h *child) bool { return h.backoff.failures == 0 })
	g.excludePeer(e)
	g.progress(e).Info("connecting", "local", path.Local, "remote", path.Remote, "attempt", wanted[0].backoff.failures+1)
	c.tell(1, "initiating IKE_SA "+c.conf.Name+" to "+remote.String())
	g.drain(now, e)
}

// attemptFailed ends an attempt: what waits for the child is told, and the next attempt is put off.
func (g *Manager) attemptFailed(now time.Time, h *child, f *diag.Failure) {
	h.busy, h.machine = false, nil
	h.backoff.failed(now, h.conn.conf.KeyingTries, g.env.Jitter())
	if h.asked {
		// What a command or a packet asked for is tried once; what is desired in general goes on being tried.
		h.asked, h.trigger = false, nil
	}
	if !h.wanted() {
		g.o.DataPlane.FailPending(h.policy)
	}
	if h.pending() && !g.stopping {
		h.setPhase(phaseWaiting, now)
		log := g.log.Info
		if h.backoff.failures > 1 {
			log = g.log.Debug // the line of the failure counts the attempts
		}
		log("next attempt", "connection", h.conn.conf.Name, "child", h.cfg.Name, "in", h.backoff.next.Sub(now).Round(time.Millisecond))
	}
	g.touch(h)
	h.finish(f)
}

// acquire brings a child up that a packet waits for.
func (g *Manager) acquire(now time.Time, number uint64, p selector.Packet) {
	h := g.policies[number]
	if h == nil || h.busy || g.stopping {
		return
	}
	if h.held {
		g.o.DataPlane.FailPending(number)
		return
	}
	if h.up() { // without this packet: its peer has left it out
		g.acquireMore(now, h, p)
		return
	}
	// Where a failure is recent the packet waits for the end of the pause: it may be the only one there ever is.
	log := g.log.Debug
	if h.backoff.failures == 0 && !h.triggered {
		log, h.triggered = g.log.Info, true
	}
	log("traffic triggers the tunnel", "connection", h.conn.conf.Name, "child", h.cfg.Name, "packet", p)
	if h.action() == policy.StartTrap {
		h.asked, h.trigger = true, &p
		h.want()
	}
	h.backoff.exhausted = false
	g.touch(h)
}
