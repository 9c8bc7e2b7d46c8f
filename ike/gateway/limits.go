package gateway

import (
	"fmt"

	"esplanade/ike/policy"
	"esplanade/ike/sa"
)

// ikeFull and childFull are the limits of what authenticated peers can have: a key that has come into wrong hands, or a peer
// that has gone wild, fills no memory. What this side begins is not limited.

// ikeFull names the limit that keeps the peer of m from another IKE SA. What it has with unique = "replace" goes when the
// new one is there, so that only as many as are left count. contact: it says that it has no other. What it has goes then,
// but not with unique = "never", where any number of peers may have one identity.
func (g *Manager) ikeFull(m *sa.Machine, contact bool) string {
	c := &g.conf.IKE
	conn := g.connection(m.Config())
	goes := contact && conn != nil && conn.conf.Unique != policy.UniqueNever
	switch {
	case goes && g.replacesOne(m):
		return ""
	case len(g.table.peers[keyOf(m)]) >= c.IKESALimitID:
		return fmt.Sprintf("%d IKE SAs of one identity (ike.ike_sa_limit_id)", c.IKESALimitID)
	case g.table.up >= c.IKESALimit:
		return fmt.Sprintf("%d IKE SAs (ike.ike_sa_limit)", c.IKESALimit)
	}
	return ""
}

// replacesOne reports whether one of the peer's IKE SAs goes when it says that it has no other: of a user, one of the same device.
func (g *Manager) replacesOne(m *sa.Machine) bool {
	for x := range g.table.peers[keyOf(m)] {
		if sameDevice(m, x.m) {
			return true
		}
	}
	return false
}

// childFull names the limit that keeps the peer of m from another CHILD SA. A rekeying makes two of one for a moment only: it
// is not refused before there are twice as many.
func (g *Manager) childFull(m *sa.Machine, rekey bool) string {
	c, times := &g.conf.IKE, 1
	if rekey {
		times = 2
	}
	switch {
	case g.table.children[keyOf(m)] >= times*c.ChildSALimitID:
		return fmt.Sprintf("%d CHILD SAs of one identity (ike.child_sa_limit_id)", c.ChildSALimitID)
	case len(g.installed) >= times*c.ChildSALimit:
		return fmt.Sprintf("%d CHILD SAs (ike.child_sa_limit)", c.ChildSALimit)
	}
	return ""
}

// countChild counts the CHILD SAs of a peer.
func (t *table) countChild(k peerKey, by int) {
	if t.children[k] += by; t.children[k] <= 0 {
		delete(t.children, k)
	}
}
