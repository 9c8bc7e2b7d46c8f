package sim

import (
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"esplanade/config"
	"esplanade/ike/auth"
	"esplanade/ike/gateway"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// Host is one gateway: a [gateway.Manager], which decides everything, with a data plane and a host around it that count.
type Host struct {
	w    *World
	name string
	plan *hostPlan
	// confs are the configurations that it has had.
	confs map[variant]*config.Config
	// addrs are its addresses at present; the routes prefer the first.
	addrs []netip.Addr

	g    *gateway.Manager
	data dataPlane
	// boots counts its starts. What was on the way to an earlier one is lost.
	boots int
	// down: it doesn't run at present.
	down     bool
	stopping bool
	// wake is when the manager wants to be called.
	wake time.Time

	// routes and excluded are what it wants of its host.
	routes   map[uint64]*selector.Pair
	excluded map[netip.Addr]int
	// assigned is what gateways have assigned to it.
	assigned map[uint64]*sa.Placement
	// up are its IKE SAs by number with their connections, kids the CHILD SAs by name, as they were reported.
	up   map[uint64]string
	kids map[string]map[uint64]bool
	// shut are the connections that an operator has taken down, and that nobody brings up before an operator does.
	shut map[string]bool
	// held are the children that an operator has taken down against this side alone, until an operator or the peer brings them up.
	held map[string]bool
	// spared are the IKE SAs that may be there although all of their connection is held: a peer has brought them up, or they were there for
	// a child that a reload has taken out. So may what became of them by rekeying.
	spared map[uint64]bool
	// believes: the latest event is that a peer has proved a crash. The end of the IKE SA follows.
	believes bool
	certs    certificates
	disk     disk
	store    revocation.Store
	fetched  []revocation.Needed // what there is in store that was fetched, each address once
	// ignored: the datagram that came last had no effect.
	ignored bool
}

func newHost(w *World, p *hostPlan, number int, addr netip.Addr) *Host {
	h := &Host{w: w, name: p.name, plan: p, confs: map[variant]*config.Config{}, addrs: []netip.Addr{addr}}
	h.data.nextSPI = uint32(number+1) << 20
	if w.plan.signs {
		h.trust(w.authorities[0])
		h.certify(w.authorities[0], true)
		h.present()
	}
	h.boot()
	return h
}

// boot forgets everything, as a restart does.
func (h *Host) boot() {
	w := h.w
	h.boots++
	h.down, h.stopping = false, false
	h.data.init(h)
	h.routes, h.excluded, h.assigned = map[uint64]*selector.Pair{}, map[netip.Addr]int{}, map[uint64]*sa.Placement{}
	h.store, h.fetched = revocation.Store{}, nil
	h.up, h.kids, h.believes = map[uint64]string{}, map[string]map[uint64]bool{}, false
	h.shut, h.held, h.spared = map[string]bool{}, map[string]bool{}, map[uint64]bool{}
	o := gateway.Options{
		Config: h.withCertificates(h.conf(variant{})), DataPlane: &h.data, Host: hostSide{h}, IKEPort: 500, NATTPort: 4500,
		Observer: watcher{h}, Meter: watcher{h},
		Log: slog.New(slog.DiscardHandler), Logs: func(slog.Level) bool { return w.ladder != nil },
		Random: w.random, Jitter: w.rng.Float64, Revoked: h.revoked,
		Leases: h.disk.reboot(),
	}
	if w.ladder != nil {
		o.Log = slog.New(slog.NewTextHandler(ladderLog{h}, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: withoutTime}))
	}
	if h.plan.tokens {
		o.CrashSecret = []byte("the secret of host " + h.name)
	}
	h.g = gateway.New(o)
	h.g.Start(w.now, h.addrs, true)
	h.turn()
}

// conf is a configuration of the host. Managers don't change them.
func (h *Host) conf(v variant) *config.Config {
	v.locked = !h.w.locked.IsZero()
	if h.confs[v] == nil {
		h.confs[v] = h.w.plan.configOf(h.plan, v)
		h.w.tuneUsers(h.plan, h.confs[v])
	}
	return h.confs[v]
}

// ladderLog writes log lines into the ladder.
type ladderLog struct{ h *Host }

func (l ladderLog) Write(b []byte) (int, error) {
	l.h.w.logf("%s: %s", l.h.name, strings.TrimSpace(string(b)))
	return len(b), nil
}

func withoutTime(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}

// turn does what an event loop does after each input and when a time has come.
func (h *Host) turn() {
	if h.down {
		return
	}
	h.g.Advance(h.w.now)
	h.g.Reconcile(h.w.now)
	h.wake = h.g.NextTimeout()
}

// input gives the manager something, unless it does not run.
func (h *Host) input(f func(now time.Time, g *gateway.Manager)) {
	if !h.down {
		f(h.w.now, h.g)
		h.turn()
	}
}

// later gives the manager something after a while, unless it has been started again by then.
func (h *Host) later(d time.Duration, f func(now time.Time, g *gateway.Manager)) {
	boots := h.boots
	h.w.after(d, func() {
		if h.boots == boots {
			h.input(f)
		}
	})
}

func (h *Host) nextTimeout() time.Time {
	if h.down {
		return time.Time{}
	}
	return h.wake
}

// receiveIKE is what the loop does with a datagram. It reports whether it has had an effect.
func (h *Host) receiveIKE(b []byte, path sa.Path) (taken bool) {
	h.ignored = h.down
	h.input(func(now time.Time, g *gateway.Manager) { g.Receive(now, path, slices.Clone(b)) })
	return !h.ignored
}

// info is the state of the manager; nothing of one that does not run.
func (h *Host) info() gateway.Info {
	if h.down {
		return gateway.Info{}
	}
	return h.g.Info()
}

// sas lists the IKE SAs that have not ended, oldest first.
func (h *Host) sas() []sa.Snapshot { return sasOf(h.info()) }

func sasOf(info gateway.Info) (out []sa.Snapshot) {
	for _, c := range info.Conns {
		for _, s := range c.SAs {
			if s.State != sa.StateClosed {
				out = append(out, s)
			}
		}
	}
	return out
}

// between lists those of one connection.
func (h *Host) between(conn string) []sa.Snapshot {
	return slices.DeleteFunc(h.sas(), func(s sa.Snapshot) bool { return s.Connection != conn })
}

// hasSA reports whether it has an IKE SA with these SPIs.
func (h *Host) hasSA(s sa.Snapshot) bool {
	return slices.ContainsFunc(h.sas(), func(x sa.Snapshot) bool { return x.SPIi == s.SPIi && x.SPIr == s.SPIr })
}

// carrying lists the CHILD SAs of a child that carry traffic.
func (h *Host) carrying(conn string, i int) (out []sa.ChildSnapshot) {
	for _, c := range h.info().Conns {
		for _, x := range c.Children {
			if childName(c.Conf.Name, i) != conn+"/"+x.Conf.Name || c.Conf.Name != conn {
				continue
			}
			for _, s := range x.SAs {
				if s.State == sa.ChildInstalled || s.State == sa.ChildRekeying {
					out = append(out, s)
				}
			}
		}
	}
	return out
}

// reload gives the manager another configuration.
func (h *Host) reload(v variant) {
	h.w.logf("%s: reload %+v", h.name, v)
	h.w.check.stats.Reloads++
	h.put(v, func(now time.Time, g *gateway.Manager, c *config.Config) {
		h.w.logf("%s: %s", h.name, g.Reload(now, c))
	})
}

// put gives the manager another configuration in some way.
func (h *Host) put(v variant, how func(now time.Time, g *gateway.Manager, c *config.Config)) {
	c := h.withCertificates(h.conf(v))
	h.forget(c)
	free := slices.DeleteFunc(slices.Clone(h.plan.ends), func(e *endPlan) bool { return h.allHeld(e.peer) })
	h.input(func(now time.Time, g *gateway.Manager) { how(now, g, c) })
	for _, e := range free {
		if h.allHeld(e.peer) {
			h.spare(e.peer)
		}
	}
}

// hostSide is what the manager wants of its host.
type hostSide struct{ h *Host }

var errNoRoute = errors.New("network is unreachable")

// SourceFor implements gateway.Host.
func (s hostSide) SourceFor(netip.Addr) (netip.Addr, error) {
	if len(s.h.addrs) == 0 {
		return netip.Addr{}, errNoRoute
	}
	return s.h.addrs[0], nil
}

// SetRoutes implements gateway.Host.
func (s hostSide) SetRoutes(holder uint64, ts *selector.Pair) {
	h := s.h
	if ts == nil {
		delete(h.routes, holder)
		return
	}
	if h.routes[holder] != ts && h.w.chance(h.w.plan.deaf) && !h.stopping {
		h.later(time.Second, func(now time.Time, g *gateway.Manager) { g.RoutesFailed(now, holder, ts, errNoRoute) })
	}
	h.routes[holder] = ts
}

// Assign implements gateway.Host.
func (s hostSide) Assign(holder uint64, a *sa.Placement) {
	if a == nil {
		delete(s.h.assigned, holder)
		return
	}
	s.h.assigned[holder] = a
}

// Exclude implements gateway.Host.
func (s hostSide) Exclude(a netip.Addr) { s.h.excluded[a]++ }

// Unexclude implements gateway.Host.
func (s hostSide) Unexclude(a netip.Addr) {
	h := s.h
	if h.excluded[a]--; h.excluded[a] == 0 {
		delete(h.excluded, a)
	}
	if h.excluded[a] < 0 {
		h.w.fail("%s: %s is no longer to be kept out of the tunnels, and was not", h.name, a)
	}
}

// CarryOut implements gateway.Host: at once, later, so that others overtake it, not for want of time, or never.
func (s hostSide) CarryOut(x gateway.Errand) (sa.Result, bool) {
	w := s.h.w
	w.check.stats.Errands++
	if p, ok := x.Want.(sa.Proof); ok {
		if u, ok := p.Want.(auth.Unrevoked); ok {
			s.h.inquire(x, u)
			return nil, false
		}
		if r, ok := p.Want.(auth.EAPRelay); ok {
			s.h.relay(x, r)
			return nil, false
		}
	}
	if w.rng.IntN(2) == 0 {
		return w.carryOut(x.Want), true
	}
	if w.chance(w.plan.deaf / 10) {
		w.logf("%s: %s is lost", s.h.name, x.Want)
		return nil, false
	}
	delay := w.between(0, w.plan.slow)
	failed := w.chance(w.plan.deaf / 10)
	s.h.later(delay, func(now time.Time, g *gateway.Manager) {
		if failed {
			g.Completed(now, x, sa.Unfulfilled{Err: &sa.RequestError{Want: x.Want.String(), Reason: "no time"}})
			return
		}
		g.Completed(now, x, w.carryOut(x.Want))
	})
	return nil, false
}

var errNoName = errors.New("no such host")

// LookUp implements gateway.Host: a name is that of a host, and stands for the addresses it has when the answer is given.
func (s hostSide) LookUp(id uint64, name string) {
	h, w := s.h, s.h.w
	h.later(w.between(time.Millisecond, 2*time.Second), func(now time.Time, g *gateway.Manager) {
		var found []netip.Addr
		for _, x := range w.hosts {
			if x.name+".sim" == name {
				found = x.addrs
			}
		}
		if len(found) == 0 || w.chance(w.plan.deaf) {
			g.Resolved(now, id, nil, errNoName)
			return
		}
		g.Resolved(now, id, found, nil)
	})
}
