package ike

import (
	"net/netip"
	"time"

	"esplanade/ike/gateway"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// host carries out what the gateway wants of this host, in other goroutines.
type host struct{ d *Daemon }

var _ gateway.Host = host{}

// SourceFor implements gateway.Host.
func (h host) SourceFor(remote netip.Addr) (netip.Addr, error) {
	return h.d.o.Network.SourceFor(remote)
}

// SetRoutes implements gateway.Host.
func (h host) SetRoutes(holder uint64, ts *selector.Pair) { h.d.routing.setRoutes(holder, ts) }

// Exclude implements gateway.Host.
func (h host) Exclude(peer netip.Addr) { h.d.routing.exclude(peer) }

// Unexclude implements gateway.Host.
func (h host) Unexclude(peer netip.Addr) { h.d.routing.unexclude(peer) }

// Assign implements gateway.Host.
func (h host) Assign(holder uint64, a *sa.Placement) { h.d.routing.assign(holder, a) }

// Keep implements gateway.Host.
func (h host) Keep(k gateway.Keeping) (err error, done bool) { return h.d.keeper.keep(k) }

// LookUp implements gateway.Host.
func (h host) LookUp(id uint64, name string) {
	h.d.resolver.lookUp(name, h.d.o.Resolve, func(addrs []netip.Addr, err error) {
		h.d.post(func(g *gateway.Manager, now time.Time) { g.Resolved(now, id, addrs, err) })
	})
}

// addresses asks the system for the addresses of this host.
func (d *Daemon) addresses() (list []netip.Addr, known bool) {
	list, err := d.o.Network.Addresses()
	if err != nil {
		d.log.Warn("cannot list the addresses of this host", "error", err)
	}
	return list, err == nil
}

// ownAddresses are those of this host, for whoever must not connect to them. It is not called from the event loop.
func (d *Daemon) ownAddresses() []netip.Addr {
	list, _ := d.o.Network.Addresses()
	return list
}

// AddressesChanged says that addresses or routes of this host may have changed. It may be called when nothing has. The
// caller waits for the system's list, which may take its time; the event loop does not.
func (d *Daemon) AddressesChanged() {
	list, known := d.addresses()
	d.post(func(g *gateway.Manager, now time.Time) { g.AddressesChanged(now, list, known) })
}
