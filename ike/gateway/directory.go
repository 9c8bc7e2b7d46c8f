package gateway

import (
	"net/netip"
	"slices"

	"esplanade/config"
	"esplanade/ike/policy"
	"esplanade/ike/sa"
)

// directory finds connections without going through all of them. It is kept up when connections come and go, and when the addresses of their
// names change.
type directory struct {
	byName map[string]*connection
	byCfg  map[*sa.Config]*connection
	// byAddr has the connections by the single addresses of their peers, wide those that also or only have ranges.
	byAddr map[netip.Addr][]*connection
	wide   []*connection
	// byIDs has the connections between the same two identities.
	byIDs map[idKey][]*connection
	// byHost has the connections by the DNS names in their local_addrs and remote_addrs.
	byHost map[string][]*connection
	// texts are the connections for an operator: "office (198.51.100.20)"; nil until they are asked for.
	texts []string
	// reqids are those that the configuration gives to children, and to how many.
	reqids map[uint32]int
}

// filed is where a connection is in the directory.
type filed struct {
	addrs  []netip.Addr
	ids    idKey
	hosts  []string
	reqids []uint32
	wide   bool
}

// idKey is a configured pair of identities. When the peer's is not fixed, its addresses stand for it.
type idKey struct{ local, remote, addrs string }

func idsOf(c *config.Connection) idKey {
	local, remote := c.LastIDs()
	k := idKey{local: local.ID.String(), remote: remote.ID.String()}
	if !remote.ID.Concrete() {
		k.addrs = joined(endpoints(c.RemoteAddrs))
	}
	return k
}

// rebuild makes the directory of all connections.
func (g *Manager) rebuild() {
	before := g.dir.reqids
	g.dir = directory{
		byName: map[string]*connection{}, byCfg: map[*sa.Config]*connection{}, byAddr: map[netip.Addr][]*connection{},
		byIDs: map[idKey][]*connection{}, byHost: map[string][]*connection{}, reqids: map[uint32]int{},
	}
	for i, c := range g.conns {
		c.order = i
		g.file(c)
	}
	g.lastOrder = len(g.conns)
	for n := range before {
		g.reqids.freed(n, g.fixedReqID)
	}
}

// file puts a connection into the directory.
func (g *Manager) file(c *connection) {
	dir := &g.dir
	dir.texts = nil
	dir.byName[c.conf.Name], dir.byCfg[c.cfg] = c, c
	f := filed{ids: idsOf(c.conf)}
	dir.byIDs[f.ids] = append(dir.byIDs[f.ids], c)
	for _, h := range c.conf.Children {
		if h.ReqID != 0 {
			f.reqids = append(f.reqids, h.ReqID)
			dir.reqids[h.ReqID]++
		}
	}
	for _, e := range slices.Concat(c.conf.LocalAddrs, c.conf.RemoteAddrs) {
		if e.Name != "" && !slices.Contains(f.hosts, e.Name) {
			f.hosts = append(f.hosts, e.Name)
			dir.byHost[e.Name] = append(dir.byHost[e.Name], c)
		}
	}
	for _, e := range c.conf.RemoteAddrs {
		if !e.Specific() {
			f.wide = true
			continue
		}
		for _, a := range g.names.addrsOf(e) {
			if !slices.Contains(f.addrs, a) {
				f.addrs = append(f.addrs, a)
				dir.byAddr[a] = append(dir.byAddr[a], c)
			}
		}
	}
	if f.wide {
		dir.wide = append(dir.wide, c)
	}
	c.filed = f
}

// unfile takes a connection out of the directory. Its configuration is the one that it was filed with.
func (g *Manager) unfile(c *connection) {
	dir := &g.dir
	dir.texts = nil
	delete(dir.byName, c.conf.Name)
	delete(dir.byCfg, c.cfg)
	strike(dir.byIDs, c.filed.ids, c)
	for _, a := range c.filed.addrs {
		strike(dir.byAddr, a, c)
	}
	for _, host := range c.filed.hosts {
		strike(dir.byHost, host, c)
	}
	for _, n := range c.filed.reqids {
		if dir.reqids[n]--; dir.reqids[n] == 0 {
			delete(dir.reqids, n)
			g.reqids.freed(n, g.fixedReqID)
		}
	}
	if c.filed.wide {
		dir.wide = without(dir.wide, c)
	}
	c.filed = filed{}
}

// strike takes a connection off one list of an index.
func strike[K comparable](index map[K][]*connection, k K, c *connection) {
	if list := without(index[k], c); len(list) > 0 {
		index[k] = list
	} else {
		delete(index, k)
	}
}

// without takes one of a list off it. Others may be reading the list: it is not changed.
func without(list []*connection, c *connection) []*connection {
	i := slices.Index(list, c)
	if i < 0 {
		return list
	}
	return slices.Concat(list[:i], list[i+1:])
}

// connectionTexts are the connections for an operator.
func (g *Manager) connectionTexts() []string {
	if g.dir.texts == nil {
		for _, c := range g.conns {
			g.dir.texts = append(g.dir.texts, c.conf.Name+" ("+joined(endpoints(c.conf.RemoteAddrs))+")")
		}
	}
	return g.dir.texts
}

// connection finds the connection of a machine's configuration; nil when it is not configured any more.
func (g *Manager) connection(cfg *sa.Config) *connection { return g.dir.byCfg[cfg] }

// connectionsFor lists the connections for a pair of addresses, the most specific first; among equals, the first in
// the configuration.
func (g *Manager) connectionsFor(local, remote netip.Addr) []*sa.Config {
	type scored struct {
		c     *connection
		score int
	}
	exact := g.dir.byAddr[remote.Unmap()]
	fits := make([]scored, 0, len(exact)+len(g.dir.wide))
	consider := func(c *connection) {
		if score, ok := c.serves(local, remote, &g.names); ok {
			fits = append(fits, scored{c, score})
		}
	}
	for _, c := range exact {
		consider(c)
	}
	for _, c := range g.dir.wide {
		if !slices.Contains(exact, c) {
			consider(c)
		}
	}
	slices.SortFunc(fits, func(a, b scored) int {
		if a.score != b.score {
			return b.score - a.score
		}
		return a.c.order - b.c.order
	})
	out := make([]*sa.Config, len(fits))
	for i, f := range fits {
		out[i] = f.c.cfg
	}
	return out
}

// serves reports whether the connection may be used with a peer at these addresses, and how well it fits: the more
// specific its remote address, the better.
func (c *connection) serves(local, remote netip.Addr, n *names) (score int, ok bool) {
	l, r := n.match(c.conf.LocalAddrs, local), n.match(c.conf.RemoteAddrs, remote)
	return 4*r + l, l > 0 && r > 0
}

// exactly is what match says of an address that is itself on a list.
const exactly = 3

// match tells how specific the most specific endpoint is that stands for an address: 0 for none.
func (n *names) match(list []config.Endpoint, a netip.Addr) int {
	a = a.Unmap()
	best := 0
	for _, e := range list {
		switch {
		case e.Any:
			best = max(best, 1)
		case e.Specific():
			if slices.ContainsFunc(n.addrsOf(e), func(x netip.Addr) bool { return sameHost(x, a) }) {
				best = max(best, exactly)
			}
		case e.Contains(a.WithZone("")):
			best = max(best, 2)
		}
	}
	return best
}

// sameHost reports whether two addresses are the same. Of a link-local one of this host the system does not say on which
// interface it is when it hands over a packet.
func sameHost(a, b netip.Addr) bool {
	return a == b || a.WithZone("") == b.WithZone("") && (a.Zone() == "" || b.Zone() == "")
}

// firstContact reports whether INITIAL_CONTACT may be claimed for a connection: there is no other IKE SA between the two
// identities, "[t]he INITIAL_CONTACT notification asserts that this IKE SA is the only IKE SA currently active between the
// authenticated identities" (https://www.rfc-editor.org/rfc/rfc7296#section-2.4). Other connections between them count
// too: the peer would drop their SAs. Of several that start at one time none claims it.
func (g *Manager) firstContact(cfg *sa.Config) bool {
	c := g.connection(cfg)
	if c == nil || c.conf.Unique == policy.UniqueNever {
		return false
	}
	n := 0
	for _, x := range g.dir.byIDs[idsOf(c.conf)] {
		for e := range x.entries {
			if !e.closed && (e.up || e.m.Initiator()) {
				n++
			}
		}
	}
	return n <= 1
}
