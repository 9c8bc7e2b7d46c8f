package gateway

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"esplanade/config"
	"esplanade/ike/policy"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// client is what a connection knows as the client of a gateway.
type client struct {
	// holder is its number towards the host; 0 before the first assignment.
	holder uint64
	// given is what its IKE SA has been given last, also after that has ended: the same addresses are asked for again.
	given *sa.Assignment
	// addresses are those that its IKE SAs have now. There are two such IKE SAs for a moment, while one takes the other's place.
	addresses []netip.Addr
	// placed is what the host was told; nil for nothing.
	placed *sa.Placement
	// by says what asks the DNS servers on this host, and problem what could not be put in place; both as the host says.
	by, problem string
}

// ClientInfo is what an operator wants to know of a client.
type ClientInfo struct {
	// Given is what the gateway has given last. Addresses are those that are in force, none while the IKE SA is down.
	Given     *sa.Assignment
	Addresses []netip.Addr
	// DNS are the servers that this host asks because of it, Domains what for (none: all names), and By what of this host asks them.
	DNS     []netip.Addr
	Domains []string
	By      string
	// Problem says what could not be put in place; it is tried again.
	Problem string
}

// info is a copy for an operator; nil for a connection that is no client's.
func (c *connection) clientInfo() *ClientInfo {
	if !c.conf.Client() {
		return nil
	}
	x := &ClientInfo{Given: c.client.given, Addresses: c.client.addresses, Problem: c.client.problem}
	if p := c.client.placed; p != nil && len(p.DNS) > 0 {
		x.DNS, x.Domains, x.By = p.DNS, p.Domains, c.client.by
	}
	return x
}

// virtualAddrs are what a connection asks its gateway for: the address that it has or has had, where any will do.
func (g *Manager) virtualAddrs(cfg *sa.Config) []netip.Addr {
	c := g.connection(cfg)
	if c == nil || c.client.given == nil {
		return cfg.VIPs
	}
	had := slices.Clone(c.client.given.Addresses)
	out := slices.Clone(cfg.VIPs)
	for i, a := range out {
		if !a.IsUnspecified() {
			continue
		}
		if k := slices.IndexFunc(had, func(x netip.Addr) bool { return x.Is4() == a.Is4() && !slices.Contains(out, x) }); k >= 0 {
			out[i] = had[k]
		}
	}
	return out
}

// ownsOutside reports whether an address is one of this host's interfaces other than the tunnel's.
func (g *Manager) ownsOutside(a netip.Addr) bool { return g.addrs.set[a] }

// assigned handles what a gateway has given an IKE SA of this side.
func (g *Manager) assigned(e *entry, a *sa.Assignment) {
	args := []any{"addresses", addrList(a.Addresses)}
	for _, x := range []struct{ key, text string }{
		{"dns", addrList(a.DNS)}, {"domains", strings.Join(a.Domains, " ")}, {"subnets", prefixList(a.Subnets)},
	} {
		if x.text != "" {
			args = append(args, x.key, x.text)
		}
	}
	g.logger(e).Info("the gateway has assigned", args...)
	for _, what := range a.Ignored {
		g.logger(e).Warn("the gateway's configuration has something that is of no use", "what", what)
	}
	if e.conn == nil {
		return // a reload has taken the connection away: the IKE SA is on its way out
	}
	had := e.conn.client.given
	e.conn.client.given = a
	if had != nil && !slices.Equal(had.Addresses, a.Addresses) {
		g.logger(e).Warn("the gateway has given other addresses than before", "before", addrList(had.Addresses), "now", addrList(a.Addresses))
	}
	for _, v := range e.conn.conf.VIPs {
		if !slices.ContainsFunc(a.Addresses, func(x netip.Addr) bool { return x.Is4() == v.Is4() }) {
			g.logger(e).Warn("the gateway has given no address for one of vips", "vip", v)
		}
	}
	for _, x := range a.DNS {
		if e.conn.conf.InstallDNS != policy.DNSNo && !leadsTo(e.conn, a, x) {
			g.logger(e).Warn("a DNS server of the gateway is not asked: the tunnel does not lead to it", "dns", x, "fix", "put it into remote_ts; with split_include the gateway has to name its network, too")
		}
	}
	g.settleClient(e.conn)
}

// settleClient brings the host, and the policies of a client's children, to what its IKE SAs have been given.
func (g *Manager) settleClient(c *connection) {
	if !c.conf.Client() {
		return
	}
	var newest *sa.Assignment
	var addrs []netip.Addr
	list := c.entries.sorted()
	for i := len(list) - 1; i >= 0; i-- { // the newest first
		e := list[i]
		a := e.m.Assignment()
		if !e.up || e.closed || a == nil {
			continue
		}
		if newest == nil {
			newest = a
		}
		for _, x := range a.Addresses {
			if !slices.Contains(addrs, x) {
				addrs = append(addrs, x)
			}
		}
	}
	c.client.addresses = addrs
	var place *sa.Placement
	if newest != nil {
		place = &sa.Placement{Connection: c.conf.Name, Addresses: addrs}
		place.DNS, place.Domains = resolverOf(c, newest)
	}
	old := c.client.placed
	if old == nil && place == nil || old != nil && place != nil && old.Equal(*place) {
		return
	}
	if c.client.holder == 0 {
		c.client.holder = g.numbers.nextPolicy()
		g.clients[c.client.holder] = c
	}
	c.client.placed = place
	if place == nil {
		c.client.by, c.client.problem = "", ""
	}
	// The addresses are there before the routes whose source they are. Those of before go after theirs.
	g.o.Host.Assign(c.client.holder, place)
	for _, h := range c.children {
		g.prepare(h)
	}
	if place == nil && c.gone {
		delete(g.clients, c.client.holder)
		c.client.holder = 0
	}
}

// resolverOf says which DNS servers a client's host is to ask, and for which domains. A server to which the tunnel does not lead is not asked:
// what is asked of it would leave in the clear.
func resolverOf(c *connection, a *sa.Assignment) (dns []netip.Addr, domains []string) {
	for _, s := range a.DNS {
		if c.conf.InstallDNS != policy.DNSNo && leadsTo(c, a, s) {
			dns = append(dns, s)
		}
	}
	full := slices.ContainsFunc(c.conf.Children, func(h *config.Child) bool { return config.Full(h.RemoteTS) }) && !c.conf.SplitInclude
	// "If the negotiated IPsec connection is not a split-tunnel configuration, the INTERNAL_DNS_DOMAIN and INTERNAL_DNSSEC_TA Configuration
	// Payloads MUST be ignored." https://www.rfc-editor.org/rfc/rfc8598#section-2
	if len(dns) == 0 || c.conf.InstallDNS == policy.DNSAll || full {
		return dns, nil
	}
	return dns, a.Domains
}

// leadsTo reports whether a client's tunnel leads to an address: it is in a remote_ts, of which split_include may leave a part only, and this side
// has an address of its family.
func leadsTo(c *connection, a *sa.Assignment, to netip.Addr) bool {
	if !slices.ContainsFunc(a.Addresses, func(x netip.Addr) bool { return x.Is4() == to.Is4() }) {
		return false
	}
	return slices.ContainsFunc(c.conf.Children, func(h *config.Child) bool {
		return slices.ContainsFunc(c.cfg.Include(a, known(h.RemoteTS)), func(s selector.Selector) bool {
			return s.Valid() && s.Start.BitLen() == to.BitLen() && s.Start.Compare(to) <= 0 && to.Compare(s.End) <= 0
		})
	})
}

// Placed says what came of [Host.Assign]: by is what of this host asks the DNS servers, "" for nothing, and err what could not be put in
// place, which is tried again.
func (g *Manager) Placed(now time.Time, holder uint64, by string, err error) {
	g.begin()
	c := g.clients[holder]
	if c == nil || c.client.placed == nil {
		return
	}
	if c.client.by != by && by != "" {
		g.log.Info("this host asks the DNS servers of the gateway", "connection", c.conf.Name, "by", by, "dns", addrList(c.client.placed.DNS),
			"domains", strings.Join(c.client.placed.Domains, " "))
	}
	c.client.by = by
	text := ""
	if err != nil {
		text = err.Error()
	}
	if text != "" && text != c.client.problem {
		g.log.Warn("cannot put in place what the gateway has assigned, it is tried again", "connection", c.conf.Name, "error", err)
	}
	c.client.problem = text
}

// clientPolicy is the policy of a client's child: from the addresses that it was given or, before it has any, from every address of the
// families that it asks for.
func (g *Manager) clientPolicy(h *child, p selector.Policy) (selector.Policy, error) {
	c := h.conn
	path, err := g.staticPath(c)
	own := c.client.addresses
	p.Pair = h.cfg.Resolve(path, own, nil)
	if len(own) == 0 {
		p.Local = sa.AnyOf(h.cfg.LocalTS, c.conf.VIPs)
	}
	if err != nil && h.conf.DynamicRemote() {
		p.Remote = known(h.cfg.RemoteTS)
	} else {
		err = nil
	}
	p.Remote = c.cfg.Include(c.client.given, p.Remote)
	return p, err
}

// clientRoutes are the routes for a client's child, ts, as they are held: with those of the IP version that the tunnel does not carry, whose
// packets are dropped on the device for want of a policy; and without those for everything, while the gateway has not said what of it is
// behind it.
func (g *Manager) clientRoutes(h *child, ts selector.Pair) selector.Pair {
	c := h.conn
	if !c.conf.Client() {
		return ts
	}
	if c.conf.SplitInclude {
		if c.client.given == nil {
			ts.Remote = config.HeldWhileDown(ts.Remote)
		}
		return ts
	}
	if h.action() != policy.StartNone || len(c.client.addresses) > 0 {
		ts.Remote = append(slices.Clone(ts.Remote), c.conf.OtherVersions(h.conf)...)
	}
	return ts
}

func addrList(list []netip.Addr) string {
	out := make([]string, len(list))
	for i, a := range list {
		out[i] = a.String()
	}
	return strings.Join(out, " ")
}

func prefixList(list []netip.Prefix) string {
	out := make([]string, len(list))
	for i, p := range list {
		out[i] = p.String()
	}
	return strings.Join(out, " ")
}
