package tun

import "net/netip"

// backend carries out on one operating system what a link has decided. A link calls one method at a time, each
// prefix, address and peer is added once and removed once, routes only ever get covered peers excluded before them. Errors
// need no context: the link adds it. What is to be removed and is no longer there is not an error.
type backend interface {
	setUp(mtu int) error
	addAddress(netip.Prefix) error
	removeAddress(netip.Prefix) error
	addRoute(Route) error
	changeSource(Route) error // of a route that has been added
	// removeRoute leaves, with block, what refuses the packets of the prefix: it outlives the link and the device.
	removeRoute(r Route, block bool) error
	exclude(peer netip.Addr) error
	unexclude(peer netip.Addr) error
	explain(error) string // the Fix of a LinkError
	// repair puts back what has vanished of all that was added and not removed.
	repair(addresses []netip.Prefix, peers []netip.Addr) Restored
	// sweep removes what an earlier run left behind to refuse packets, and nobody has added again.
	sweep() error
	close() error // undoes setUp, as far as it outlives the device
}
