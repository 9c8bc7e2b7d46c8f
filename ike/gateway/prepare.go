package gateway

import (
	"errors"
	"net/netip"
	"slices"

	"esplanade/config"
	"esplanade/ike/policy"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// prepare installs the policy and the routes of a child, whatever its start_action: from then on its packets leave through
// an SA, wait for one, or are refused, and never leave in the clear. It is to be called again when something of that may
// have become different: the configuration, an order of an operator, the addresses that dynamic selectors stand for.
//
// What is new is there before what is old goes, so that there is no moment without either.
func (g *Manager) prepare(h *child) {
	if h.gone {
		return // an SA of it is on its way out, and may come up for a moment
	}
	p, err := g.policyFor(h)
	if err != nil && h.prepared == nil {
		g.log.Info("selectors that are dynamic are protected once they are known", "connection", h.conn.conf.Name, "child", h.cfg.Name,
			"reason", err)
	}
	if h.prepared == nil || !h.prepared.Equal(p) {
		g.o.DataPlane.SetPolicy(h.policy, p)
		h.prepared = &p
	}
	if !g.conf.IKE.InstallRoutes {
		return
	}
	ts := g.clientRoutes(h, g.heldWhileDown(h, p.Pair))
	switch {
	case ts.Empty():
		h.holds = nil
	case h.holds == nil || !h.holds.Equal(ts):
		h.holds = &ts
	}
	g.o.Host.SetRoutes(h.policy, h.holds)
	if len(h.conn.conf.Pools) > 0 {
		for id := range h.live {
			if i := g.installed[id]; i != nil && i.routed == nil && i.child.State != sa.ChildDeleted {
				g.routeChild(i) // those whose address is no longer one of a pool
			}
		}
	}
}

// routesPools reports whether the addresses that peers may be given are routed as a whole.
func (c *child) routesPools() bool { return len(c.conn.conf.Pools) > 0 && c.holds != nil }

// unprepare undoes prepare.
func (g *Manager) unprepare(h *child) {
	if h.prepared != nil {
		g.o.DataPlane.ClearPolicy(h.policy)
		h.prepared = nil
	}
	h.holds = nil
	g.o.Host.SetRoutes(h.policy, nil)
}

// policyFor is the policy of a child. Dynamic selectors whose address is not known are not in it, which the error says; what
// was known of them once stays.
func (g *Manager) policyFor(h *child) (selector.Policy, error) {
	p := selector.Policy{Order: h.order, Open: h.conf.DynamicLocal() || h.conf.DynamicRemote()}
	if h.action() == policy.StartNone || h.held {
		p.Without = selector.Refuse
	}
	if h.conn.conf.Client() {
		return g.clientPolicy(h, p)
	}
	if !p.Open {
		p.Pair = h.cfg.Resolve(sa.Path{}, nil, nil)
		return p, nil
	}
	if pools := h.conn.conf.Pools; len(pools) > 0 && h.conf.DynamicRemote() {
		// All addresses that peers may be given are protected, and routed, whoever has them.
		p.Pair = selector.Pair{Local: h.cfg.LocalTS, Remote: h.cfg.RemoteOf(g.poolRanges(h.conn.conf))}
		if h.conf.DynamicLocal() {
			p.Pair.Local = anyAddress(h.cfg.LocalTS)
		}
		return p, nil
	}
	path, err := g.staticPath(h.conn)
	switch {
	case err == nil:
		p.Pair = h.cfg.Resolve(path, nil, nil)
	case h.prepared != nil:
		p.Pair = h.prepared.Pair
	default:
		p.Pair = selector.Pair{Local: anyAddress(h.cfg.LocalTS), Remote: known(h.cfg.RemoteTS)}
	}
	return p, err
}

// known are the selectors that have addresses.
func known(list []selector.Selector) (out []selector.Selector) {
	for _, s := range list {
		if !s.Dynamic() {
			out = append(out, s)
		}
	}
	return out
}

// anyAddress are the selectors with every address in the place of one that is not known. An empty list stands for
// "dynamic".
func anyAddress(list []selector.Selector) []selector.Selector {
	if len(list) == 0 {
		list = []selector.Selector{{EndPort: selector.AnyEndPort}}
	}
	var out []selector.Selector
	for _, s := range list {
		if !s.Dynamic() {
			out = append(out, s)
			continue
		}
		for _, e := range config.Everything() {
			s.Start, s.End = e.Start, e.End
			out = append(out, s)
		}
	}
	return out
}

// heldWhileDown is the part of a child's selectors that is routed into the tunnel whether it is up or not. It is all of them
// but for one case: a child that only a peer or a command brings up and that has every address of an IP version. The routes
// for it would leave the host with no way to anywhere, and its operator with no way to the host, until somebody calls.
func (g *Manager) heldWhileDown(h *child, ts selector.Pair) selector.Pair {
	if h.action() != policy.StartNone {
		return ts
	}
	return selector.Pair{Local: ts.Local, Remote: config.HeldWhileDown(ts.Remote)}
}

var (
	errNoAddress = errors.New("the peer's address is not known")
	errFamily    = errors.New("local_addrs has no address of the IP version of the peer's")
)

// staticPath is the path of a connection whose peer has a fixed address, or one that is known of its name.
func (g *Manager) staticPath(c *connection) (sa.Path, error) {
	for _, e := range c.conf.RemoteAddrs {
		for _, a := range g.names.addrsOf(e) {
			return g.pathTo(c, a)
		}
	}
	return sa.Path{}, errNoAddress
}

// pathTo is where an initiation to a peer's address starts: port 500 to port 500, or from the NAT traversal port when
// local_port says so, the peer listens elsewhere or there is no port 500 here.
func (g *Manager) pathTo(c *connection, remote netip.Addr) (sa.Path, error) {
	local, err := g.localFor(c, remote)
	if err != nil {
		return sa.Path{}, err
	}
	port := g.o.IKEPort
	if c.conf.RemotePort != config.DefaultPort || c.conf.LocalPort == g.conf.IKE.PortNATT || port == 0 {
		// The non-ESP marker is on every port but 500: https://www.rfc-editor.org/rfc/rfc7296#section-2.23
		port = g.o.NATTPort
	}
	remotePort := c.conf.RemotePort
	if remotePort == config.DefaultPort && port != g.o.IKEPort {
		remotePort = c.cfg.RemoteNATPort
	}
	return sa.Path{Local: netip.AddrPortFrom(local, port), Remote: netip.AddrPortFrom(remote, remotePort)}, nil
}

// localFor is the address of this host that a connection uses towards a peer: one of local_addrs if any is an address,
// and otherwise what the routes say.
func (g *Manager) localFor(c *connection, remote netip.Addr) (netip.Addr, error) {
	fixed := true
	var other netip.Addr // one that the peer can hardly answer to
	for _, e := range c.conf.LocalAddrs {
		for _, a := range g.names.addrsOf(e) {
			switch {
			case a.Is4() != remote.Is4() || !g.addrs.has(a):
			case a.Zone() == "" || a.Zone() == remote.Zone():
				return a, nil
			case !other.IsValid():
				other = a
			}
		}
		fixed = fixed && e.Specific()
	}
	if other.IsValid() {
		return other, nil
	}
	if fixed && len(c.conf.LocalAddrs) > 0 && !slices.ContainsFunc(c.conf.LocalAddrs, func(e config.Endpoint) bool { return e.Name != "" }) {
		return netip.Addr{}, g.addrs.why(c, remote)
	}
	return g.o.Host.SourceFor(remote)
}
