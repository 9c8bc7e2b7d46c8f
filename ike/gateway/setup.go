package gateway

import (
	"time"

	"esplanade/config"
	"esplanade/ike/sa"
)

// newConnection makes the state of a configured connection.
func (d *Manager) newConnection(now time.Time, c *config.Connection) *connection {
	cfg := d.machineConfig(c)
	conn := &connection{conf: c, cfg: &cfg, entries: entrySet{}, elsewhere: d.childElsewhere}
	for _, h := range c.Children {
		d.number(conn.addChild(h, now))
	}
	return conn
}

// machineConfig is a connection as a machine wants it, without the children.
func (d *Manager) machineConfig(c *config.Connection) sa.Config {
	cfg := machineConfig(d.conf, c)
	if d.o.NATTPort != 0 {
		cfg.LocalNATPort = d.o.NATTPort
	}
	return cfg
}

// number gives a child the number of its policy.
func (d *Manager) number(h *child) {
	h.policy = d.numbers.nextPolicy()
	d.policies[h.policy] = h
}

// withdraw undoes number and prepare.
func (d *Manager) withdraw(h *child) {
	h.gone = true
	d.unprepare(h)
	delete(d.policies, h.policy)
	d.wakes.set(h, time.Time{})
}

// setUp does what a connection asks for before anything happens: policies, routes, the peer's addresses kept out of the
// tunnel.
func (d *Manager) setUp(now time.Time, c *connection) {
	for _, h := range c.children {
		d.prepare(h)
		d.touch(h)
	}
	for _, e := range c.conf.RemoteAddrs {
		if a := e.Addr(); a.IsValid() && !c.excludes(a) {
			d.o.Host.Exclude(a)
			c.excluded = append(c.excluded, a)
		}
	}
}

// arrange gives the children their places in the configuration.
func (d *Manager) arrange() {
	n := 0
	for _, x := range d.conns {
		for _, c := range x.conf.Children {
			for _, h := range x.children {
				if h.conf == c {
					h.order = n
				}
			}
			n++
		}
	}
}

// takeDown undoes setUp.
func (d *Manager) takeDown(c *connection) {
	for _, h := range c.children {
		d.withdraw(h)
	}
	for _, a := range c.excluded {
		d.o.Host.Unexclude(a)
	}
	c.excluded = nil
}
