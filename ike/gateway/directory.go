package gateway

import (
	"net/netip"
	"slices"

	"esplanade/config"
	"esplanade/ike/policy"
	"esplanade/ike/sa"
)

// directory finds connections without going through all of them. It is made again whenever the connections or the
// addresses of their names change.
type directory struct {
	byName map[string]*connection
	byCfg  map[*sa.Config]*connection
	// byAddr has the connections by the single addresses of their peers, wide those that also or only have ranges.
	byAddr map[netip.Addr][]*connection
	wide   []*connection
	// byIDs has the connections between the same two identities.
	byIDs map[idKey][]*connection
	// texts are the connections for an operator: "office (198.51.100.20)".
	texts []string
	// reqids are those that the configuration gives to children.
	reqids map[uint32]bool
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

// rebuild makes the directory again.
func (g *Manager) rebuild() {
	dir := directory{
		byName: map[string]*connection{}, byCfg: map[*sa.Config]*connection{}, byAddr: map[netip.Addr][]*connection{},
		byIDs: map[idKey][]*connection{}, reqids: map[uint32]bool{},
	}
	for i, c := range g.conns {
		c.order = i
		dir.texts = append(dir.texts, c.conf.Name+" ("+joined(endpoints(c.conf.RemoteAddrs))+")")
		dir.byName[c.conf.Name], dir.byCfg[c.cfg] = c, c
		k := idsOf(c.conf)
		dir.byIDs[k] = append(dir.byIDs[k], c)
		for _, h := range c.conf.Children {
			dir.reqids[h.ReqID] = true
		}
		wide := false
		for _, e := range c.conf.RemoteAddrs {
			if !e.Specific() {
				wide = true
				continue
			}
			for _, a := range g.names.addrsOf(e) {
				if l := dir.byAddr[a]; len(l) == 0 || l[len(l)-1] != c {
					dir.byAddr[a] = append(l, c)
				}
			}
		}
		if wide {
			dir.wide = append(dir.wide, c)
		}
	}
	g.reqids.freed(g.dir.reqids, dir.reqids)
	g.dir = dir
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
