package proposal

import (
	"fmt"
	"strings"

	"esplanade/ike/wire"
)

// MismatchError says that no proposal of one side fits one of the other: NO_PROPOSAL_CHOSEN, with the reason.
type MismatchError struct {
	Protocol wire.ProtocolID // of ours
	Ours     []Proposal
	Theirs   []wire.Proposal // what the peer offered, or answered
	Answer   bool            // Theirs is the answer to Ours, found by Verify

	// The pair with the fewest differences, as indexes into Ours and Theirs; -1 if there is no pair at all.
	ClosestOurs, ClosestTheirs int
	// Differs is what is different in that pair.
	Differs []Difference
}

// Difference is one way in which the closest pair does not fit.
type Difference struct {
	Type wire.TransformType // 0 if it is not about a transform
	Want []string           // names of what we allow, best first
	Have []string           // names of what they allow; empty if they have none
	// Reason is set if there is more to it than the names say.
	Reason string
}

// String returns the difference in words: "key exchange: we want ECP_384 or ECP_256, peer has MODP_1024".
func (d Difference) String() string {
	if d.Type == 0 {
		return d.Reason
	}
	have := "none"
	if len(d.Have) > 0 {
		have = strings.Join(d.Have, " or ")
	}
	if d.Reason != "" {
		return fmt.Sprintf("%s: peer has %s, but %s", typeName(d.Type), have, d.Reason)
	}
	want := "none"
	if len(d.Want) > 0 {
		want = strings.Join(d.Want, " or ")
	}
	return fmt.Sprintf("%s: we want %s, peer has %s", typeName(d.Type), want, have)
}

// typeName is the IANA name of a transform type and what it means.
func typeName(t wire.TransformType) string {
	switch t {
	case wire.TransformENCR:
		return "encryption (ENCR)"
	case wire.TransformPRF:
		return "pseudorandom function (PRF)"
	case wire.TransformINTEG:
		return "integrity (INTEG)"
	case wire.TransformKE:
		return "key exchange (KE)"
	case wire.TransformESN:
		return "sequence numbers (ESN)"
	}
	if isAdditional(t) {
		return fmt.Sprintf("additional key exchange %d (%v)", t-wire.TransformADDKE1+1, t)
	}
	return t.String()
}

func newMismatchError(ours []Proposal, theirs []wire.Proposal) *MismatchError {
	e := &MismatchError{Ours: ours, Theirs: theirs, ClosestOurs: -1, ClosestTheirs: -1}
	if len(ours) > 0 {
		e.Protocol = ours[0].Protocol
	}
	return e
}

// consider keeps the pair i, j if it differs in less than the one so far.
func (e *MismatchError) consider(i, j int, differs []Difference) {
	if e.ClosestOurs < 0 || farness(differs) < farness(e.Differs) {
		e.ClosestOurs, e.ClosestTheirs, e.Differs = i, j, differs
	}
}

// farness orders pairs: by how many things differ, and among equals by whether it is the encryption, since that is what
// people think a proposal is about. A pair for different protocols is farther than any other.
func farness(differs []Difference) int {
	f := 0
	for _, d := range differs {
		switch d.Type {
		case 0:
			f += 100
		case wire.TransformENCR:
			f += 3
		default:
			f += 2
		}
	}
	return f
}

// maxListed bounds how many proposals of a side an error names.
const maxListed = 6

// TheirsString returns what the peer sent as proposal strings, shortened if it is much.
func (e *MismatchError) TheirsString() string {
	return formatAll(e.Theirs, func(p wire.Proposal) string {
		if p.Protocol != e.Protocol {
			return fmt.Sprintf("%v:%s", p.Protocol, FormatWire(p))
		}
		return FormatWire(p)
	})
}

// OursString returns our proposals as proposal strings.
func (e *MismatchError) OursString() string { return formatAll(e.Ours, Proposal.String) }

func formatAll[P any](ps []P, format func(P) string) string {
	var out []string
	for i, p := range ps {
		if i == maxListed {
			out = append(out, fmt.Sprintf("and %d more", len(ps)-i))
			break
		}
		out = append(out, format(p))
	}
	if len(out) == 0 {
		return "nothing"
	}
	return strings.Join(out, ", ")
}

// DiffersString returns the differences of the closest pair in words.
func (e *MismatchError) DiffersString() string {
	var out []string
	for _, d := range e.Differs {
		out = append(out, d.String())
	}
	return strings.Join(out, "; ")
}

// Error names both sides, the closest pair, and what differs in it.
func (e *MismatchError) Error() string {
	verb := "offers"
	if e.Answer {
		verb = "answers with"
	}
	msg := fmt.Sprintf("no common %v proposal: peer %s %s", e.Protocol, verb, e.TheirsString())
	if e.ClosestOurs < 0 {
		return msg + "; ours: " + e.OursString()
	}
	theirs := "closest"
	if len(e.Theirs) > 1 {
		theirs = FormatWire(e.Theirs[e.ClosestTheirs]) + " comes closest"
	}
	return fmt.Sprintf("%s; %s to our %s, differs in %s", msg, theirs, e.Ours[e.ClosestOurs], e.DiffersString())
}

// AnswerError is an answer to our offer that the protocol does not allow, whatever the algorithms are.
type AnswerError struct {
	Ours   []Proposal
	Answer []wire.Proposal
	Reason string
}

func (e *AnswerError) Error() string {
	return fmt.Sprintf("peer's choice of a proposal (%s) is invalid: %s", formatAll(e.Answer, FormatWire), e.Reason)
}
