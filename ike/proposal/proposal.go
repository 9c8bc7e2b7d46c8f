package proposal

import (
	"slices"
	"strings"

	"esplanade/ike/wire"
)

// Proposal is a proposal of ours: for each transform type the algorithms that may be used, in order of preference. The
// transforms are sorted by type. Parse and Default make complete ones; others should not be made.
type Proposal struct {
	Protocol   wire.ProtocolID
	Transforms []wire.Transform
}

// of returns the transforms of a type, in order.
func of(ts []wire.Transform, typ wire.TransformType) []wire.Transform {
	var out []wire.Transform
	for _, t := range ts {
		if t.Type == typ {
			out = append(out, t)
		}
	}
	return out
}

// aead reports whether the encryption algorithms are AEADs. They all are or none is.
func (p Proposal) aead() bool {
	for _, t := range p.Transforms {
		if t.Type == wire.TransformENCR {
			return AEAD(t.ID)
		}
	}
	return false
}

// String returns the proposal string, with the canonical keywords and without what is implied: Parse gives back an
// equal Proposal.
func (p Proposal) String() string { return format(p.Protocol, p.Transforms) }

// Wire returns the proposal as it is sent in an SA payload. number counts from 1. spi is the sender's SPI: 4 octets for
// ESP, 8 when an IKE SA is rekeyed, none for a new IKE SA.
func (p Proposal) Wire(number uint8, spi []byte) wire.Proposal {
	return wire.Proposal{
		Number:     number,
		Protocol:   p.Protocol,
		SPI:        slices.Clone(spi),
		Transforms: slices.Clone(p.Transforms),
	}
}

// WithoutKE returns the proposal as it is offered in IKE_AUTH, whose CHILD SA has no key exchange of its own.
//
// The SA payloads of IKE_AUTH "cannot contain Transform Type 4 (Diffie-Hellman group) with any value other than NONE.
// Implementations SHOULD omit the whole transform substructure instead of sending value NONE."
// https://www.rfc-editor.org/rfc/rfc7296#section-1.2
func (p Proposal) WithoutKE() Proposal {
	p.Transforms = slices.DeleteFunc(slices.Clone(p.Transforms), func(t wire.Transform) bool { return t.Type.IsKE() })
	return p
}

// maxFormatted is the number of transforms of one proposal that FormatWire shows.
const maxFormatted = 24

// FormatWire returns what a peer sent in the notation of proposal strings. What has no keyword appears by its IANA name,
// what is not in the registry as "encr_1234". The result is for reading and is not meant for Parse.
func FormatWire(p wire.Proposal) string {
	if len(p.Transforms) == 0 {
		return "(no transforms)"
	}
	if len(p.Transforms) > maxFormatted {
		return format(p.Protocol, p.Transforms[:maxFormatted]) + "-…"
	}
	return format(p.Protocol, p.Transforms)
}

// format writes encryption, integrity, PRF, key exchange with the additional ones, sequence numbers, then any other type.
func format(protocol wire.ProtocolID, ts []wire.Transform) string {
	var words []string
	add := func(ts []wire.Transform) {
		for _, t := range ts {
			words = append(words, formatTransform(t))
		}
	}
	integ := of(ts, wire.TransformINTEG)
	prf := of(ts, wire.TransformPRF)
	esn := of(ts, wire.TransformESN)

	add(of(ts, wire.TransformENCR))
	add(integ)
	if !slices.Equal(prf, impliedPRFs(integ)) {
		add(prf)
	}
	add(of(ts, wire.TransformKE))
	for _, typ := range additionalTypes {
		add(of(ts, typ))
	}
	if protocol != wire.ProtocolESP || !slices.Equal(esn, impliedESN()) {
		add(esn)
	}
	for _, t := range ts {
		if (t.Type > wire.TransformESN || t.Type < wire.TransformENCR) && !isAdditional(t.Type) {
			add([]wire.Transform{t})
		}
	}
	return strings.Join(words, "-")
}

func formatTransform(t wire.Transform) string {
	if name, ok := wordFor(t); ok {
		return name
	}
	if strings.ContainsRune(wire.TransformName(t.Type, t.ID), ' ') {
		return strings.ReplaceAll(strings.ToLower(transformName(t)), " ", "_")
	}
	prefix := ""
	switch {
	case t.Type == wire.TransformINTEG && t.ID == wire.AUTH_NONE:
		prefix = "INTEG_" // or else it would look like the key exchange "none"
	case t.Type > wire.TransformESN:
		prefix = t.Type.String() + "_"
	}
	return prefix + transformName(t)
}

// transformName is the name in the words of the registry, with what makes a transform of a peer unusable.
func transformName(t wire.Transform) string {
	name := t.String()
	if t.Type == wire.TransformENCR && t.KeyLength == 0 && needsKeyLength(t.ID) {
		name += " (no key length)"
	}
	return name
}

// impliedPRFs returns the PRFs that stand for these integrity algorithms, or nil if one has none.
func impliedPRFs(integ []wire.Transform) []wire.Transform {
	var out []wire.Transform
	for _, t := range integ {
		id := impliedPRF(t.ID)
		if id == 0 {
			return nil
		}
		out = append(out, wire.Transform{Type: wire.TransformPRF, ID: id})
	}
	return out
}

// impliedESN is what a string without esn or noesn means.
func impliedESN() []wire.Transform {
	return []wire.Transform{{Type: wire.TransformESN, ID: wire.ESN_NONE}}
}
