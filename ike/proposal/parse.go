package proposal

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"esplanade/ike/wire"
)

// ParseError says what is wrong with a proposal string and what would be right.
type ParseError struct {
	Input  string // the proposal
	Reason string
}

func (e *ParseError) Error() string { return fmt.Sprintf("proposal %q: %s", e.Input, e.Reason) }

// defaultKeyword stands for all the proposals of Default in a list.
const defaultKeyword = "default"

// maxProposals is what an SA payload can number. https://www.rfc-editor.org/rfc/rfc7296#section-3.3.1
const maxProposals = math.MaxUint8

// ParseList parses what the keys proposals and esp_proposals hold: each item is one proposal, or several separated by
// commas, and "default" stands for those of Default. An empty list means the defaults. The error joins a *ParseError for
// each bad proposal.
func ParseList(protocol wire.ProtocolID, list []string) ([]Proposal, error) {
	if len(list) == 0 {
		return Default(protocol), nil
	}
	var out []Proposal
	var errs []error
	for _, item := range list {
		for s := range strings.SplitSeq(item, ",") {
			if strings.EqualFold(strings.TrimSpace(s), defaultKeyword) {
				out = append(out, Default(protocol)...)
				continue
			}
			p, err := Parse(protocol, s)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			out = append(out, p)
		}
	}
	if len(out) > maxProposals {
		errs = append(errs, fmt.Errorf("%d proposals are too many, at most %d can be sent", len(out), maxProposals))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return out, nil
}

// Parse parses one proposal string for IKE or ESP. The error is a *ParseError.
func Parse(protocol wire.ProtocolID, s string) (Proposal, error) {
	s = strings.TrimSpace(s)
	fail := func(format string, args ...any) (Proposal, error) {
		return Proposal{}, &ParseError{Input: s, Reason: fmt.Sprintf(format, args...)}
	}
	switch protocol {
	case wire.ProtocolIKE, wire.ProtocolESP:
	case wire.ProtocolAH:
		return fail("AH is not supported; ESP with the algorithm null authenticates without encrypting")
	default:
		return fail("there are no proposals for %v", protocol)
	}
	if s == "" {
		return fail("is empty; write algorithms joined by dashes, such as %s", example(protocol))
	}
	if strings.EqualFold(s, defaultKeyword) {
		return fail("stands for several proposals and can only be an item of a list")
	}

	p := Proposal{Protocol: protocol}
	words := slices.Concat(implemented(), additional())
	for tok := range strings.SplitSeq(strings.ToLower(s), "-") {
		tok = strings.TrimSpace(tok)
		t, ok := find(words, tok)
		if !ok {
			return fail("%s", unknownWord(protocol, tok))
		}
		if !usable(protocol, t) {
			return fail("%s", unusableWord(protocol, tok, t))
		}
		// The same transform twice, be it under two names, is one choice.
		if !slices.Contains(p.Transforms, t) {
			p.Transforms = append(p.Transforms, t)
		}
	}
	if reason := p.complete(); reason != "" {
		return fail("%s", reason)
	}
	slices.SortStableFunc(p.Transforms, func(a, b wire.Transform) int { return int(a.Type) - int(b.Type) })
	return p, nil
}

// complete adds what a string implies and returns what is missing or does not go together, or "".
//
//	Protocol    Mandatory Types          Optional Types
//	IKE         ENCR, PRF, INTEG*, D-H
//	ESP         ENCR, ESN                INTEG, D-H
//	(*) not with a combined-mode algorithm
//
// https://www.rfc-editor.org/rfc/rfc7296#section-3.3.3
func (p *Proposal) complete() string {
	encr := of(p.Transforms, wire.TransformENCR)
	integ := of(p.Transforms, wire.TransformINTEG)
	ike := p.Protocol == wire.ProtocolIKE

	if len(encr) == 0 {
		return "names no encryption algorithm; add one, such as aes256gcm16"
	}
	aeads, ciphers := split(encr)
	switch {
	case len(aeads) > 0 && (len(ciphers) > 0 || len(integ) > 0):
		return p.splitAdvice(aeads, ciphers, integ)
	case len(aeads) == 0 && len(integ) == 0:
		return fmt.Sprintf("%s needs an integrity algorithm; add one, such as sha256", formatTransform(encr[0]))
	}
	if ike && len(of(p.Transforms, wire.TransformPRF)) == 0 {
		if len(integ) == 0 {
			return "names no PRF, which an AEAD does not imply; add one, such as prfsha256"
		}
		p.Transforms = append(p.Transforms, impliedPRFs(integ)...)
	}
	if ike && len(of(p.Transforms, wire.TransformKE)) == 0 {
		return "names no key exchange group; add one, such as ecp256 or modp2048"
	}
	if reason := p.additionalFit(); reason != "" {
		return reason
	}
	if !ike && len(of(p.Transforms, wire.TransformESN)) == 0 {
		p.Transforms = append(p.Transforms, impliedESN()...)
	}
	return ""
}

// split parts encryption algorithms into AEADs and others.
func split(encr []wire.Transform) (aeads, ciphers []wire.Transform) {
	for _, t := range encr {
		if AEAD(t.ID) {
			aeads = append(aeads, t)
		} else {
			ciphers = append(ciphers, t)
		}
	}
	return aeads, ciphers
}

// splitAdvice is the reason for refusing a proposal that has AEADs together with what they must not be together with.
//
// "Combined-mode ciphers include both integrity and encryption in a single encryption algorithm, and MUST either offer
// no integrity algorithm or a single integrity algorithm of "NONE"".
// https://www.rfc-editor.org/rfc/rfc7296#section-3.3
func (p *Proposal) splitAdvice(aeads, ciphers, integ []wire.Transform) string {
	var rest []wire.Transform
	for _, t := range p.Transforms {
		if t.Type != wire.TransformENCR && t.Type != wire.TransformINTEG {
			rest = append(rest, t)
		}
	}
	// The AEAD half has no integrity algorithm that a PRF could be derived from.
	aeadRest := rest
	if p.Protocol == wire.ProtocolIKE && len(of(rest, wire.TransformPRF)) == 0 {
		aeadRest = slices.Concat(impliedPRFs(integ), rest)
	}
	aeadHalf := format(p.Protocol, slices.Concat(aeads, aeadRest))
	if len(ciphers) == 0 {
		return fmt.Sprintf("%s protects integrity itself and must not be in one proposal with %s; write %q",
			formatTransform(aeads[0]), formatTransform(integ[0]), aeadHalf)
	}
	otherHalf := format(p.Protocol, slices.Concat(ciphers, integ, rest))
	return fmt.Sprintf("%s protects integrity itself and must not be in one proposal with %s; split it into %q and %q",
		formatTransform(aeads[0]), formatTransform(ciphers[0]), aeadHalf, otherHalf)
}

// example is a proposal that is right.
func example(protocol wire.ProtocolID) string {
	if protocol == wire.ProtocolIKE {
		return "aes256gcm16-prfsha384-ecp384"
	}
	return "aes256gcm16-ecp384"
}
