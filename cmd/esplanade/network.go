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
	// prepared is called when what an earlier run has left behind is swept, if it is set.
	prepared func()
}

type addedRoutes struct {
	ts     selector.Pair
	times  int
	routes []tun.Route
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
	addrs, err := n.local.List()
	if err != nil {
		addrs = nil // the system chooses the source
	}
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
		a = &addedRoutes{ts: ts, routes: n.routes(ts)}
	}
	if err := n.add(a.routes); err != nil {
		return err
	}
	a.times++
	n.added[key] = a
	return nil
}

// add adds all routes or none. A source that is no address of this host any more is left out, here and in routes.
func (n *network) add(routes []tun.Route) error {
	for i := range routes {
		err := n.link.AddRoute(routes[i])
		if errors.Is(err, syscall.EINVAL) && routes[i].Src.IsValid() {
			routes[i].Src = netip.Addr{}
			err = n.link.AddRoute(routes[i])
		}
		if err != nil {
			for _, done := range routes[:i] {
				_ = n.link.RemoveRoute(done) // the first error is the one that matters
			}
			return err
		}
	}
	return nil
}

// refresh gives the routes the sources that the host's addresses ask for now.
func (n *network) refresh() error {
	if n.link == nil {
		return nil
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	var errs error
	for _, a := range n.added {
		fresh := n.routes(a.ts)
		if slices.Equal(fresh, a.routes) {
			continue
		}
		// The first time may fail; the others only count.
		if err := n.add(fresh); err != nil {
			errs = errors.Join(errs, err)
			continue // what is there stays, and is what RemoveRoutes removes
		}
		for i := range a.times {
			if i > 0 {
				errs = errors.Join(errs, n.add(fresh))
			}
			for _, r := range a.routes {
				errs = errors.Join(errs, n.link.RemoveRoute(r))
			}
		}
		a.routes = fresh
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
	if a.times--; a.times == 0 {
		delete(n.added, key)
	}
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
