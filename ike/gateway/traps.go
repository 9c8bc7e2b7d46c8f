package gateway

import (
	"esplanade/ike/diag"
	"esplanade/ike/policy"
	"esplanade/ike/selector"
)

// trapOrder is what an operator has said about a child's trap: the packets that bring it up.
type trapOrder uint8

const (
	trapConfigured trapOrder = iota // nothing: start_action holds
	trapInstalled                   // packets bring it up
	trapRemoved                     // packets do not
)

// action is the start_action that holds: an order to install or to remove the trap changes it until the configuration does, and a child
// that was lost may be wanted more than at first.
func (h *child) action() policy.StartAction {
	switch configured := max(h.conf.StartAction, h.kept); {
	case h.trap == trapInstalled && configured == policy.StartNone:
		return policy.StartTrap
	case h.trap == trapRemoved && configured == policy.StartTrap:
		return policy.StartNone
	default:
		return configured
	}
}

// InstallTrap has packets bring a child up from now on, whatever its start_action says, also one that was taken down by a command.
func (g *Manager) InstallTrap(t Target) error {
	list, err := g.oneChild(t)
	if err != nil {
		return err
	}
	for _, h := range list {
		h.trap = trapInstalled
		g.release(h)
		g.prepare(h)
		g.touch(h)
	}
	return nil
}

// UninstallTrap has packets no longer bring a child up: without an SA they are refused, or follow the host's other routes where the
// child's remote_ts is every address, as with start_action = "none". An SA that is there stays.
func (g *Manager) UninstallTrap(t Target) error {
	list, err := g.oneChild(t)
	if err != nil {
		return err
	}
	for _, h := range list {
		w := whereOf(h.conn)
		w.Child, w.ConfigLine = h.cfg.Name, h.conf.At("start_action").FileLine()
		switch {
		case h.action() == policy.StartStart && !h.held:
			return diag.TrapOfStart(w)
		case h.action() != policy.StartTrap || h.held:
			return diag.NoTrap(w)
		}
		h.trap = trapRemoved
		if h.trigger != nil && !h.busy {
			h.asked, h.trigger = false, nil
		}
		g.o.DataPlane.FailPending(h.policy)
		g.prepare(h)
		g.touch(h)
	}
	return nil
}

// oneChild finds the configured child that a target with a child's name means.
func (g *Manager) oneChild(t Target) ([]*child, error) {
	g.begin()
	return g.configured(t)
}

// PolicyInfo is what becomes of the packets of a configured child while it has no SA.
type PolicyInfo struct {
	Connection, Child string
	Mode              string
	// Refuse: they are dropped. Otherwise they bring the child up and wait for it.
	Refuse bool
	TS     selector.Pair
}

// Policies lists the policies of the children. Those whose packets are refused have one only while there is no SA.
func (g *Manager) Policies() []PolicyInfo {
	var out []PolicyInfo
	for _, c := range g.conns {
		for _, h := range c.children {
			if h.prepared == nil || h.prepared.Without == selector.Refuse && h.up() {
				continue
			}
			out = append(out, PolicyInfo{
				Connection: c.conf.Name, Child: h.cfg.Name, Mode: h.cfg.Mode.String(), Refuse: h.prepared.Without == selector.Refuse,
				TS: h.prepared.Pair,
			})
		}
	}
	return out
}
