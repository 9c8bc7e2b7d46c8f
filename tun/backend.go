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
	removeRoute(Route) error
	exclude(peer netip.Addr) error
	unexclude(peer netip.Addr) error
	explain(error) string // the Fix of a LinkError
	close() error         // undoes setUp, as far as it outlives the device
}
