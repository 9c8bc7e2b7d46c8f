package ike

import (
	"context"
	"net/netip"
	"time"

	"esplanade/config"
	"esplanade/ike/diag"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// reconcile compares what is desired with what is, and starts what is missing. It is called after every input, so that
// it must be cheap when there is nothing to do.
func (d *Daemon) reconcile(now time.Time) {
	for _, c := range d.conns {
		for _, h := range c.children {
			d.reconcileChild(now, h)
		}
	}
}

// due tells whether an attempt for the child is to be made now.
func (h *child) due(now time.Time) bool {
	return h.wanted() && !h.up() && !h.busy && !h.conn.resolving && !h.backoff.exhausted && !now.Before(h.backoff.next)
}

func (d *Daemon) reconcileChild(now time.Time, h *child) {
	if h.due(now) {
		d.attempt(now, h)
	}
	switch {
	case h.up():
		h.setPhase(phaseUp, now)
	case h.busy || h.conn.resolving && h.wanted():
		h.setPhase(phaseConnecting, now)
	case h.wanted() && !h.backoff.exhausted:
		h.setPhase(phaseWaiting, now)
	case h.trap != 0 && !h.held && h.conf.StartAction == config.StartTrap:
		h.setPhase(phaseTrapped, now)
	default:
		h.setPhase(phaseDown, now)
	}
}

// nextAttempt is when reconcile has something to do next.
func (d *Daemon) nextAttempt() time.Time {
	var t time.Time
	for _, c := range d.conns {
		for _, h := range c.children {
			if n := h.backoff.next; h.wanted() && !h.up() && !h.busy && !c.resolving && !h.backoff.exhausted && (t.IsZero() || n.Before(t)) {
				t = n
			}
		}
	}
	return t
}

// attempt brings a child up: on the IKE SA that exists, or with a new one.
func (d *Daemon) attempt(now time.Time, h *child) {
	c := h.conn
	for _, e := range d.table.all() {
		if e.m.Config() != c.cfg {
			continue
		}
		switch e.m.State() {
		case sa.StateEstablished, sa.StateRekeying:
			h.busy, h.machine = true, e.m
			e.m.InitiateChild(now, h.cfg, h.trigger)
			d.drain(now, e)
			return
		case sa.StateConnecting:
			if e.m.Initiator() {
				h.busy, h.machine = true, e.m
				e.m.InitiateChild(now, h.cfg, h.trigger)
				d.drain(now, e)
				return
			}
		}
	}
	d.resolve(now, c, func(now time.Time, remote netip.Addr, err error) {
		if err != nil {
			d.attemptFailed(now, h, d.unresolved(now, h, err))
			return
		}
		d.initiate(now, c, remote)
	})
}

// unresolved is the failure of an attempt that found no address to go to.
func (d *Daemon) unresolved(now time.Time, h *child, err error) *diag.Failure {
	w := whereOf(h.conn)
	w.Child, w.Time = h.cfg.Name, now
	w.ConfigLine = h.conn.conf.At("remote_addrs").FileLine()
	for _, e := range h.conn.conf.RemoteAddrs {
		if e.Name != "" {
			return diag.Unresolved(w, e.Name, err)
		}
	}
	f := diag.Unreachable(w, err)
	if !h.conn.conf.CanInitiate() {
		f.Code, f.Ours, f.Fix = diag.CodeConfig, "no address to call: remote_addrs has none", "put the peer's address into remote_addrs, or let the peer initiate"
	}
	d.report(now, nil, f)
	return f
}

// resolveTimeout bounds a DNS look-up.
const resolveTimeout = 10 * time.Second

// resolve finds the peer's address and calls then with it: at once when it is configured, later when it has to be
// looked up.
func (d *Daemon) resolve(now time.Time, c *connection, then func(now time.Time, remote netip.Addr, err error)) {
	name := ""
	for _, e := range c.conf.RemoteAddrs {
		if a := e.Addr(); a.IsValid() {
			then(now, a, nil)
			return
		}
		if name == "" {
			name = e.Name
		}
	}
	if name == "" {
		then(now, netip.Addr{}, errNoAddress)
		return
	}
	c.resolving = true
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), resolveTimeout)
		defer cancel()
		addrs, err := d.o.Resolve(ctx, name)
		if err == nil && len(addrs) == 0 {
			err = errNoAddress
		}
		answer := func(d *Daemon, now time.Time) {
			c.resolving = false
			if err != nil {
				then(now, netip.Addr{}, err)
				return
			}
			d.resolved[name] = addrs
			then(now, addrs[0].Unmap(), nil)
		}
		select {
		case d.loop.inbox <- answer:
		case <-d.loop.done:
		}
	}()
}

// initiate starts an IKE SA with all children of the connection that are wanted now.
func (d *Daemon) initiate(now time.Time, c *connection, remote netip.Addr) {
	var wanted []*child
	for _, h := range c.children {
		if h.due(now) {
			wanted = append(wanted, h)
		}
	}
	if len(wanted) == 0 || d.stopping {
		return // brought up by the peer, or given up, while the name was looked up
	}
	path, err := d.pathTo(c, remote)
	if err != nil {
		for _, h := range wanted {
			w := whereOf(c)
			w.Child, w.Remote, w.Time = h.cfg.Name, netip.AddrPortFrom(remote, 0), now
			f := diag.Unreachable(w, err)
			d.report(now, nil, f)
			d.attemptFailed(now, h, f)
		}
		return
	}
	d.exclude(c, remote)
	var cfgs []*sa.ChildConfig
	for _, h := range wanted {
		cfgs = append(cfgs, h.cfg)
	}
	m := sa.NewInitiator(d.env, now, c.cfg, path, cfgs)
	for _, h := range wanted {
		h.busy, h.machine = true, m
		h.setPhase(phaseConnecting, now)
	}
	e := d.table.add(m, c)
	d.logger(e).Info("connecting", "local", path.Local, "remote", path.Remote, "attempt", wanted[0].backoff.failures+1)
	c.tell(1, "initiating IKE_SA "+c.conf.Name+" to "+remote.String())
	d.drain(now, e)
}

// attemptFailed ends an attempt: what waits for the child is told, and the next attempt is put off.
func (d *Daemon) attemptFailed(now time.Time, h *child, f *diag.Failure) {
	h.busy, h.machine = false, nil
	h.backoff.failed(now, h.conn.conf.KeyingTries, d.env.Jitter())
	if h.asked {
		// What a command or a packet asked for is tried once; what is desired in general goes on being tried.
		h.asked, h.trigger = false, nil
	}
	if h.trap != 0 && !h.wanted() {
		d.o.DataPlane.FailPending(h.trap)
	}
	if h.wanted() && !h.backoff.exhausted {
		h.setPhase(phaseWaiting, now)
		d.log.Info("next attempt", "connection", h.conn.conf.Name, "child", h.cfg.Name, "in", h.backoff.next.Sub(now).Round(time.Millisecond))
	}
	h.finish(f)
}

// acquire brings a child up that a packet waits for.
func (d *Daemon) acquire(now time.Time, policy uint64, p selector.Packet) {
	h := d.traps[policy]
	if h == nil || h.up() || h.busy || d.stopping {
		return
	}
	if h.held {
		d.o.DataPlane.FailPending(policy)
		return
	}
	if now.Before(h.backoff.next) {
		return // a failure is recent; the packet waits, and its successor may ask again
	}
	d.log.Info("a packet wants through", "connection", h.conn.conf.Name, "child", h.cfg.Name, "packet", p)
	if h.conf.StartAction == config.StartTrap {
		h.asked, h.trigger = true, &p
	}
	h.backoff.exhausted = false
}
