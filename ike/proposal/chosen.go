package proposal

import "esplanade/ike/wire"

// Chosen is the outcome of a negotiation: one algorithm of each type.
type Chosen struct {
	Number   uint8 // of the proposal, as its sender numbered it
	Protocol wire.ProtocolID
	SPI      []byte         // of the peer: from its offer, or from its answer
	Encr     wire.Transform // with its key length
	PRF      uint16         // IKE only
	Integ    uint16         // AUTH_NONE with an AEAD
	KE       uint16         // KE_NONE if there is no key exchange
	ESN      uint16         // ESP only
	// AddKE are the additional key exchanges of RFC 9370, ADDKE1 first; KE_NONE where there is none. See Additional.
	AddKE [maxAdditional]uint16
	Ours  int // index into the proposals of ours

	// What the peer's proposal has decides what the answer must have, see Wire.
	hasIntegNone, hasKENone, lacksESN bool
	hasAddNone                        [maxAdditional]bool
}

// transforms are those of the answer.
func (c Chosen) transforms() []wire.Transform {
	ts := []wire.Transform{c.Encr}
	if c.Protocol == wire.ProtocolIKE {
		ts = append(ts, wire.Transform{Type: wire.TransformPRF, ID: c.PRF})
	}
	if c.Integ != wire.AUTH_NONE || c.hasIntegNone {
		ts = append(ts, wire.Transform{Type: wire.TransformINTEG, ID: c.Integ})
	}
	if c.KE != wire.KE_NONE || c.hasKENone {
		ts = append(ts, wire.Transform{Type: wire.TransformKE, ID: c.KE})
	}
	if c.Protocol != wire.ProtocolIKE && !c.lacksESN {
		ts = append(ts, wire.Transform{Type: wire.TransformESN, ID: c.ESN})
	}
	for i, typ := range additionalTypes {
		if c.AddKE[i] != wire.KE_NONE || c.hasAddNone[i] {
			ts = append(ts, wire.Transform{Type: typ, ID: c.AddKE[i]})
		}
	}
	return ts
}

// Wire returns the proposal of a responder's answer. The caller sets its SPI, which is the responder's.
//
// "The accepted cryptographic suite MUST contain exactly one transform of each type included in the proposal."
// https://www.rfc-editor.org/rfc/rfc7296#section-2.7
// So NONE is there if, and only if, the offer had that type.
//
// "The proposal number in the SA payload MUST match the number on the proposal sent that was accepted."
// https://www.rfc-editor.org/rfc/rfc7296#section-3.3.1
func (c Chosen) Wire() wire.Proposal {
	return wire.Proposal{Number: c.Number, Protocol: c.Protocol, Transforms: c.transforms()}
}

// String returns what was chosen as a proposal string.
func (c Chosen) String() string {
	c.hasIntegNone, c.hasKENone, c.lacksESN, c.hasAddNone = false, false, false, [maxAdditional]bool{}
	return format(c.Protocol, c.transforms())
}
