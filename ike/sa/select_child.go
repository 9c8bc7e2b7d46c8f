package sa

import (
	"cmp"
	"slices"

	"esplanade/ike/diag"
	"esplanade/ike/proposal"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// fit is a configured child that a request may be for.
type fit struct {
	cfg    *ChildConfig
	chosen proposal.Chosen
	// ours is what this side allows, ts what both do.
	ours, ts selector.Pair
	// first: the first selectors of the request are allowed as a whole.
	first bool
	// overlap is how much ts selects, width how much is configured.
	overlap, width float64
}

// better orders the children that a request may be for, the best first.
//
// "If the responder's policy allows it to accept the first selector of TSi and TSr, then the responder MUST narrow the Traffic
// Selectors to a subset that includes the initiator's first choices." https://www.rfc-editor.org/rfc/rfc7296#section-2.9
// So they come before everything else; then the child that takes most of the request, and of those that take the same the one that
// is configured for the least in addition: a request for just what a child is for gets that one.
func (f fit) better(o fit) int {
	if f.first != o.first {
		if f.first {
			return -1
		}
		return 1
	}
	return cmp.Or(cmp.Compare(o.overlap, f.overlap), cmp.Compare(f.width, o.width))
}

// fits lists the children whose selectors have something in common with those of a request, the best first. Of equal ones the
// order is that of the configuration.
func (m *Machine) fits(children []*ChildConfig, theirs selector.Pair) []fit {
	return fits(children, theirs, m.tsOf)
}

// fits does that with what this side allows of each child.
func fits(children []*ChildConfig, theirs selector.Pair, allowed func(*ChildConfig) selector.Pair) []fit {
	var out []fit
	for _, c := range children {
		ours := allowed(c)
		f := fit{cfg: c, ours: ours, ts: ours.Narrow(theirs)}
		if f.ts.Empty() {
			continue
		}
		f.first = selector.Covered(theirs.Local[:1], ours.Local) && selector.Covered(theirs.Remote[:1], ours.Remote)
		f.overlap, f.width = f.ts.Size(), ours.Size()
		out = append(out, f)
	}
	slices.SortStableFunc(out, fit.better)
	return out
}

// selectChild finds the configured child that a request is for: selectors first, then proposals, so that a mismatch
// of the one is never reported as one of the other. The notify says what to answer when there is none. more says that another
// child would have taken selectors that this one does not.
func (m *Machine) selectChild(x wire.ExchangeType, sa *wire.SA, ke *wire.KE, theirs selector.Pair, old *Child, inAuth bool) (best fit, more bool, _ *diag.Failure, _ wire.NotifyType) {
	opts := proposal.Options{IgnoreKE: inAuth}
	if ke != nil {
		opts.PreferKE = ke.Group
	}
	candidates, kept := m.forUser(m.candidateChildren(inAuth))
	var list []fit
	if old == nil {
		list = m.fits(candidates, theirs)
	} else {
		candidates = []*ChildConfig{old.Config}
		best, f := m.selectRekeyed(x, old, theirs)
		if f != nil {
			return best, false, f, wire.NotifyTSUnacceptable
		}
		list = []fit{best}
	}
	var mismatch, tooMany *diag.Failure
	var mismatched *ChildConfig
	for i, c := range list {
		if what := tsLimit(c.ts, c.ours); what != "" {
			if tooMany == nil {
				tooMany, mismatched = m.tsLimitFailure(x, c.cfg, what), c.cfg
			}
			continue
		}
		chosen, err := proposal.Choose(c.cfg.Proposals, sa.Proposals, opts)
		if err != nil {
			if mismatch == nil {
				mismatch, mismatched = m.childMismatch(m.where(x).Answering(wire.NotifyNoProposalChosen), c.cfg, err), c.cfg
			}
			continue
		}
		c.chosen = chosen
		return c, othersFit(list, i), nil, 0
	}
	if mismatch != nil {
		return fit{cfg: mismatched}, false, mismatch, wire.NotifyNoProposalChosen
	}
	if tooMany != nil {
		return fit{cfg: mismatched}, false, tooMany, wire.NotifyTSUnacceptable
	}
	if f := m.keptFromUser(x, kept, theirs); f != nil && old == nil {
		return fit{}, false, f, wire.NotifyTSUnacceptable
	}
	only, f := m.noneFits(m.where(x).Answering(wire.NotifyTSUnacceptable), candidates, theirs)
	return fit{cfg: only}, false, f, wire.NotifyTSUnacceptable
}

// noneFits is the failure that no child is for the selectors of a request, and the child if there is only one.
func (m *Machine) noneFits(w diag.Where, candidates []*ChildConfig, theirs selector.Pair) (*ChildConfig, *diag.Failure) {
	if len(candidates) == 1 {
		c := candidates[0]
		return c, diag.SelectorMismatch(w.Of(c.Name, c.LocalTSLine), selectorTexts(m.tsOf(c)), selectorTexts(theirs))
	}
	var ours []string
	for _, c := range candidates {
		ours = append(ours, c.Name+": "+selectorTexts(m.tsOf(c)).String())
	}
	return nil, diag.NoChildFits(w, ours, selectorTexts(theirs))
}

// candidateChildren are the children that a request may be for: those of the connection, and those of others with the same peer. There
// may be a connection for each network, and a peer that sees no need for an IKE SA for each.
func (m *Machine) candidateChildren(inAuth bool) []*ChildConfig {
	if inAuth || m.env.Siblings == nil {
		return m.cfg.Children // IKE_AUTH has picked the connection by what it is for
	}
	out := slices.Clone(m.cfg.Children)
	for _, c := range m.env.Siblings(m) {
		out = append(out, c.Children...)
	}
	return out
}

// othersFit reports whether another child than the chosen one has selectors of the request that the chosen one has not, for
// ADDITIONAL_TS_POSSIBLE: it "asserts that the responder narrowed the proposed Traffic Selectors but that other Traffic Selectors
// would also have been acceptable, though only in a separate SA". https://www.rfc-editor.org/rfc/rfc7296#section-2.9
func othersFit(list []fit, chosen int) bool {
	return slices.ContainsFunc(list, func(f fit) bool { return f.cfg != list[chosen].cfg && !list[chosen].ts.Contains(f.ts) })
}
