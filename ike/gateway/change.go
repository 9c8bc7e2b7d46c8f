package gateway

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"esplanade/config"
)

// Change applies a configuration of the same file, in which the connections with some names may be others, and secrets, certificates, users and
// pools. It does for them what [Manager.Reload] does: what has not changed keeps its SAs, and so does what can be changed in place. It
// costs what these connections cost, however many others there are; only other pools have all connections that have any looked at.
func (g *Manager) Change(now time.Time, fresh *config.Config, names []string) {
	g.change(now, fresh, names, g.expelMissing)
}

// Clear is Change by whoever takes all loaded credentials away, most often to load others next: users who are not there any more stay in until
// they have to authenticate again.
func (g *Manager) Clear(now time.Time, fresh *config.Config, names []string) {
	g.change(now, fresh, names, func(time.Time, *config.Directory) {})
}

func (g *Manager) change(now time.Time, fresh *config.Config, names []string, expel func(now time.Time, before *config.Directory)) {
	g.begin()
	old := g.conf
	g.conf = fresh.UntilRestart(old)
	g.takeUpProofs(now, fresh, expel)
	c := changing{g: g, now: now, old: old}
	for _, name := range names {
		c.connection(name)
	}
	if !slices.Equal(old.Pools, g.conf.Pools) {
		g.configurePools(now, g.conf)
		for _, x := range g.conns {
			if len(x.conf.Pools) > 0 {
				c.touched = append(c.touched, x)
			}
		}
	}
	c.apply()
}

// takeUpProofs takes other certificates and users up, and looks at what these mean for IKE SAs and for whoever knows of revocations only if
// they are others. expel ends the IKE SAs of users who are not there any more, and is given those who were.
func (g *Manager) takeUpProofs(now time.Time, fresh *config.Config, expel func(now time.Time, before *config.Directory)) {
	set, users, before := cmp.Or(fresh.Set, g.credentials), cmp.Or(fresh.EAP, g.users), g.users.Users()
	tell := g.credentials.Informs(set)
	g.credentials, g.users = set, users
	if tell {
		g.tellIssued()
	}
	if users.Users() != before {
		expel(now, before)
	}
}

// changing is what becomes of some connections.
type changing struct {
	g   *Manager
	now time.Time
	old *config.Config
	// began are new, or take the place of another one; touched are looked at again; gone is what ends, once what takes its place is there.
	began, touched []*connection
	gone           []func()
}

// connection makes a connection what it is configured as now.
func (c *changing) connection(name string) {
	g, now := c.g, c.now
	x, conf := g.dir.byName[name], g.conf.Connection(name)
	switch {
	case x == nil && conf == nil:
	case conf == nil:
		hosts := x.filed.hosts
		g.unfile(x)
		g.forgetNames(hosts)
		g.conns = without(g.conns, x)
		c.gone = append(c.gone, func() { g.discard(now, x, "the connection was unloaded") })
		g.log.Info("connection unloaded", "connection", name)
	case x == nil:
		n := g.newConnection(now, conf)
		n.order = g.lastOrder
		g.lastOrder++
		g.conns = append(g.conns, n)
		c.begin(n)
		g.log.Info("connection loaded", "connection", name)
	default:
		c.replace(x, conf)
	}
}

// replace makes a connection that is there already what it is configured as now.
func (c *changing) replace(x *connection, conf *config.Connection) {
	g, now := c.g, c.now
	hosts := x.filed.hosts
	g.unfile(x)
	if diff := reestablishing(x.conf, conf); len(diff) > 0 {
		n := g.newConnection(now, conf)
		n.inherit(x)
		n.order = x.order
		g.conns = slices.Clone(g.conns)
		g.conns[slices.Index(g.conns, x)] = n
		c.begin(n)
		g.forgetNames(hosts)
		c.gone = append(c.gone, func() { g.discard(now, x, "the connection has changed") })
		g.log.Info("connection loaded again", "connection", conf.Name, "changed", joined(diff)+"; its SAs are deleted and made again")
		return
	}
	did, ends := g.adapt(now, x, conf, c.old)
	g.file(x)
	x.arrange()
	c.touched, c.gone = append(c.touched, x), append(c.gone, ends...)
	if len(did) > 0 {
		g.log.Info("connection loaded again", "connection", conf.Name, "changed", strings.Join(did, ", "))
	}
}

// begin takes a new connection up.
func (c *changing) begin(n *connection) {
	n.arrange()
	c.g.file(n)
	c.g.wantNames(c.now, n)
	c.began = append(c.began, n)
}

// apply does what is to be done in the host and with IKE SAs. At no moment may a packet find neither its old policy and routes nor its new
// ones: it would leave in the clear.
func (c *changing) apply() {
	g := c.g
	for _, x := range c.began {
		g.setUp(c.now, x)
	}
	all := slices.Concat(c.began, c.touched)
	for _, x := range all {
		g.settleClient(x)
		for _, h := range x.children {
			g.prepare(h)
		}
	}
	for _, end := range c.gone {
		end()
	}
	for _, x := range all {
		g.touchAll(x)
	}
}
