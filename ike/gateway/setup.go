package gateway

import (
	"time"

	"esplanade/config"
	"esplanade/ike/sa"
)

// newConnection makes the state of a configured connection.
func (g *Manager) newConnection(now time.Time, c *config.Connection) *connection {
	cfg := g.machineConfig(c)
	conn := &connection{conf: c, cfg: &cfg, entries: entrySet{}, elsewhere: g.childElsewhere}
	for _, h := range c.Children {
		g.number(conn.addChild(h, now))
	}
	return conn
}

// machineConfig is a connection as a machine wants it, without the children.
func (g *Manager) machineConfig(c *config.Connection) sa.Config {
	cfg := machineConfig(g.conf, c)
	if g.o.NATTPort != 0 {
		cfg.LocalNATPort = g.o.NATTPort
	}
	return cfg
}

// number gives a child the number of its policy.
func (g *Manager) number(h *child) {
	h.policy = g.numbers.nextPolicy()
	g.policies[h.policy] = h
}

// withdraw undoes number and prepare.
func (g *Manager) withdraw(h *child) {
	h.gone = true
	g.unprepare(h)
	delete(g.policies, h.policy)
	g.wakes.set(h, time.Time{})
}

// setUp does what a connection asks for before anything happens: policies, routes, the peer's addresses kept out of the
// tunnel.
func (g *Manager) setUp(now time.Time, c *connection) {
	for _, h := range c.children {
		g.prepare(h)
		g.touch(h)
	}
	for _, e := range c.conf.RemoteAddrs {
		if a := e.Addr(); a.IsValid() && !c.excludes(a) {
			g.o.Host.Exclude(a)
			c.excluded = append(c.excluded, a)
		}
	}
}

// childrenOfConnection is more children than a connection can have: the places of those of one connection are before those of the next.
const childrenOfConnection = 1 << 20

// arrange gives the children of a connection their places in the configuration.
func (c *connection) arrange() {
	for i, conf := range c.conf.Children {
		for _, h := range c.children {
			if h.conf == conf {
				h.order = c.order*childrenOfConnection + i
			}
		}
	}
}

// takeDown undoes setUp.
func (g *Manager) takeDown(c *connection) {
	for _, h := range c.children {
		g.withdraw(h)
	}
	for _, a := range c.excluded {
		g.o.Host.Unexclude(a)
	}
	c.excluded = nil
}
