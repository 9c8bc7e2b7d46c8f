package gateway

import "esplanade/ike/sa"

// silence is set while the peer of a child does not answer: while an attempt is under way, for what that waits for, and while the
// child is up, if none of its CHILD SAs has a peer that answers. Of several it is the latest: a child is as good as the best of them.
func (d *Manager) silence(h *child) *sa.Silence {
	switch {
	case h.state == phaseConnecting && h.machine != nil:
		return h.machine.Silence()
	case h.state != phaseUp:
		return nil
	}
	var latest *sa.Silence
	var of uint64
	for id := range h.live {
		i := d.installed[id]
		if i == nil || !inUse(i.child) {
			continue
		}
		s := i.owner.m.Silence()
		if s == nil {
			return nil
		}
		if latest == nil || s.Since.After(latest.Since) || s.Since.Equal(latest.Since) && id < of {
			latest, of = s, id
		}
	}
	return latest
}
