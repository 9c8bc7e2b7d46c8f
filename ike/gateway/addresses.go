package gateway

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"esplanade/config"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// addrs are the addresses of this host as far as the event loop knows them.
type addrs struct {
	list []netip.Addr
	set  map[netip.Addr]bool
	// seen are those that have been on the list at some time. Of others, such as those that a local route brings, nothing
	// is known: they are taken for present.
	seen map[netip.Addr]bool
}

// maxSeen bounds the addresses that are remembered: more than a host with IPv6 privacy addresses has in years.
const maxSeen = 4096

// has reports whether an address is not known to be gone.
func (a *addrs) has(x netip.Addr) bool {
	x = x.Unmap().WithZone("")
	return a.set[x] || !a.seen[x]
}

// update takes a new list and reports whether it is another.
func (a *addrs) update(list []netip.Addr) bool {
	old := a.list
	if a.list, a.set = nil, map[netip.Addr]bool{}; a.seen == nil || len(a.seen) > maxSeen {
		a.seen = map[netip.Addr]bool{}
	}
	for _, x := range list {
		if x = x.Unmap().WithZone(""); !a.set[x] && !x.IsLoopback() {
			a.list = append(a.list, x)
			a.set[x], a.seen[x] = true, true
		}
	}
	slices.SortFunc(a.list, netip.Addr.Compare)
	return !slices.Equal(old, a.list)
}

var errAbsent = errors.New("no address of local_addrs is on this host at present")

// why tells what is wrong with the configured addresses of a connection.
func (a *addrs) why(c *connection, remote netip.Addr) error {
	for _, e := range c.conf.LocalAddrs {
		if x := e.Addr(); x.IsValid() && x.Unmap().Is4() == remote.Is4() {
			return errAbsent
		}
	}
	return errFamily
}

// AddressesChanged says that addresses or routes of this host may have changed. It may be called when nothing has. list are the
// addresses, known whether they are.
func (g *Manager) AddressesChanged(now time.Time, list []netip.Addr, known bool) {
	g.begin()
	changed := known && g.addrs.update(list)
	if changed {
		g.log.Info("the addresses of this host have changed", "addresses", g.addrs.list)
		g.book.Reserve(g.reserved(g.conf))
	}
	for _, e := range g.table.all() {
		if !e.closed {
			e.m.AddressesChanged(now)
			g.drain(now, e)
		}
	}
	if !changed {
		return
	}
	// What could not be reached may be reachable now: nothing is gained by waiting for the end of a pause.
	for _, c := range g.conns {
		for _, h := range c.children {
			if !h.backoff.next.IsZero() {
				h.backoff.next = time.Time{}
				g.touch(h)
			}
		}
	}
}

// ownAddr says how well an address of this host fits a connection, as match does for its local_addrs. An IKE SA that may move goes to any
// address of the host, unless mobike_addrs says otherwise.
func (g *Manager) ownAddr(c *connection, a netip.Addr) int {
	fits := g.names.match(c.conf.LocalAddrs, a)
	if fits == 0 && c.conf.MayLeave() && g.addrs.set[a.Unmap().WithZone("")] {
		return ofAll
	}
	return fits
}

// ofAll is what match says of an address that is on a list as one of all there are.
const ofAll = 1

// localAddrs are the addresses at which a connection's peer may find this host. What
// lies in the networks behind this gateway is for the tunnel to carry and not a way to the gateway.
func (g *Manager) localAddrs(cfg *sa.Config) []netip.Addr {
	c := g.connection(cfg)
	if c == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(g.addrs.list), func(a netip.Addr) bool {
		return g.ownAddr(c, a) == 0 || protected(c.conf, a)
	})
}

// protected reports whether an address lies in a network that the connection's children carry, other than everything.
func protected(c *config.Connection, a netip.Addr) bool {
	for _, h := range c.Children {
		for _, s := range h.LocalTS {
			if s.Dynamic() || s.IsHost() || s.Is4() != a.Is4() {
				continue
			}
			for _, p := range s.Prefixes() {
				if p.Bits() > 0 && p.Contains(a) {
					return true
				}
			}
		}
	}
	return false
}

// sourceFor is the address that a connection's packets to a peer's address leave from.
func (g *Manager) sourceFor(cfg *sa.Config, remote netip.Addr) (netip.Addr, bool) {
	c := g.connection(cfg)
	if c == nil {
		return netip.Addr{}, false
	}
	a, err := g.localFor(c, remote)
	if err != nil && c.conf.MayLeave() {
		a, err = g.o.Host.SourceFor(remote)
	}
	if err != nil {
		return netip.Addr{}, false
	}
	// What the routes give is ours to use when it is an address that the world knows: not one inside of the tunnel.
	fits := g.ownAddr(c, a)
	return a, g.addrs.has(a) && (fits == exactly || fits > 0 && (g.addrs.set[a] || a.IsLoopback()))
}

// acceptable is the policy for addresses that a peer has moved to: ours must be one that the connection uses, the
// peer's one that can be somebody else's.
//
// Nor may it be one of the networks that the peer is reached in through its own tunnel: the tunnel would be sent into itself.
func (g *Manager) acceptable(cfg *sa.Config, path sa.Path) bool {
	c := g.connection(cfg)
	remote := path.Remote.Addr()
	return c != nil && g.ownAddr(c, path.Local.Addr()) > 0 &&
		!remote.IsUnspecified() && !remote.IsMulticast() && !g.addrs.set[remote] && !g.carries(c, remote)
}

// carries reports whether a connection's children carry packets to an address. The address that is configured for the peer itself is
// kept out of the tunnel, and a network of all addresses says nothing about one of them.
func (g *Manager) carries(c *connection, a netip.Addr) bool {
	for _, h := range c.conf.Children {
		for _, s := range h.RemoteTS {
			if within(s, a) {
				return g.names.match(c.conf.RemoteAddrs, a) != exactly
			}
		}
	}
	return false
}

// within reports whether a selector is for the network that an address is in. One for half of all IPv4 addresses or more, or for all
// of the IPv6 addresses that are given out, is for wherever the default route leads.
func within(s selector.Selector, a netip.Addr) bool {
	if s.Dynamic() || s.Is4() != a.Is4() || a.Less(s.Start) || s.End.Less(a) {
		return false
	}
	most := byte(0x7f) // the difference of the first octets of 0.0.0.0/1
	if !a.Is4() {
		most = 0x1f // of 2000::/3
	}
	return s.End.AsSlice()[0]-s.Start.AsSlice()[0] < most
}

// tunnelled reports whether the packets to an address of a connection's peer would go through a tunnel, be it another peer's.
func (g *Manager) tunnelled(cfg *sa.Config, a netip.Addr) bool {
	c := g.connection(cfg)
	return c != nil && (g.carries(c, a) || g.othersCarry(c, a))
}

// othersCarry reports whether an address is in the networks of another connection.
func (g *Manager) othersCarry(c *connection, a netip.Addr) bool {
	return slices.ContainsFunc(g.conns, func(x *connection) bool { return x != c && g.carries(x, a) })
}

// moved reports that an IKE SA goes on between other addresses.
func (g *Manager) moved(now time.Time, e *entry, o sa.Moved) {
	what := "moved"
	if o.ESP {
		what = "moved ESP"
	}
	g.o.Meter.Add(CountMoves)
	g.logger(e).Info(what, "from_local", o.From.Local, "from_remote", o.From.Remote, "local", o.To.Local, "remote", o.To.Remote,
		"reason", o.Reason)
	if !o.ESP {
		g.book.Moved(e.holder, o.To.Remote)
		g.o.Observer.Observe(IKEMoved{SA: e.m.Summary(), From: o.From})
	}
	if e.conn != nil && o.From.Remote.Addr() != o.To.Remote.Addr() {
		g.reauthElsewhere(now, e, o)
		g.refreshForMove(now, e.conn, o.To.Remote.Addr())
	}
}

// reauthElsewhere gives up an attempt to authenticate again that goes to where the peer was, where nobody answers any more. The next
// one goes to where it is.
func (g *Manager) reauthElsewhere(now time.Time, e *entry, o sa.Moved) {
	for _, x := range e.conn.entries.sorted() {
		if x.handover.from == e && !x.up && x.m.State() == sa.StateConnecting && x.m.Path().Remote.Addr() == o.From.Remote.Addr() {
			g.abandon(now, x, "the peer has moved")
		}
	}
}
