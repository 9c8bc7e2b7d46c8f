package wire

import "encoding/binary"

// SA is the Security Association payload: proposals in order of preference
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.3).
type SA struct {
	Proposals []Proposal
}

// Proposal is one proposal of an SA payload
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.3.1).
type Proposal struct {
	Number     uint8
	Protocol   ProtocolID
	SPI        []byte // 4 octets for AH and ESP; none, or 8 when rekeying, for IKE
	Transforms []Transform
}

// Transform is one transform of a proposal
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.3.2).
type Transform struct {
	Type      TransformType
	ID        uint16
	KeyLength uint16 // in bits; 0: no Key Length attribute
	// Unknown says that the transform had an attribute that isn't understood, or
	// a Key Length that can't be meant. Such a transform must never be chosen, the
	// others of the proposal may be
	// (https://www.rfc-editor.org/rfc/rfc7296#section-3.3.6). The attribute
	// itself isn't kept, and Unknown has no effect on AppendBody.
	Unknown bool
}

// Type implements Payload.
func (*SA) Type() PayloadType { return PayloadSA }

// Lengths of the fixed parts, and the values of "Last Substruc" that say that
// another substructure follows: "2 (more) if there are more Proposal
// Substructures", "3 (more) if there are more Transform Substructures".
const (
	proposalHeaderLen  = 8
	transformHeaderLen = 8
	attributeHeaderLen = 4
	moreProposals      = 2
	moreTransforms     = 3
)

// attributeTV is the AF bit of an attribute: type and value, no length.
const attributeTV = 0x8000

// AppendBody implements Payload. It sets "Last Substruc" and every length and
// count. Of more than 255 transforms in a proposal the first 255 are sent, since
// their number is one octet: a shorter offer is a valid one.
func (p *SA) AppendBody(b []byte) []byte {
	for i, prop := range p.Proposals {
		b = appendProposal(b, prop, i == len(p.Proposals)-1)
	}
	return b
}

func appendProposal(b []byte, p Proposal, last bool) []byte {
	if len(p.SPI) > 0xff {
		panic("wire: BUG: SPI of more than 255 octets")
	}
	ts := p.Transforms[:min(len(p.Transforms), 0xff)]
	var more uint8
	if !last {
		more = moreProposals
	}
	start := len(b)
	b = append(b, more, 0, 0, 0, p.Number, uint8(p.Protocol), uint8(len(p.SPI)), uint8(len(ts)))
	b = append(b, p.SPI...)
	for i, t := range ts {
		b = appendTransform(b, t, i == len(ts)-1)
	}
	// At most 8+255+255*12 octets.
	binary.BigEndian.PutUint16(b[start+2:], uint16(len(b)-start))
	return b
}

func appendTransform(b []byte, t Transform, last bool) []byte {
	var more uint8
	if !last {
		more = moreTransforms
	}
	length := uint16(transformHeaderLen)
	if t.KeyLength != 0 {
		length += attributeHeaderLen
	}
	b = append(b, more, 0)
	b = binary.BigEndian.AppendUint16(b, length)
	b = append(b, uint8(t.Type), 0)
	b = binary.BigEndian.AppendUint16(b, t.ID)
	if t.KeyLength != 0 {
		b = binary.BigEndian.AppendUint16(b, attributeTV|KeyLengthAttribute)
		b = binary.BigEndian.AppendUint16(b, t.KeyLength)
	}
	return b
}

// parseSA parses the body of an SA payload: "an implementation MUST check that
// the total Payload Length is consistent with the payload's internal lengths and
// counts" (https://www.rfc-editor.org/rfc/rfc7296#section-3.3).
func parseSA(b []byte, base int) (*SA, error) {
	sa := &SA{}
	off, more, number := 0, true, uint8(0)
	for more {
		prop, length, another, err := parseProposal(b[off:], base+off)
		if err != nil {
			return nil, err
		}
		// "the first proposal in an SA payload MUST be 1, and subsequent proposals
		// MUST be one more than the previous proposal"; an answer repeats the number
		// of the one that was chosen. Numbers that don't grow would make such an
		// answer ambiguous; gaps do no harm.
		// https://www.rfc-editor.org/rfc/rfc7296#section-3.3.1
		if prop.Number <= number {
			return nil, malformed(PayloadSA, base+off+4, "proposal number %d after %d", prop.Number, number)
		}
		number = prop.Number
		sa.Proposals = append(sa.Proposals, prop)
		off += length
		more = another
	}
	if off != len(b) {
		return nil, malformed(PayloadSA, base+off, "%d octets after the last proposal", len(b)-off)
	}
	return sa, nil
}

// parseProposal parses the proposal at the start of b and gives its length and
// whether another follows.
func parseProposal(b []byte, base int) (p Proposal, length int, more bool, err error) {
	if len(b) < proposalHeaderLen {
		return p, 0, false, malformed(PayloadSA, base, "%d octets left, a proposal has at least %d", len(b), proposalHeaderLen)
	}
	// Last Substruc (1), RESERVED (1), Proposal Length (2), Proposal Num (1),
	// Protocol ID (1), SPI Size (1), Num Transforms (1), SPI (variable).
	if more, err = parseLastSubstruc(b[0], moreProposals, base); err != nil {
		return p, 0, false, err
	}
	length = int(binary.BigEndian.Uint16(b[2:]))
	spiSize, count := int(b[6]), int(b[7])
	if length < proposalHeaderLen+spiSize || length > len(b) {
		return p, 0, false, malformed(PayloadSA, base+2, "proposal length %d with an SPI of %d octets, %d octets left", length, spiSize, len(b))
	}
	p = Proposal{Number: b[4], Protocol: ProtocolID(b[5])}
	if !validSPISize(p.Protocol, spiSize) {
		return p, 0, false, malformed(PayloadSA, base+6, "SPI of %d octets for %s", spiSize, p.Protocol)
	}
	if spiSize > 0 {
		p.SPI = b[proposalHeaderLen : proposalHeaderLen+spiSize : proposalHeaderLen+spiSize]
	}
	off := proposalHeaderLen + spiSize
	// Every transform takes octets of the proposal, so that a count which can't be
	// true allocates nothing.
	if count*transformHeaderLen > length-off {
		return p, 0, false, malformed(PayloadSA, base+7, "%d transforms in %d octets", count, length-off)
	}
	if count > 0 {
		p.Transforms = make([]Transform, 0, count)
	}
	for i := range count {
		t, n, another, err := parseTransform(b[off:length], base+off)
		if err != nil {
			return p, 0, false, err
		}
		if another != (i < count-1) {
			return p, 0, false, malformed(PayloadSA, base+off, "transform %d of %d: wrong Last Substruc", i+1, count)
		}
		p.Transforms = append(p.Transforms, t)
		off += n
	}
	if off != length {
		return p, 0, false, malformed(PayloadSA, base+off, "%d octets after the last transform", length-off)
	}
	return p, length, more, nil
}

// validSPISize reports whether a proposal for the protocol can have an SPI of
// that many octets: "For an initial IKE SA negotiation, this field MUST be zero
// …  During subsequent negotiations, it is equal to the size, in octets, of the
// SPI of the corresponding protocol (8 for IKE, 4 for ESP and AH)"
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.3.1). Of other protocols
// nothing is known.
func validSPISize(p ProtocolID, size int) bool {
	switch p {
	case ProtocolIKE:
		return size == 0 || size == 8
	case ProtocolAH, ProtocolESP:
		return size == 4
	}
	return true
}

// parseLastSubstruc parses a "Last Substruc" field, which is zero or more.
func parseLastSubstruc(v, more uint8, offset int) (bool, error) {
	if v != 0 && v != more {
		return false, malformed(PayloadSA, offset, "Last Substruc is %d, neither 0 nor %d", v, more)
	}
	return v == more, nil
}

// parseTransform parses the transform at the start of b and gives its length and
// whether another follows.
func parseTransform(b []byte, base int) (t Transform, length int, more bool, err error) {
	if len(b) < transformHeaderLen {
		return t, 0, false, malformed(PayloadSA, base, "%d octets left, a transform has at least %d", len(b), transformHeaderLen)
	}
	// Last Substruc (1), RESERVED (1), Transform Length (2), Transform Type (1),
	// RESERVED (1), Transform ID (2), Transform Attributes (variable).
	if more, err = parseLastSubstruc(b[0], moreTransforms, base); err != nil {
		return t, 0, false, err
	}
	length = int(binary.BigEndian.Uint16(b[2:]))
	if length < transformHeaderLen || length > len(b) {
		return t, 0, false, malformed(PayloadSA, base+2, "transform length %d, %d octets left", length, len(b))
	}
	t = Transform{Type: TransformType(b[4]), ID: binary.BigEndian.Uint16(b[6:])}
	for off := transformHeaderLen; off < length; {
		n, err := parseAttribute(&t, b[off:length], base+off)
		if err != nil {
			return t, 0, false, err
		}
		off += n
	}
	return t, length, more, nil
}

// parseAttribute parses the attribute at the start of b into t and gives its
// length.
func parseAttribute(t *Transform, b []byte, base int) (int, error) {
	if len(b) < attributeHeaderLen {
		return 0, malformed(PayloadSA, base, "%d octets left, an attribute has at least %d", len(b), attributeHeaderLen)
	}
	// Attribute Format (1 bit), Attribute Type (15 bits), Attribute Value (2) or
	// Attribute Length (2), Attribute Value (variable).
	kind := binary.BigEndian.Uint16(b[0:])
	value := binary.BigEndian.Uint16(b[2:])
	if kind&attributeTV == 0 {
		length := attributeHeaderLen + int(value)
		if length > len(b) {
			return 0, malformed(PayloadSA, base+2, "attribute of %d octets, %d octets left", length, len(b))
		}
		// Key Length is defined in the short format only, so that this is an
		// attribute that isn't understood even if its type is 14.
		// https://www.rfc-editor.org/rfc/rfc7296#section-3.3.5
		t.Unknown = true
		return length, nil
	}
	if kind&^attributeTV != KeyLengthAttribute || value == 0 || t.KeyLength != 0 {
		t.Unknown = true
		return attributeHeaderLen, nil
	}
	t.KeyLength = value
	return attributeHeaderLen, nil
}
