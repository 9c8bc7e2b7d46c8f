package hosttest

import (
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"testing"

	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// Network has one address, or none, and counts routes and the addresses that are kept out of the tunnels. The zero value has no address.
type Network struct {
	mu       sync.Mutex
	addr     netip.Addr
	routes   map[string]int
	excluded map[netip.Addr]int
	changed  func()
	assigned []sa.Placement
	addrs    map[netip.Addr]bool
	refuse   error
}

// NewNetwork is a network of a host with an address.
func NewNetwork(a netip.Addr) *Network { return &Network{addr: a} }

// Addr is the host's address, the zero value for none.
func (n *Network) Addr() netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.addr
}

// SetAddr gives the host another address; with the zero value it has none, and reaches nobody.
func (n *Network) SetAddr(a netip.Addr) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.addr = a
}

// OnChange has f called after each change of the routes, nil for nothing.
func (n *Network) OnChange(f func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.changed = f
}

// Addresses are those of the host.
func (n *Network) Addresses() ([]netip.Addr, error) {
	if a := n.Addr(); a.IsValid() {
		return []netip.Addr{a}, nil
	}
	return nil, nil
}

// SourceFor is the address from which packets to any other leave.
func (n *Network) SourceFor(netip.Addr) (netip.Addr, error) {
	if a := n.Addr(); a.IsValid() {
		return a, nil
	}
	return netip.Addr{}, errors.New("network is unreachable")
}

// Prepared reports that nothing is missing.
func (n *Network) Prepared() error { return nil }

// AddRoutes counts the remote networks of selectors.
func (n *Network) AddRoutes(ts selector.Pair) error { return n.route(1, ts) }

// RemoveRoutes takes them back. What is not there is an error.
func (n *Network) RemoveRoutes(ts selector.Pair) error { return n.route(-1, ts) }

func (n *Network) route(by int, ts selector.Pair) error {
	n.mu.Lock()
	err := count(&n.routes, selector.Format(ts.Remote), by)
	changed := n.changed
	n.mu.Unlock()
	if changed != nil {
		changed()
	}
	return err
}

// Exclude counts an address that is kept out of the tunnels.
func (n *Network) Exclude(a netip.Addr) error { return n.exclude(1, a) }

// Unexclude takes it back. One that is not excluded is an error.
func (n *Network) Unexclude(a netip.Addr) error { return n.exclude(-1, a) }

func (n *Network) exclude(by int, a netip.Addr) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return count(&n.excluded, a, by)
}

// count adds to what there is of something. Less than nothing is an error, and stays one.
func count[K comparable](of *map[K]int, k K, by int) error {
	if *of == nil {
		*of = map[K]int{}
	}
	now := (*of)[k] + by
	if (*of)[k] = now; now == 0 {
		delete(*of, k)
	}
	if now < 0 {
		return fmt.Errorf("there is no %v to take back", k)
	}
	return nil
}

// Routes are the remote networks, as [selector.Format] writes them, and how often each was added.
func (n *Network) Routes() map[string]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.routes)
}

// Excluded are the addresses that are kept out of the tunnels, and how often.
func (n *Network) Excluded() map[netip.Addr]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return maps.Clone(n.excluded)
}

// RefuseAssigned has [Network.Assign] fail from now on; with nil it works.
func (n *Network) RefuseAssigned(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.refuse = err
}

// Assign takes what gateways have assigned.
func (n *Network) Assign(list []sa.Placement) (by string, errs []error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	errs = make([]error, len(list))
	n.assigned = list
	for i, p := range list {
		if errs[i] = n.refuse; n.refuse != nil {
			continue
		}
		for _, a := range p.Addresses {
			if n.addrs == nil {
				n.addrs = map[netip.Addr]bool{}
			}
			n.addrs[a] = true
		}
		if len(p.DNS) > 0 {
			by = "a test"
		}
	}
	return by, errs
}

// Retract takes the addresses off that are not in list.
func (n *Network) Retract(list []sa.Placement) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	maps.DeleteFunc(n.addrs, func(a netip.Addr, _ bool) bool {
		return !slices.ContainsFunc(list, func(p sa.Placement) bool { return slices.Contains(p.Addresses, a) })
	})
	return nil
}

// Assigned is what was assigned last, and Held which addresses the device has.
func (n *Network) Assigned() []sa.Placement {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.assigned
}

// Held are the addresses that are on the device, sorted.
func (n *Network) Held() []netip.Addr {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.SortedFunc(maps.Keys(n.addrs), netip.Addr.Compare)
}

// Empty fails the test unless everything was taken back.
func (n *Network) Empty(t testing.TB) {
	t.Helper()
	if routes, excluded, held := n.Routes(), n.Excluded(), n.Held(); len(routes)+len(excluded)+len(held)+len(n.Assigned()) > 0 {
		t.Errorf("left in the network: routes %v, excluded %v, addresses %v, assignments %v", routes, excluded, held, n.Assigned())
	}
}
