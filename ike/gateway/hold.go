package gateway

import (
	"slices"
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/sa"
)

// A command that takes something down by its name holds it: nothing of this side brings it up again before a command does. How a peer
// is answered that wants it up meanwhile is the command's choice. Where peers may bring it up, so may packets that do so anyway: a trap
// stays one, as with strongSwan. What is held stays so over a reload, and not over a restart.

// Ending says how a command takes SAs down.
type Ending struct {
	// Force waits for no answer: an IKE SA ends as soon as its DELETE is sent, or at once if another request is under way.
	Force bool
	// Shut refuses peers, too, what is taken down by name. Without it a peer may bring it up again, and packets where there is a trap, as
	// with strongSwan.
	Shut bool
	// Log takes a line for each SA that is taken down, as many as maxEndingLines; it may be nil.
	Log LogFunc
}

// Termination is what a command found to take down.
type Termination struct {
	// Matches says how many SAs there were, and Gone how many of them are gone by now.
	Matches int
	Gone    func() int
}

// Terminate takes SAs down. What it takes down by name stays down until a command brings it up again, also where the configuration wants
// it up; what it takes down by number may come up again at once. done is called when all of them are gone.
func (g *Manager) Terminate(now time.Time, t Target, how Ending, done func()) (Termination, error) {
	g.begin()
	if t.Connection != "" || t.Child != "" {
		list, err := g.configured(t)
		if err != nil {
			return Termination{}, err
		}
		if t.IKEID != 0 || t.ChildID != 0 {
			list = nil // one SA, of several that this may have
		} else if c := g.bareOf(t); c != nil {
			c.shut = c.shut || how.Shut
			c.finishBare(diag.Cancelled(whereOf(c), "terminated by the operator"))
		}
		for _, h := range list {
			g.hold(h, how.Shut)
			h.conn.shut = h.conn.shut || how.Shut && t.Child == ""
			if t.Child == "" && h.conn.bare.asked {
				h.conn.finishBare(diag.Cancelled(whereOf(h.conn), "terminated by the operator"))
			}
		}
	}
	n, gone := g.terminate(now, t, how)
	g.waits = append(g.waits, &wait{holds: func() bool { return gone() >= n }, done: done})
	if n == 0 && !how.Shut {
		hint := "it is down already, and stays so"
		if t.IKEID != 0 || t.ChildID != 0 {
			hint = "an SA has its number until it ends or is rekeyed" // what it belonged to may be up by another one
		}
		return Termination{}, diag.NothingUp(diag.Where{ConfigLine: g.conf.File}, t.String(), hint)
	}
	return Termination{n, gone}, nil
}

// hold makes a child stay down; one with a trap stays down until the next packet, unless it is shut.
func (g *Manager) hold(h *child, shut bool) {
	h.revoke()
	h.shut, h.asked, h.trigger, h.kept = h.shut || shut, false, nil, policy.StartNone
	h.held = h.held || h.shut || h.action() != policy.StartTrap
	h.finish(diag.Cancelled(whereOf(h.conn), "terminated by the operator"))
	g.o.DataPlane.FailPending(h.policy)
	g.prepare(h) // what is held refuses packets from now on
	g.touch(h)
}

// release ends that. It reports whether peers were refused the child.
func (g *Manager) release(h *child) (shut bool) {
	shut, h.conn.shut = h.shut, false // without its IKE SA there is no child
	if h.held {
		h.held, h.shut = false, false
		h.want()
		g.prepare(h)
	}
	return shut
}

// want undoes revoke: what is on its way may come up.
func (c *child) want() {
	for e := range c.conn.entries {
		delete(e.revoked, c)
	}
}

// inherit has a connection or child of a new configuration be held as the one is that it takes the place of, and go on counting.
func (c *connection) inherit(old *connection) {
	c.shut, c.lives, c.client.given = old.shut, old.lives, old.client.given
	for _, h := range c.children {
		i := slices.IndexFunc(old.children, func(o *child) bool { return o.conf.Name == h.conf.Name })
		if i >= 0 {
			h.inherit(old.children[i])
		} else {
			h.held, h.shut = c.shut, c.shut
		}
	}
}

func (c *child) inherit(old *child) {
	c.held, c.shut, c.kept = old.held, old.shut, old.kept
	if old.up() && !old.held {
		c.kept = c.conf.AfterDPD() // it was up, and its SAs are made again
	}
}

// refusesPeers reports whether a connection is kept down with all that it has.
func (c *connection) refusesPeers() bool {
	return c.shut || len(c.children) > 0 && !slices.ContainsFunc(c.children, func(h *child) bool { return !h.shut })
}

// isShut and childShut are for machines: see [sa.Env].
func (g *Manager) isShut(cfg *sa.Config) bool {
	c := g.connection(cfg)
	return c != nil && c.refusesPeers()
}

func (g *Manager) childShut(m *sa.Machine, cfg *sa.ChildConfig) bool {
	var h *child
	if c := g.connection(m.Config()); c != nil {
		h = c.childOf(cfg)
	}
	if h == nil {
		h = g.childElsewhere(cfg)
	}
	return h != nil && h.shut
}

// revoke takes back what this side asks for, or is about to: by an attempt, with an IKE SA that takes the place of another one, or one more
// pair of networks. The request may be on its way.
func (c *child) revoke() {
	for e := range c.conn.entries {
		if c.busy && c.machine == e.m || e.handover.asked[c] && !carries(e, c) || e.m.Asks(c.cfg) {
			if e.revoked == nil {
				e.revoked = map[*child]struct{}{}
			}
			e.revoked[c] = struct{}{}
		}
	}
}

// takenBack reports whether a CHILD SA that has come up is one that a command has taken back while it was negotiated.
func (e *entry) takenBack(h *child, x *sa.Child) bool {
	_, revoked := e.revoked[h]
	return h.shut || revoked && x.Initiator
}
