package proposal

import (
	"fmt"

	"esplanade/ike/wire"
)

// Options are the circumstances of a negotiation.
type Options struct {
	// IgnoreKE is for the CHILD SA of IKE_AUTH, which has no key exchange: KE transforms of either side do not count.
	IgnoreKE bool
	// PreferKE is the group of the KE payload that came with the offer. Choose takes a match with that group before
	// better ones that would cost another round trip for INVALID_KE_PAYLOAD. 0 for no preference; Verify ignores it.
	PreferKE uint16
	// NoAdditional is for a peer that has not announced IKE_INTERMEDIATE in IKE_SA_INIT. Choose passes over proposals that have a
	// type for additional key exchanges then, be it NONE: "the peers MUST treat any ADDKE Transform Types in the IKE_SA_INIT exchange
	// messages as unknown transform types and skip the proposals they appear in". Verify takes NONE in an answer: there is
	// nothing to skip to. https://www.rfc-editor.org/rfc/rfc9370#section-2.2.1-13
	NoAdditional bool
}

// Choose is the responder's part: it returns the first of our proposals, and in it the first algorithm of each type, that
// one of theirs allows. So the order of ours decides, not that of the peer. The error is a *MismatchError.
func Choose(ours []Proposal, theirs []wire.Proposal, o Options) (Chosen, error) {
	if o.PreferKE != wire.KE_NONE && !o.IgnoreKE {
		if c, _, ok := choose(ours, theirs, o); ok {
			return c, nil
		}
		o.PreferKE = wire.KE_NONE
	}
	c, mismatch, ok := choose(ours, theirs, o)
	if !ok {
		return Chosen{}, mismatch
	}
	return c, nil
}

func choose(ours []Proposal, theirs []wire.Proposal, o Options) (Chosen, *MismatchError, bool) {
	e := newMismatchError(ours, theirs)
	for i, our := range ours {
		for j, their := range theirs {
			if add := allAdditional(their.Transforms); o.NoAdditional && len(add) > 0 {
				e.consider(i, j, []Difference{{Type: add[0].Type, Have: names(add),
					Reason: "its sender does not announce the IKE_INTERMEDIATE exchange (RFC 9242), which additional key exchanges take"}})
				continue
			}
			c, differs := match(our, their, o)
			if len(differs) == 0 {
				c.Ours = i
				return c, nil, true
			}
			e.consider(i, j, differs)
		}
	}
	return Chosen{}, e, false
}

// Verify is the initiator's part: it checks the answer to an offer that held ours, numbered from 1 in this order (as
// WithoutKE if o.IgnoreKE). The error is an *AnswerError if the answer is not one that the protocol allows, or a
// *MismatchError if it has algorithms that were not offered.
//
// "The initiator of an exchange MUST check that the accepted offer is consistent with one of its proposals, and if not
// MUST terminate the exchange." https://www.rfc-editor.org/rfc/rfc7296#section-3.3.6
func Verify(ours []Proposal, answer []wire.Proposal, o Options) (Chosen, error) {
	fail := func(format string, args ...any) (Chosen, error) {
		return Chosen{}, &AnswerError{Ours: ours, Answer: answer, Reason: fmt.Sprintf(format, args...)}
	}
	if len(answer) != 1 {
		return fail("it has %d proposals, must have one", len(answer))
	}
	a := answer[0]
	if a.Number == 0 || int(a.Number) > len(ours) {
		return fail("it has number %d, offered were 1 to %d", a.Number, len(ours))
	}
	our := ours[a.Number-1]
	if a.Protocol != our.Protocol {
		return fail("it is for %v, offered was %v", a.Protocol, our.Protocol)
	}
	seen := make(map[wire.TransformType]wire.Transform)
	for _, t := range a.Transforms {
		if first, ok := seen[t.Type]; ok {
			return fail("it leaves the choice between %s and %s open", transformName(first), transformName(t))
		}
		seen[t.Type] = t
	}
	if t, ok := repeated(a.Transforms); ok {
		return fail("it has %s for more than one of the additional key exchanges", wire.TransformName(wire.TransformKE, t))
	}
	c, differs := match(our, a, Options{IgnoreKE: o.IgnoreKE, NoAdditional: o.NoAdditional})
	if len(differs) > 0 {
		e := newMismatchError(ours, answer)
		e.Answer = true
		e.consider(int(a.Number)-1, 0, differs)
		return Chosen{}, e
	}
	c.Ours = int(a.Number) - 1
	return c, nil
}
