package main

import "esplanade/tun/hostdns"

// close takes down what newGateway set up. Only the first call does anything.
func (g *gateway) close() { g.closed.Do(g.takeDown) }

func (g *gateway) takeDown() {
	if g.http != nil {
		g.http.close()
	}
	g.closeFeed(0)
	g.closeResolver()
	g.closeLink()
	switch {
	case g.engine != nil:
		g.engine.Close() // closes the device
	case g.device != nil:
		g.device.Close()
	}
	if g.host != nil {
		_ = g.host.close() // there is nothing to lose
	}
	if g.keys != nil {
		g.keys.close()
	}
	if g.leases != nil {
		if err := g.leases.Close(); err != nil {
			g.log.Warn("cannot close ike.lease_file", "error", err)
		}
	}
	// Last: as long as anything of this daemon is left, another one has to find out that it is not alone.
	if g.socket != nil {
		g.socket.Close()
	}
}

// closeResolver takes out what gateways have assigned, whatever ends the gateway: with its tunnels down, nobody answers there.
func (g *gateway) closeResolver() {
	if g.host == nil || g.host.dns == nil {
		return
	}
	if _, err := g.host.dns.Set(hostdns.Settings{}); err != nil {
		g.log.Warn("cannot put back the resolver of this host; the next start tries again", "error", err)
	}
}

func (g *gateway) closeLink() {
	if g.link == nil {
		return
	}
	end := g.link.Abandon
	if g.stopped {
		end = g.link.Close
	}
	if err := end(); err != nil {
		g.log.Warn("cannot undo the configuration of the device", "error", err)
	}
}
