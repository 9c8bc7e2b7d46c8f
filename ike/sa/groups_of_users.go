package sa

import (
	"slices"

	"esplanade/ike/diag"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// mayHave reports whether the peer may have a child, as far as that is for groups of users.
func (m *Machine) mayHave(c *ChildConfig) bool {
	u := m.PeerUser()
	return len(c.Groups) == 0 || u != nil && slices.ContainsFunc(c.Groups, u.In)
}

// forUser are the children that the peer may have. The others are kept from it.
func (m *Machine) forUser(list []*ChildConfig) (may, kept []*ChildConfig) {
	for _, c := range list {
		if m.mayHave(c) {
			may = append(may, c)
		} else {
			kept = append(kept, c)
		}
	}
	return may, kept
}

// keptFromUser is the failure that a request would be for a child which is kept from the peer; nil if it is for none of them.
func (m *Machine) keptFromUser(x wire.ExchangeType, kept []*ChildConfig, theirs selector.Pair) *diag.Failure {
	list := m.fits(kept, theirs)
	if len(list) == 0 {
		return nil
	}
	c := list[0].cfg
	w := m.where(x).Of(c.Name, c.GroupsLine).Answering(wire.NotifyTSUnacceptable)
	if u := m.PeerUser(); u != nil {
		return diag.GroupsOnly(w, diag.EAP{User: userName(u.Name), Method: u.Method, Server: u.Server}, u.Groups, "the child "+c.Name, c.Groups)
	}
	return diag.GroupsOnly(w, diag.EAP{}, nil, "the child "+c.Name, c.Groups)
}
