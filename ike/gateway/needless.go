package gateway

import (
	"time"

	"esplanade/ike/sa"
)

// attempt is the IKE SA that is being set up for a child; nil if there is none.
func (h *child) attempt() *entry {
	if !h.busy {
		return nil
	}
	return h.conn.attemptWith(h.machine)
}

// bareAttempt is the same for a connection without children.
func (c *connection) bareAttempt() *entry { return c.attemptWith(c.bare.machine) }

func (c *connection) attemptWith(m *sa.Machine) *entry {
	if m == nil || m.State() != sa.StateConnecting || !m.Initiator() {
		return nil
	}
	for x := range c.entries {
		if x.m == m {
			return x
		}
	}
	return nil
}

// dropNeedless gives up an attempt that nobody has answered yet, when the peer has called meanwhile and all that the attempt is for is up
// on its IKE SA. Answered minutes later it would make a second one, which is no rival of the first any more.
func (g *Manager) dropNeedless(now time.Time, x, up *entry) {
	if x == nil || x == up || x.closed || x.leaving || x.m.PeerSPI() != 0 || x.handover.from != nil || x.conn != up.conn {
		return
	}
	for _, h := range x.conn.children {
		if h.busy && h.machine == x.m {
			return
		}
	}
	g.logger(x).Info("giving up the attempt: the peer has called meanwhile", "kept", up.m.ID())
	g.abandon(now, x, "the peer has called meanwhile")
}
