package gateway

import (
	"esplanade/ike/policy"
	"esplanade/ike/sa"
)

// A child whose start_action does not keep it up may be one that is to be kept up once it is: its close_action says what is wanted when
// the peer has closed it, its dpd_action when it was lost in any other way. A command that takes it down is obeyed.

// byCommand is the reason of what ends since an operator wants it to.
const byCommand = "terminated by a command"

// noteLoss notes how a CHILD SA of the child has ended. It may be up with another one.
func (c *child) noteLoss(e *entry, o sa.ChildDown) {
	switch {
	case e.commanded || o.Reason == byCommand:
		c.lost = policy.StartNone
	case o.ByPeer:
		c.lost = c.conf.AfterClose()
	default:
		c.lost = c.conf.AfterDPD()
	}
}

// keep is called when a child that was up is down: what is wanted from now on follows from how the last of its CHILD SAs has ended.
func (g *Manager) keep(h *child) {
	if !h.held && !h.gone && h.kept != h.lost {
		h.kept = h.lost
		g.prepare(h)
	}
}

// unkeep is called when it is up again.
func (g *Manager) unkeep(h *child) {
	h.lost = h.conf.AfterDPD()
	if h.kept != policy.StartNone {
		h.kept = policy.StartNone
		g.prepare(h)
	}
}
