package sa

import (
	"slices"

	"esplanade/ike/diag"
	"esplanade/ike/selector"
	"esplanade/ike/wire"
)

// selectRekeyed says which selectors a peer gets that rekeys a child: those of the request that are configured, or in use. What is in
// use may differ from what is configured now, because a gateway has moved: "when rekeying, the new Child SA SHOULD NOT have different
// Traffic Selectors … than the old one" (https://www.rfc-editor.org/rfc/rfc7296#section-2.8). What both sides agreed on at first
// counts as well: the peer may not know yet, or not care, that the selectors have moved along.
func (m *Machine) selectRekeyed(x wire.ExchangeType, old *Child, theirs selector.Pair) (fit, *diag.Failure) {
	ours := m.tsOf(old.Config)
	for _, p := range [...]selector.Pair{old.TS, old.agreed, old.wide} {
		ours.Local, ours.Remote = slices.Concat(ours.Local, p.Local), slices.Concat(ours.Remote, p.Remote)
	}
	best := fit{cfg: old.Config, ours: ours, ts: ours.Narrow(theirs)}
	what := tsLimit(best.ts, ours)
	switch {
	case what != "":
		return best, m.tsLimitFailure(x, old.Config, what)
	case best.ts.Empty():
		w := m.where(x).Of(old.Config.Name, old.Config.LocalTSLine).Answering(wire.NotifyTSUnacceptable)
		return best, diag.SelectorMismatch(w, selectorTexts(ours), selectorTexts(theirs))
	case !m.keepsScope(old.scope(), best.ts):
		return best, narrower(m.where(x).Answering(wire.NotifyTSUnacceptable), old, old.scope(), theirs)
	}
	return best, nil
}

// narrower is the failure of a rekeying that would leave out traffic which the child carries: "the new SA MUST NOT have narrower
// selectors than the original". https://www.rfc-editor.org/rfc/rfc7296#section-2.9.2
func narrower(w diag.Where, old *Child, ours, theirs selector.Pair) *diag.Failure {
	return diag.RekeyNarrows(w.Of(old.Config.Name, old.Config.LocalTSLine), selectorTexts(ours), selectorTexts(theirs))
}

// keepsScope reports whether selectors that take the place of others leave nothing out. With MOBIKE one host in the place of another
// is no loss: it may be the address of a gateway that has moved, of which the two sides need not know at the same time.
func (m *Machine) keepsScope(old, fresh selector.Pair) bool {
	return m.keeps(old.Local, fresh.Local) && m.keeps(old.Remote, fresh.Remote)
}

func (m *Machine) keeps(old, fresh []selector.Selector) bool {
	var lost []selector.Selector
	for _, s := range old {
		if !selector.Covered([]selector.Selector{s}, fresh) {
			lost = append(lost, s)
		}
	}
	if len(lost) == 0 {
		return true
	}
	if !m.mob.on {
		return false
	}
	added := slices.DeleteFunc(slices.Clone(fresh), func(s selector.Selector) bool {
		return !s.IsHost() || selector.Covered([]selector.Selector{s}, old)
	})
	for _, s := range lost {
		i := slices.IndexFunc(added, func(a selector.Selector) bool {
			return s.IsHost() && a.Protocol == s.Protocol && a.StartPort == s.StartPort && a.EndPort == s.EndPort
		})
		if i < 0 {
			return false
		}
		added = slices.Delete(added, i, i+1)
	}
	return true
}
