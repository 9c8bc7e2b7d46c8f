package main

import (
	"context"

	"esplanade/tun"
)

// interfaceName is the tunnel's interface; empty when the host has none for it.
func (g *gateway) interfaceName() string {
	if g.link == nil {
		return ""
	}
	name, err := g.device.Name()
	if err != nil {
		return g.conf.TUN.Name
	}
	return name
}

// watchAddresses tells the daemon when addresses or routes of this host change, until ctx ends. Without that, a change is
// noticed only when the peer does not answer any more.
func (g *gateway) watchAddresses(ctx context.Context) {
	o := tun.WatchOptions{Device: g.interfaceName(), Table: g.conf.IKE.RoutingTable}
	changed := func() {
		g.giveBack()
		if err := g.host.refresh(); err != nil {
			g.log.Warn("cannot give the routes into the tunnels another source", "error", err)
		}
		g.daemon.AddressesChanged()
	}
	if err := tun.WatchAddresses(ctx, o, changed); err != nil {
		g.log.Warn("changes of this host's addresses are not noticed at once", "error", err)
	}
}
