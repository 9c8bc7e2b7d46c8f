package ike

import (
	"net/netip"

	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// Network is what the daemon needs of the host's network configuration.
//
// SourceFor is called from the event loop and must not block. Addresses is called from whoever calls
// [Daemon.AddressesChanged]. The others may take their time: they are called from one goroutine of the daemon, one at a time
// and in the order in which the event loop wanted it. An AddRoutes that fails has added what it could, each prefix
// for itself, and counts: RemoveRoutes takes it back. It is reported once, and called again every ten seconds, which adds what is
// missing.
type Network interface {
	// SourceFor is the address this host uses towards a peer.
	SourceFor(remote netip.Addr) (netip.Addr, error)
	// Addresses lists the addresses at which this host can be reached from outside: those of its interfaces that are up,
	// without the tunnel's own.
	Addresses() ([]netip.Addr, error)
	// AddRoutes sends the traffic of selectors into the tunnel; what is added several times stays until it is removed
	// as often.
	AddRoutes(ts selector.Pair) error
	RemoveRoutes(ts selector.Pair) error
	// Assign puts in place what gateways have assigned to this host: the addresses on the tunnel's device, and the DNS servers. list is all
	// that there is, and takes the place of what was given before, but that addresses stay until Retract is called with a list that does
	// not have them. It may be called again with the same. by says what of this host asks the DNS servers, "" for nothing; errs has an
	// error, or nil, for each of list.
	Assign(list []sa.Placement) (by string, errs []error)
	Retract(list []sa.Placement) error
	// Prepared is called once, when everything is added that the start asks for: what an earlier run has left behind and
	// nobody has added again goes.
	Prepared() error
	// Exclude keeps the packets between the gateways themselves out of the tunnel; it counts like AddRoutes.
	Exclude(peer netip.Addr) error
	Unexclude(peer netip.Addr) error
}
