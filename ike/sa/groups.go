package sa

import (
	"slices"

	"esplanade/ike/proposal"
	"esplanade/ike/wire"
)

// A request with a key exchange guesses which of the proposed groups the peer takes: a wrong guess is answered with INVALID_KE_PAYLOAD,
// and costs another exchange. So it begins with a group that the peer is known to take, if there is one: that which it has demanded, or
// that of the SA which is replaced. Both are on the SA, so that its successor goes on with what was agreed on.

// demands is what the peer has said of the groups of one request.
type demands struct {
	// refused are those that were tried.
	refused []uint16
	// group is the one that it wants instead, 0 for none.
	group uint16
}

// note takes a demand for a group in place of that of our request.
func (d *demands) note(ours, group uint16) { d.refused, d.group = append(d.refused, ours), group }

// guess is the group to begin with: the first of those known to be good that is among the proposals, or the most preferred one. ok is
// false without a key exchange, and when all were refused.
func (d *demands) guess(offered []proposal.Proposal, good ...uint16) (group uint16, ok bool) {
	for _, g := range append([]uint16{d.group}, good...) {
		if offersGroup(offered, g) && !slices.Contains(d.refused, g) {
			return g, true
		}
	}
	return firstGroup(offered, d.refused)
}

// demandedGroup is the group that INVALID_KE_PAYLOAD in an answer asks for, in place of that of our request. ok is false if there is no
// such demand, or none that is followed: the group must be one of the proposals, and each is tried once.
func demandedGroup(answer []wire.Payload, offered []proposal.Proposal, ours uint16, refused []uint16) (group uint16, ok bool) {
	n := notify(answer, wire.NotifyInvalidKEPayload)
	if n == nil {
		return 0, false
	}
	group, err := n.AcceptedGroup()
	return group, err == nil && offersGroup(offered, group) && group != ours && !slices.Contains(refused, group)
}

// firstGroup is the most preferred key exchange method that is not excluded.
func firstGroup(ps []proposal.Proposal, except []uint16) (uint16, bool) {
	for _, p := range ps {
		for _, t := range p.Transforms {
			if t.Type == wire.TransformKE && t.ID != wire.KE_NONE && !slices.Contains(except, t.ID) {
				return t.ID, true
			}
		}
	}
	return 0, false
}

func offersGroup(ps []proposal.Proposal, group uint16) bool {
	for _, p := range ps {
		if slices.ContainsFunc(p.Transforms, func(t wire.Transform) bool {
			return t.Type == wire.TransformKE && t.ID == group && group != wire.KE_NONE
		}) {
			return true
		}
	}
	return false
}
