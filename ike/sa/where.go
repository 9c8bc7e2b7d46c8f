package sa

import (
	"errors"
	"slices"
	"strings"

	"esplanade/ike/diag"
	"esplanade/ike/proposal"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// where is what a failure of this SA in an exchange needs to know about the circumstances. The owner stamps its time.
func (m *Machine) where(x wire.ExchangeType) diag.Where {
	w := diag.Where{
		Connection: m.cfg.Name, Lone: m.cfg.Lone, Exchange: x.String(), Local: m.path.Local, Remote: m.path.Remote, ConfigLine: m.cfg.Line,
	}
	if m.proved() && !m.remoteID.Any() {
		w.PeerID = m.remoteID.String()
	}
	if u := m.PeerUser(); u != nil {
		w.User = userName(u.Name)
	}
	return w
}

// whereUser is w with the user, where the peer is the one.
func (m *Machine) whereUser(w diag.Where, who diag.EAP) diag.Where {
	if m.initiator {
		return w
	}
	return w.As(who.User)
}

// proved reports whether the peer has proved its identity. Before that, remoteID of an initiator is what it expects.
func (m *Machine) proved() bool {
	return !m.establishedAt.IsZero() || m.flow != nil && m.flow.t.PeerProved
}

// whereProposals is where, with the line of the IKE proposals.
func (m *Machine) whereProposals(x wire.ExchangeType) diag.Where {
	return m.where(x).At(m.cfg.ProposalsLine)
}

// proposed is what this side proposes for an IKE SA.
func (m *Machine) proposed() diag.Offer { return diag.Offer{Proposals: proposalTexts(m.cfg.Proposals)} }

// childMismatch is the failure that the ESP proposals of a child have nothing in common with the peer's.
func (m *Machine) childMismatch(w diag.Where, c *ChildConfig, err error) *diag.Failure {
	d := differences(err)
	d.Windows, d.Other = m.windows, proposalTexts(m.cfg.Proposals)
	return diag.ChildProposalMismatch(w.Of(c.Name, c.ProposalsLine), d)
}

// initMismatch is the failure that the IKE proposals of a connection have nothing in common with what a request for an IKE SA offers.
func (m *Machine) initMismatch(x wire.ExchangeType, err error) *diag.Failure {
	d := differences(err)
	d.Windows = m.windows
	if len(m.cfg.Children) > 0 {
		d.Other = proposalTexts(m.cfg.Children[0].Proposals)
	}
	return diag.IKEProposalMismatch(m.whereProposals(x).Answering(wire.NotifyNoProposalChosen), d)
}

// windowsClient begins a Vendor ID that the VPN client of Windows sends. It has no public name; the other ones that it sends come from
// Azure's gateways as well.
// https://docs.strongswan.org/docs/6.0/interop/windowsMachineServerStatus.html
const windowsClient = "\x01\x52\x8b\xbb\xc0\x06\x96\x12\x18\x49\xab\x9a\x1c\x5b\x2a\x51"

// isWindows reports whether a request for an IKE SA comes from the VPN client of Windows. Nothing but the text of failures depends on it:
// anybody can say so.
func isWindows(ps []wire.Payload) bool {
	return slices.ContainsFunc(ps, func(p wire.Payload) bool {
		v, ok := p.(*wire.VendorID)
		return ok && strings.HasPrefix(string(v.Data), windowsClient)
	})
}

// maxOffered is how many of the peer's proposals are looked at for a failure: it can send 255, and anybody can be the peer. It is
// more than Windows offers, which is recognised by them.
const maxOffered = 24

// differences is what proposals of both sides differ in.
func differences(err error) diag.Mismatch {
	var mm *proposal.MismatchError
	if !errors.As(err, &mm) {
		return diag.Mismatch{Cause: err}
	}
	shown := mm.Theirs[:min(len(mm.Theirs), maxOffered)]
	var theirs []string
	for _, p := range shown {
		theirs = append(theirs, proposal.FormatWire(p))
	}
	closest := [2]string{}
	if mm.ClosestOurs >= 0 && mm.ClosestOurs < len(mm.Ours) && mm.ClosestTheirs >= 0 && mm.ClosestTheirs < len(mm.Theirs) {
		closest = [2]string{mm.Ours[mm.ClosestOurs].String(), proposal.FormatWire(mm.Theirs[mm.ClosestTheirs])}
	}
	var differs []diag.Difference
	for _, x := range mm.Differs {
		d := diag.Difference{Ours: x.Want, Theirs: x.Have, Reason: x.Reason}
		if x.Type != 0 {
			d.What = x.Type.String()
		}
		differs = append(differs, d)
	}
	return diag.Mismatch{
		Ours: proposalTexts(mm.Ours), Theirs: theirs, More: len(mm.Theirs) - len(shown), Answer: mm.Answer,
		ClosestOurs: closest[0], ClosestTheirs: closest[1], Differs: differs,
	}
}

func proposalTexts(ps []proposal.Proposal) []string {
	var s []string
	for _, p := range ps {
		s = append(s, p.String())
	}
	return s
}

// selectorTexts are the selectors of a child for a failure.
func selectorTexts(p selector.Pair) diag.Selectors {
	texts := func(list []selector.Selector) []string {
		var s []string
		for _, x := range list {
			s = append(s, x.String())
		}
		return s
	}
	return diag.Selectors{Local: texts(p.Local), Remote: texts(p.Remote)}
}

// groupName is the name of a key exchange method.
func groupName(group uint16) string { return wire.TransformName(wire.TransformKE, group) }
