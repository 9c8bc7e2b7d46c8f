package sim

import (
	"slices"
	"strings"

	"esplanade/config"
	"esplanade/ike/gateway"
	"esplanade/ike/policy"
	"esplanade/ike/sa"
)

// initiate brings a connection up, which ends that an operator keeps it down.
func (h *Host) initiate(g *gateway.Manager, conn string) {
	delete(h.shut, conn)
	for i := range h.plan.end(conn).kids {
		delete(h.held, childName(conn, i))
	}
	_ = g.Initiate(gateway.Target{Connection: conn}, nil)
}

// wantShut fails the run unless all IKE SAs of a connection that an operator keeps down are on their way out. A CHILD SA may come up with
// such a one: its request was there before the DELETE.
func (h *Host) wantShut() {
	if len(h.shut) == 0 {
		return
	}
	for _, s := range h.sas() {
		if !h.shut[s.Connection] || s.State != sa.StateEstablished && s.State != sa.StateRekeying {
			continue
		}
		if !slices.ContainsFunc(s.Tasks, func(t sa.Task) bool { return t.Name == "delete IKE SA" }) {
			h.w.fail("%s: IKE SA %d of %s is in use, which an operator keeps down", h.name, s.ID, s.Connection)
		}
	}
}

// hold notes that an operator has taken a connection down, which its peer may bring up, and packets where they do so anyway.
func (h *Host) hold(conn string) {
	for _, c := range h.info().Conns {
		for _, x := range c.Children {
			if c.Conf.Name == conn && (x.Shut || x.Conf.StartAction != policy.StartTrap) {
				h.held[conn+"/"+x.Conf.Name] = true
			}
		}
	}
}

// configured lists the children that a connection has at present.
func (h *Host) configured(conn string) (names []string) {
	for _, c := range h.info().Conns {
		for _, x := range c.Children {
			if c.Conf.Name == conn {
				names = append(names, conn+"/"+x.Conf.Name)
			}
		}
	}
	return names
}

// forget notes that a reload takes children or connections out: when one comes back, it is not held.
func (h *Host) forget(c *config.Config) {
	for _, e := range h.plan.ends {
		if c.Connection(e.peer) == nil {
			delete(h.shut, e.peer)
		}
		for i := range e.kids {
			name := childName(e.peer, i)
			_, child, _ := strings.Cut(name, "/")
			if n := c.Connection(e.peer); n == nil || n.Child(child) == nil {
				delete(h.held, name)
			}
		}
	}
}

// spare notes that a reload has taken out what the IKE SAs of a connection were there for, and left only what is held.
func (h *Host) spare(conn string) {
	for _, s := range h.between(conn) {
		h.spared[s.ID] = true
	}
}

// allHeld reports whether an operator has taken all of a connection down, and nobody has brought any of it up.
func (h *Host) allHeld(conn string) bool {
	return !slices.ContainsFunc(h.configured(conn), func(name string) bool { return !h.held[name] })
}

// wantHeld fails the run if this side has brought up what an operator has taken down. What was asked for before may come up, and is on its
// way out then.
func (h *Host) wantHeld() {
	if len(h.held) == 0 {
		return
	}
	for _, s := range h.sas() {
		going := func(task string) bool {
			return slices.ContainsFunc(s.Tasks, func(t sa.Task) bool { return t.Name == task })
		}
		if s.State != sa.StateEstablished && s.State != sa.StateRekeying || going("delete IKE SA") {
			continue
		}
		if s.Initiator && !h.spared[s.ID] && h.allHeld(s.Connection) {
			h.w.fail("%s: IKE SA %d of %s is in use, which an operator holds", h.name, s.ID, s.Connection)
		}
		for _, c := range s.Children {
			if c.Initiator && h.held[s.Connection+"/"+c.Name] && (c.State == sa.ChildInstalled || c.State == sa.ChildRekeying) && !going("delete child "+c.Name) {
				h.w.fail("%s: CHILD SA %d of %s/%s is in use, which an operator holds", h.name, c.ID, s.Connection, c.Name)
			}
		}
	}
}
