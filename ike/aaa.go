package ike

import (
	"time"

	"esplanade/config"
	"esplanade/ike/aaa"
	"esplanade/ike/eap/guess"
	"esplanade/ike/gateway"
	"esplanade/ike/radius"
	"esplanade/ike/radius/client"
)

// recordsTime is how long the end of the daemon waits for the servers of accounting to take what they were not told yet.
const recordsTime = 3 * time.Second

// initRADIUS makes what speaks with RADIUS servers.
func (d *Daemon) initRADIUS(c *config.RADIUS) {
	d.radius = client.New(client.Options{Setup: setup(c), Log: d.log, Order: d.order})
	d.relays.init(d.radius, d.desk.finish)
}

func setup(c *config.RADIUS) client.Setup {
	return client.Setup{Radius: c.Setup(), Listen: c.OrdersAt()}
}

// setServers takes another configuration up.
func (d *Daemon) setServers(c *config.RADIUS) { d.radius.Configure(setup(c)) }

// order has an order of a server carried out. It does not wait: a server asks again.
func (d *Daemon) order(o aaa.Order, done func(radius.Cause)) {
	run := func(g *gateway.Manager, now time.Time) {
		if g.Order(now, o) == 0 {
			done(radius.SessionNotFound)
			return
		}
		done(0)
	}
	select {
	case d.loop.inbox <- input{run: run}:
	default:
		done(radius.ResourcesUnavailable)
	}
}

// Guesses is what there is to know of wrong passwords of users. It may be called from any goroutine.
func (d *Daemon) Guesses() guess.Report { return d.gateway.Guesses(time.Now()) }

// RADIUS is how the RADIUS servers do. It may be called from any goroutine.
func (d *Daemon) RADIUS() radius.Report { return d.radius.Report() }
