package proposal

import (
	"fmt"
	"slices"

	"esplanade/ike/wire"
)

// match compares one proposal of each side. It returns what both allow, or everything in which they differ.
func match(ours Proposal, theirs wire.Proposal, o Options) (Chosen, []Difference) {
	m := matcher{ours: ours, theirs: theirs}
	m.c = Chosen{Number: theirs.Number, Protocol: theirs.Protocol, SPI: slices.Clone(theirs.SPI)}
	if ours.Protocol != theirs.Protocol {
		m.differs = append(m.differs, Difference{
			Reason: fmt.Sprintf("the protocol: we want %v, peer has %v", ours.Protocol, theirs.Protocol),
		})
		return Chosen{}, m.differs
	}
	m.c.Encr = m.one(wire.TransformENCR)
	if ours.Protocol == wire.ProtocolIKE {
		m.c.PRF = m.one(wire.TransformPRF).ID
	}
	m.integ()
	if o.IgnoreKE {
		// Groups should not be there and do not count, but NONE may be there, and is then part of the answer.
		m.c.hasKENone = slices.Contains(m.theirs.Transforms, wire.Transform{Type: wire.TransformKE, ID: wire.KE_NONE})
	} else {
		m.ke(o.PreferKE)
	}
	m.additional(o)
	if ours.Protocol != wire.ProtocolIKE {
		m.esn()
	}
	m.strangers(o)
	m.spi()
	if len(m.differs) > 0 {
		return Chosen{}, m.differs
	}
	return m.c, nil
}

// matcher is the state of match.
type matcher struct {
	ours    Proposal
	theirs  wire.Proposal
	c       Chosen
	differs []Difference
}

func (m *matcher) sides(typ wire.TransformType) (want, have []wire.Transform) {
	return of(m.ours.Transforms, typ), of(m.theirs.Transforms, typ)
}

func (m *matcher) differ(typ wire.TransformType, want, have []wire.Transform) {
	m.differs = append(m.differs, Difference{Type: typ, Want: names(want), Have: names(have)})
}

// pick returns the first of want that is in have.
//
// "If the responder receives a transform that it does not understand, or one that contains a Transform Attribute it
// does not understand, it MUST consider this transform unacceptable; other transforms with the same Transform Type are
// processed as usual." https://www.rfc-editor.org/rfc/rfc7296#section-3.3.6
// A key length must be equal, which a missing one is not.
func pick(want, have []wire.Transform) (wire.Transform, bool) {
	for _, w := range want {
		// A w has no Unknown, so those of have that do are not equal to it.
		if slices.Contains(have, w) {
			return w, true
		}
	}
	return wire.Transform{}, false
}

// one handles a type that both sides must have.
func (m *matcher) one(typ wire.TransformType) wire.Transform {
	want, have := m.sides(typ)
	t, ok := pick(want, have)
	if !ok {
		m.differ(typ, want, have)
	}
	return t
}

// integ handles integrity algorithms: none, or NONE, with AEADs, a real one otherwise.
func (m *matcher) integ() {
	if !m.ours.aead() {
		m.c.Integ = m.one(wire.TransformINTEG).ID
		return
	}
	_, have := m.sides(wire.TransformINTEG)
	none := wire.Transform{Type: wire.TransformINTEG, ID: wire.AUTH_NONE}
	m.c.hasIntegNone = slices.Contains(have, none)
	if len(have) > 0 && !m.c.hasIntegNone {
		m.differ(wire.TransformINTEG, []wire.Transform{none}, have)
	}
}

// ke handles key exchange methods. Only ESP can do without: NONE among others makes the exchange optional, and "a
// proposal MAY omit the optional types if the only value for them it will accept is NONE."
// https://www.rfc-editor.org/rfc/rfc7296#section-3.3.3
func (m *matcher) ke(prefer uint16) {
	none := []wire.Transform{{Type: wire.TransformKE, ID: wire.KE_NONE}}
	want, have := m.sides(wire.TransformKE)
	m.c.hasKENone = len(have) > 0
	if m.ours.Protocol != wire.ProtocolIKE {
		if len(want) == 0 {
			want = none
		}
		if len(have) == 0 {
			have = none
		}
	}
	if prefer != wire.KE_NONE {
		want = slices.DeleteFunc(slices.Clone(want), func(t wire.Transform) bool { return t.ID != prefer })
	}
	t, ok := pick(want, have)
	if !ok {
		m.differ(wire.TransformKE, want, have)
	}
	m.c.KE = t.ID
	m.c.hasKENone = m.c.hasKENone && t.ID == wire.KE_NONE
}

// esn handles extended sequence numbers. The type is mandatory, but peers exist that omit it and mean 32-bit numbers.
func (m *matcher) esn() {
	want, have := m.sides(wire.TransformESN)
	m.c.lacksESN = len(have) == 0
	if m.c.lacksESN {
		have = impliedESN()
	}
	t, ok := pick(want, have)
	if !ok {
		m.differ(wire.TransformESN, want, have)
	}
	m.c.ESN = t.ID
}

// strangers handles transform types that do not belong in the proposal or are not understood.
//
// "If the responder receives a proposal that contains a Transform Type it does not understand, or a proposal that is
// missing a mandatory Transform Type, it MUST consider this proposal unacceptable".
// https://www.rfc-editor.org/rfc/rfc7296#section-3.3.6
func (m *matcher) strangers(o Options) {
	var seen []wire.TransformType
	for _, t := range m.theirs.Transforms {
		known := usable(m.ours.Protocol, wire.Transform{Type: t.Type, ID: ^uint16(0)}) && t.Type >= wire.TransformENCR &&
			(t.Type <= wire.TransformESN || isAdditional(t.Type))
		if known || o.IgnoreKE && t.Type.IsKE() || slices.Contains(seen, t.Type) {
			continue
		}
		seen = append(seen, t.Type)
		m.differs = append(m.differs, Difference{
			Type:   t.Type,
			Have:   names(of(m.theirs.Transforms, t.Type)),
			Reason: fmt.Sprintf("an %v proposal of ours cannot have transforms of this type", m.ours.Protocol),
		})
	}
}

const (
	ikeSPILen = 8
	espSPILen = 4
)

// spi checks the peer's SPI. That of a new IKE SA is in the IKE header instead.
// https://www.rfc-editor.org/rfc/rfc7296#section-3.3.1
func (m *matcher) spi() {
	n := len(m.theirs.SPI)
	zero := n > 0 && !slices.ContainsFunc(m.theirs.SPI, func(b byte) bool { return b != 0 })
	ok, want := n == espSPILen, "4"
	if m.ours.Protocol == wire.ProtocolIKE {
		ok, want = n == 0 || n == ikeSPILen, "0 or 8"
	}
	switch {
	case !ok:
		m.differs = append(m.differs, Difference{
			Reason: fmt.Sprintf("the SPI: must have %s octets, peer's has %d", want, n),
		})
	case zero:
		m.differs = append(m.differs, Difference{Reason: "the SPI: must not be zero, peer's is"})
	}
}

// maxNames bounds how many algorithms of a peer a Difference holds.
const maxNames = 16

func names(ts []wire.Transform) []string {
	var out []string
	for _, t := range ts {
		if len(out) == maxNames {
			return append(out, "…")
		}
		if n := transformName(t); !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}
