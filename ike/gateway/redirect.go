package gateway

import (
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/sa"
	"esplanade/ike/wire"
)

// Limits of following redirects: MAX_REDIRECTS within REDIRECT_LOOP_DETECT_PERIOD, with the values that RFC 5685 gives
// as defaults. More are a loop.
const (
	maxRedirects     = 5
	redirectLoopTime = 5 * time.Minute
)

// redirects remembers when a connection has followed redirects, as far back as it matters. An attempt that ends at a
// gateway which does not redirect shows that there was no loop, and clears it.
type redirects struct{ at []time.Time }

// allow reports whether one more may be followed.
func (r *redirects) allow(now time.Time) bool {
	r.at = slices.DeleteFunc(r.at, func(t time.Time) bool { return now.Sub(t) >= redirectLoopTime })
	return len(r.at) < maxRedirects
}

func (r *redirects) followed(now time.Time) { r.at = append(r.at, now) }

// detour is a redirect that is being followed.
type detour struct {
	conn *connection
	// from and to are the two gateways.
	from, to wire.Gateway
	// own is the address of this host that the old gateway sees, or a NAT before it.
	own netip.Addr
	// old is the IKE SA that the new one takes the place of; nil when there is none yet.
	old *entry
	// live: the peer of old has sent this side away. Otherwise this side has begun to reauthenticate, and has to.
	live bool
	// children are those that the new IKE SA is to bring up. Without an old one they are busy with this. bare: there are none to bring up.
	children []*child
	bare     bool
	// made is the attempt that was sent away.
	made *sa.Machine
}

// takenBack reports whether the IKE SA alone was asked for, and a command has taken that back since.
func (r *detour) takenBack() bool { return r.bare && r.old == nil && r.conn.bare.machine != r.made }

// redirected follows a gateway that sends this side to another one. An IKE SA that is in use stays until the new one has
// all that it carries, or for good when there is nothing at the other gateway. The new gateway has to prove what the
// configuration wants of the peer; nothing is believed because of where it was heard of.
func (g *Manager) redirected(now time.Time, e *entry, o sa.Redirected) {
	c := e.conn
	if c == nil || g.stopping {
		return
	}
	path := e.m.Path()
	r := &detour{conn: c, from: wire.Gateway{Addr: path.Remote.Addr().Unmap().WithZone("")}, to: o.Gateway, own: path.Local.Addr().Unmap().WithZone(""), old: e, made: e.m}
	if o.Exchange == wire.ExchangeInformational {
		if !e.alive() || e.redirecting || g.reauthenticating(e) {
			return // a new IKE SA is on its way
		}
		r.live = true
	} else {
		// This attempt ends here, and the next one goes on with what it was for.
		e.detoured, r.old, r.live = true, e.handover.from, e.handover.redirected
		e.follow(handover{})
	}
	for _, h := range c.children {
		if r.old != nil && carries(r.old, h) || r.old == nil && h.busy && h.machine == e.m {
			r.children = append(r.children, h)
		}
	}
	r.bare = len(c.children) == 0 && r.old != nil || c.bare.machine == e.m
	if !c.redirects.allow(now) {
		w := g.whereDetour(now, r)
		w.Exchange = o.Exchange.String()
		f := diag.RedirectLoop(w, r.from.String(), r.to.String(), maxRedirects, redirectLoopTime)
		f.Aside = r.live
		g.report(now, e, f)
		g.detourFailed(now, r, f)
		return
	}
	g.progress(e).Info("redirected to another gateway", "from", r.from.String(), "to", r.to.String(), "exchange", o.Exchange.String())
	c.tell(1, "redirected to "+r.to.String()+" by "+r.from.String())
	if r.old == nil {
		for _, h := range r.children {
			h.machine = nil
		}
	} else {
		r.old.redirecting = true
	}
	if r.to.Addr.IsValid() {
		g.follow(now, r, []netip.Addr{r.to.Addr.Unmap()}, nil)
		return
	}
	// The name is that of a peer, not of the configuration, and is not kept.
	g.ask(r.to.FQDN, func(now time.Time, addrs []netip.Addr, err error) { g.follow(now, r, addrs, err) })
}

// carries reports whether an IKE SA has a CHILD SA in use for a configured child.
func carries(e *entry, h *child) bool {
	return slices.ContainsFunc(e.m.Children(), func(x *sa.Child) bool { return inUse(x) && x.Config == h.cfg })
}

// follow begins the IKE SA with the other gateway.
func (g *Manager) follow(now time.Time, r *detour, addrs []netip.Addr, err error) {
	c := r.conn
	if r.old != nil {
		r.old.redirecting = false
		r.old = r.old.latest() // it may have been rekeyed while the name was looked up
		if !r.old.alive() || r.old.conn != c || g.reauthenticating(r.old) {
			return
		}
	}
	if g.stopping || c.gone {
		g.detourFailed(now, r, diag.Cancelled(g.whereDetour(now, r), "the configuration was reloaded, or the daemon ends"))
		return
	}
	if err != nil {
		f := diag.RedirectUnresolved(g.whereDetour(now, r), r.from.String(), r.to.FQDN, err)
		f.Aside = r.live
		g.report(now, r.old, f)
		g.detourFailed(now, r, f)
		return
	}
	var inPlace string
	if addrs, inPlace = g.elsewhere(r, addrs); len(addrs) == 0 {
		f := diag.RedirectInPlace(g.whereDetour(now, r), r.from.String(), r.to.String(), inPlace)
		f.Aside = r.live
		g.report(now, r.old, f)
		g.detourFailed(now, r, f)
		return
	}
	var path sa.Path
	for _, a := range addrs {
		if path, err = g.pathTo(c, a); err == nil {
			break
		}
	}
	if err != nil {
		w := g.whereDetour(now, r)
		w.Remote = netip.AddrPortFrom(addrs[0], 0)
		f := diag.Unreachable(w, err)
		f.Aside = r.live
		g.report(now, r.old, f)
		g.detourFailed(now, r, f)
		return
	}
	var cfgs []*sa.ChildConfig
	var children []*child
	for _, h := range r.children {
		switch {
		case r.old == nil && !h.wanted():
			h.busy = false // taken down since
			g.touch(h)
			continue
		case r.old != nil && h.held && !r.old.willCarry(h):
			continue // the same
		}
		cfgs, children = append(cfgs, h.cfg), append(children, h)
	}
	if len(cfgs) == 0 && !r.bare || r.takenBack() {
		return
	}
	c.redirects.followed(now)
	g.o.Meter.Add(CountRedirected)
	m := sa.NewRedirected(g.env, now, c.cfg, path, cfgs, r.from)
	x := g.table.add(m, c)
	x.follow(handoverOf(now, r.old, children))
	x.handover.redirected = r.live
	if r.old == nil {
		for _, h := range children {
			if h.busy {
				h.machine = m
			}
		}
		if r.bare {
			c.bare.machine = m
		}
	}
	g.excludePeer(x)
	g.logger(x).Info("connecting", "local", path.Local, "remote", path.Remote, "redirected_from", r.from.String())
	c.tell(1, "initiating IKE_SA "+c.conf.Name+" to "+path.Remote.Addr().String())
	g.drain(now, x)
}

// elsewhere are the addresses that lead this side to another gateway than the present one. A call to an address of this host would be
// answered by itself. Of one that is left out what says what it is.
func (g *Manager) elsewhere(r *detour, addrs []netip.Addr) (out []netip.Addr, what string) {
	for _, a := range addrs {
		switch a = a.Unmap().WithZone(""); {
		case g.addrs.set[a] || a == r.own:
			what = "an address of this host"
		case a == r.from.Addr:
			what = "the gateway that it comes from"
		default:
			out = append(out, a)
		}
	}
	return out, what
}

// whereDetour is what the failures of a detour have in common.
func (g *Manager) whereDetour(now time.Time, r *detour) diag.Where {
	w := whereOf(r.conn)
	w.Time, w.Remote = now, netip.AddrPortFrom(r.from.Addr, 0)
	if len(r.children) > 0 {
		w.Child = r.children[0].cfg.Name
	}
	return w
}

// detourFailed ends the attempts that a redirect was followed for. The next ones begin at the configured addresses. An
// IKE SA in use stays.
func (g *Manager) detourFailed(now time.Time, r *detour, f *diag.Failure) {
	if r.old != nil && !r.live {
		g.reauthFailed(now, r.old)
	}
	if r.old != nil {
		return
	}
	if r.bare && !r.takenBack() {
		r.conn.finishBare(f)
	}
	for _, h := range r.children {
		if h.busy {
			g.attemptFailed(now, h, f)
		}
	}
}

// redirecting notes that a peer was told to go elsewhere.
func (g *Manager) redirecting(e *entry, o sa.Redirecting) {
	g.o.Meter.Add(CountRedirecting)
	g.logger(e).Info("the peer is redirected to another gateway", "from", e.m.Path().Local.Addr(), "to", o.Gateway.String(),
		"exchange", o.Exchange.String(), "peer", e.m.Path().Remote, "remote_id", e.m.RemoteID().String())
}

// redirectedStranger notes the same of a peer that has only asked for an IKE SA. Anybody can do that, any number of times.
func (g *Manager) redirectedStranger(path sa.Path, to wire.Gateway) {
	g.o.Meter.Add(CountRedirecting)
	if g.logs(slog.LevelDebug) {
		g.log.Debug("redirected to another gateway", "from", path.Local.Addr(), "to", to.String(), "peer", path.Remote)
	}
}
