package selector

// MaxSelectors is how many selectors a TS payload can hold: their number is one octet
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.13).
const MaxSelectors = 255

// Narrow returns what of theirs is within ours: the responder's answer to one TS payload, and nothing at all (the
// answer is TS_UNACCEPTABLE then) when they have no packet in common.
//
// The responder may take a subset of what the initiator offers, and "[i]f the responder's
// policy allows it to accept the first selector of TSi and TSr, then the responder MUST narrow the Traffic Selectors
// to a subset that includes the initiator's first choices": the result is everything that both sides allow, in the
// order of theirs, so that its first selector covers their first one where that was acceptable.
// https://www.rfc-editor.org/rfc/rfc7296#section-2.9
//
// No selector of the result is contained in another one. A result of more than [MaxSelectors] is cut, which narrows
// further. Invalid selectors of either side are ignored.
func Narrow(ours, theirs []Selector) []Selector {
	var out []Selector
	for _, t := range theirs {
		for _, o := range ours {
			if i, ok := t.Intersect(o); ok {
				out = insert(out, i)
			}
		}
	}
	if len(out) > MaxSelectors {
		out = out[:MaxSelectors]
	}
	return out
}

// insert adds s to a list without redundant selectors and keeps it so. What contains earlier selectors takes the
// place of the first of them, because the order is a preference.
func insert(list []Selector, s Selector) []Selector {
	at := -1
	kept := list[:0]
	for _, x := range list {
		switch {
		case at < 0 && x.Contains(s):
			return list // nothing has been moved yet: a list without redundancy that has x has no part of s
		case s.Contains(x):
			if at < 0 {
				at = len(kept)
				kept = append(kept, s)
			}
		default:
			kept = append(kept, x)
		}
	}
	if at < 0 {
		// The bound on the work a peer can cause: beyond the limit new selectors only replace what they contain.
		if len(kept) >= MaxSelectors {
			return kept
		}
		kept = append(kept, s)
	}
	return kept
}

// Simplify returns the list without the selectors that another one of it contains, in the same order.
func Simplify(list []Selector) []Selector {
	var out []Selector
	for _, s := range list {
		if s.Valid() {
			out = insert(out, s)
		}
	}
	return out
}
