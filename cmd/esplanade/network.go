package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"syscall"

	"esplanade/ike/selector"
	"esplanade/tun"
	"esplanade/tun/hostdns"
)

// network is the host's network configuration as the IKE daemon needs it. link is nil for a device that the host does
// not route to, such as netstack.
type network struct {
	link   tun.Link
	mark   uint32 // of the gateway's own packets
	device string // the tunnel's interface; empty for one that the host does not know
	local  *tun.AddressList
	// added are the routes of the selectors for which AddRoutes was called, by the text of the selectors: an address that
	// comes or goes meanwhile changes what routes would give.
	mu    sync.Mutex
	added map[string]*addedRoutes
	// leaving says that the gateway ends: the link removes all routes, or leaves behind what refuses packets.
	leaving bool
	// dns is the resolver of this host, nil for one that stays as it is. assigned are the addresses of gateways on the device, and going
	// those of them that are about to be taken off.
	dns             *hostdns.Resolver
	assigned, going map[netip.Addr]bool
	// prepared is called when what an earlier run has left behind is swept, if it is set.
	prepared func()
}

type addedRoutes struct {
	ts     selector.Pair
	times  int         // the link has each route once, however often it was asked for
	routes []tun.Route // what the link has, some of it only to refuse packets
	todo   []tun.Route // what the link does not have, or only to refuse packets
}

// newNetwork makes the network of a link. Close it.
func newNetwork(link tun.Link, device string) *network {
	return &network{link: link, device: device, local: tun.NewAddressList(), added: map[string]*addedRoutes{}}
}

// Prepared ends what an earlier run has left behind to refuse packets.
func (n *network) Prepared() error {
	if n.link == nil {
		if n.prepared != nil {
			n.prepared()
		}
		return nil
	}
	err := n.link.Sweep()
	if n.prepared != nil {
		n.prepared()
	}
	return err
}

func (n *network) close() error { return n.local.Close() }

// SourceFor is the address towards a peer on the way outside the tunnels.
func (n *network) SourceFor(remote netip.Addr) (netip.Addr, error) {
	return tun.SourceFor(remote, n.mark)
}

// Addresses lists the addresses of this host's interfaces that are up, without those of the tunnel's device.
func (n *network) Addresses() ([]netip.Addr, error) { return tun.OuterAddresses(n.device) }

// routes are those that selectors need: one for each prefix of the remote side, with an address of this host that the
// local side allows as the source of its own packets.
func (n *network) routes(ts selector.Pair) []tun.Route {
	var local []netip.Prefix
	for _, s := range ts.Local {
		local = append(local, s.Prefixes()...)
	}
	addrs := n.sources()
	// The source depends on the address family alone.
	src4 := tun.PreferredSource(netip.PrefixFrom(netip.IPv4Unspecified(), 0), local, addrs)
	src6 := tun.PreferredSource(netip.PrefixFrom(netip.IPv6Unspecified(), 0), local, addrs)
	var out []tun.Route
	for _, s := range ts.Remote {
		for _, p := range s.Prefixes() {
			r := tun.Route{Dst: p, Src: src6}
			if p.Addr().Is4() {
				r.Src = src4
			}
			out = append(out, r)
		}
	}
	return out
}

func (n *network) AddRoutes(ts selector.Pair) error {
	if n.link == nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	key := ts.String()
	a := n.added[key]
	if a == nil {
		a = &addedRoutes{ts: ts, todo: n.routes(ts)}
		n.added[key] = a
	}
	a.times++
	return n.add(a)
}

// add adds what is left to do of each prefix for itself: one that cannot be added takes no other with it.
func (n *network) add(a *addedRoutes) error {
	var errs error
	todo := a.todo
	a.todo = nil
	for _, r := range todo {
		had := slices.Contains(a.routes, r)
		has, err := n.addRoute(r)
		if err == nil || errors.Is(err, tun.ErrOnlyRefused) {
			a.routes = append(a.routes, has)
			if had { // to be refused
				err = errors.Join(err, n.link.RemoveRoute(r))
				i := slices.Index(a.routes, r)
				a.routes = slices.Delete(a.routes, i, i+1)
			}
		}
		if err != nil {
			a.todo = append(a.todo, has)
			errs = errors.Join(errs, err)
		}
	}
	return errs
}

// addRoute adds a route, without its source if that is no address of this host any more, and gives what it has added.
func (n *network) addRoute(r tun.Route) (tun.Route, error) {
	err := n.link.AddRoute(r)
	if !errors.Is(err, syscall.EINVAL) || !r.Src.IsValid() {
		return r, err
	}
	bare := tun.Route{Dst: r.Dst}
	again := n.link.AddRoute(bare)
	if errors.Is(err, tun.ErrOnlyRefused) { // it counts
		if again != nil && !errors.Is(again, tun.ErrOnlyRefused) {
			return r, err
		}
		again = errors.Join(again, n.link.RemoveRoute(r))
	}
	return bare, again
}

// refresh gives the routes the sources that the host's addresses ask for now, and puts right what somebody else has made of the resolver: a
// host that comes to another network is given another one.
func (n *network) refresh() error {
	if n.link == nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	errs := n.refreshSources()
	if n.dns != nil {
		errs = errors.Join(errs, n.dns.Refresh())
	}
	return errs
}

// refreshSources does it for the routes. The mutex is held.
func (n *network) refreshSources() error {
	var errs error
	for _, a := range n.added {
		for _, fresh := range n.routes(a.ts) {
			i := slices.IndexFunc(a.routes, func(r tun.Route) bool { return r.Dst == fresh.Dst })
			if i < 0 || a.routes[i] == fresh || slices.Contains(a.todo, a.routes[i]) {
				continue // what is left to do is tried again anyway
			}
			has, err := n.addRoute(fresh)
			if err != nil && !errors.Is(err, tun.ErrOnlyRefused) {
				errs = errors.Join(errs, err)
				continue // what is there stays, and is what RemoveRoutes removes
			}
			errs = errors.Join(errs, err, n.link.RemoveRoute(a.routes[i]))
			a.routes[i] = has
		}
	}
	return errs
}

// leave keeps all routes from now on, until the link is closed.
func (n *network) leave() {
	n.mu.Lock()
	n.leaving = true
	n.mu.Unlock()
}

func (n *network) RemoveRoutes(ts selector.Pair) error {
	if n.link == nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.leaving {
		return nil
	}
	key := ts.String()
	a := n.added[key]
	if a == nil {
		return fmt.Errorf("routes of %s: %w", key, tun.ErrNotAdded)
	}
	if a.times--; a.times > 0 {
		return nil
	}
	delete(n.added, key)
	var first error
	for _, r := range a.routes {
		if err := n.link.RemoveRoute(r); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (n *network) Exclude(peer netip.Addr) error {
	if n.link == nil {
		return nil
	}
	return n.link.Exclude(peer)
}

func (n *network) Unexclude(peer netip.Addr) error {
	if n.link == nil {
		return nil
	}
	return n.link.Unexclude(peer)
}
