package proposal

import (
	"fmt"
	"slices"
	"strings"

	"esplanade/ike/wire"
)

// Additional key exchanges, RFC 9370: up to seven that follow the one of transform type 4, in the order of their types.
// In a proposal string the keyword of the method has a prefix, ke1_ to ke7_: x25519-ke1_mlkem768. Several methods for one
// number are alternatives, and "none" among them makes the exchange optional:
//
//	"aes256gcm16-prfsha384-x25519-ke1_mlkem1024-ke1_mlkem768-ke1_none"
//
// The numbers need not be consecutive: a number that is left out counts as NONE.
// https://www.rfc-editor.org/rfc/rfc9370#section-2.2.1
const maxAdditional = 7

// additionalTypes are the transform types, in the order in which the exchanges are made.
var additionalTypes = [maxAdditional]wire.TransformType{
	wire.TransformADDKE1, wire.TransformADDKE2, wire.TransformADDKE3, wire.TransformADDKE4,
	wire.TransformADDKE5, wire.TransformADDKE6, wire.TransformADDKE7,
}

func isAdditional(t wire.TransformType) bool { return t.IsKE() && t != wire.TransformKE }

// additionalPrefix is "ke1_" for ADDKE1.
func additionalPrefix(t wire.TransformType) string {
	return fmt.Sprintf("ke%d_", t-wire.TransformADDKE1+1)
}

// kems are methods that are only used as additional key exchanges: their public values do not fit an IKE_SA_INIT message,
// which cannot be fragmented, and they are meant to be combined with a classic one.
func kems() []word {
	return []word{
		plain(wire.TransformKE, "mlkem768", wire.KE_ML_KEM_768),
		plain(wire.TransformKE, "mlkem1024", wire.KE_ML_KEM_1024),
	}
}

func isKEM(tok string) bool {
	return slices.ContainsFunc(kems(), func(w word) bool { return w.name == tok })
}

// additional returns the words for additional key exchanges: every method of type 4, NONE and the KEMs, with each prefix.
func additional() []word {
	var methods, out []word
	for _, w := range slices.Concat(kems(), implemented()) {
		if w.t.Type == wire.TransformKE {
			methods = append(methods, w)
		}
	}
	for _, typ := range additionalTypes {
		for _, w := range methods {
			out = append(out, word{additionalPrefix(typ) + w.name, wire.Transform{Type: typ, ID: w.t.ID}})
		}
	}
	return out
}

// additionalWord is the word for an additional key exchange, also of a method that only a peer has.
func additionalWord(t wire.Transform) (string, bool) {
	if t.Unknown || t.KeyLength != 0 {
		return "", false
	}
	for _, w := range slices.Concat(implemented(), kems(), foreign()) {
		if w.t.Type == wire.TransformKE && w.t.ID == t.ID {
			return additionalPrefix(t.Type) + w.name, true
		}
	}
	return "", false
}

// cutAdditional takes "ke1_mlkem768" apart.
func cutAdditional(tok string) (prefix, method string, ok bool) {
	for _, typ := range additionalTypes {
		if p := additionalPrefix(typ); strings.HasPrefix(tok, p) {
			return p, tok[len(p):], true
		}
	}
	return "", "", false
}

// unknownAdditional explains a word with the prefix of an additional key exchange and a method that there is not.
func unknownAdditional(prefix, method string) string {
	if t, ok := find(foreign(), method); ok && t.Type == wire.TransformKE {
		return fmt.Sprintf("%s%s (%s) is not supported; use %smlkem768 or %smlkem1024", prefix, method, transformName(t), prefix, prefix)
	}
	msg := fmt.Sprintf("%q is not the keyword of a key exchange method", method)
	best, bestAt := "", max(1, len(method)/4)+1
	for _, w := range additional() {
		if name, ok := strings.CutPrefix(w.name, prefix); ok && distance(method, name) < bestAt {
			best, bestAt = w.name, distance(method, name)
		}
	}
	if best != "" {
		msg += "; did you mean " + best + "?"
	}
	return msg
}

// additionalFit tells what is wrong with the additional key exchanges of a proposal string, or "".
func (p Proposal) additionalFit() string {
	var lists [][]uint16
	for _, typ := range additionalTypes {
		ts := of(p.Transforms, typ)
		if len(ts) == 0 {
			continue
		}
		if len(of(p.Transforms, wire.TransformKE)) == 0 {
			return fmt.Sprintf("%s is an additional key exchange, and there is no first one; add one, such as x25519", formatTransform(ts[0]))
		}
		lists = append(lists, ids(ts))
	}
	if _, ok := distinct(lists); !ok {
		return "has the same method for several of its additional key exchanges, and no other to choose; " +
			"one method may be used once only"
	}
	return ""
}

// HasAdditional reports whether one of the proposals has a type for additional key exchanges, be it NONE.
func HasAdditional(ps []Proposal) bool {
	return slices.ContainsFunc(ps, func(p Proposal) bool { return hasAdditional(p.Transforms) })
}

// HasAdditional reports whether the proposal, as it is answered, has a type for additional key exchanges, be it NONE.
func (c Chosen) HasAdditional() bool { return hasAdditional(c.Wire().Transforms) }

// Additional returns the methods of the additional key exchanges that were chosen, in the order in which they are made.
func (c Chosen) Additional() []uint16 {
	return slices.DeleteFunc(slices.Clone(c.AddKE[:]), func(id uint16) bool { return id == wire.KE_NONE })
}

// additional handles the types ADDKE1 to ADDKE7. "[T]he responder's choice MUST NOT contain duplicated algorithms …
// except for the Transform ID of NONE." https://www.rfc-editor.org/rfc/rfc9370#section-2.2.1
//
// An answer that leaves out a type for which NONE was offered is taken as NONE: peers that do not know these types ignore
// the transforms.
func (m *matcher) additional(o Options) {
	if !hasAdditional(m.ours.Transforms) && !hasAdditional(m.theirs.Transforms) {
		return // as most have it: all of them are NONE
	}
	none := []wire.Transform{{ID: wire.KE_NONE}}
	lists := make([][]uint16, maxAdditional)
	differs := len(m.differs)
	// Without a first key exchange there is no additional one: KEYMAT has SK(0) before the nonces.
	first := m.ours.Protocol == wire.ProtocolIKE || m.c.KE != wire.KE_NONE ||
		slices.ContainsFunc(m.differs, func(d Difference) bool { return d.Type == wire.TransformKE })
	for i, typ := range additionalTypes {
		want, have := m.sides(typ)
		m.c.hasAddNone[i] = len(have) > 0
		if o.IgnoreKE {
			m.c.hasAddNone[i] = slices.ContainsFunc(have, func(t wire.Transform) bool { return t.ID == wire.KE_NONE })
			continue
		}
		if len(want) == 0 {
			want = none
		}
		if len(have) == 0 {
			have = none
		}
		theirs := ids(have)
		lists[i] = slices.DeleteFunc(ids(want), func(id uint16) bool {
			return !slices.Contains(theirs, id) || id != wire.KE_NONE && (o.NoAdditional || !first)
		})
		if len(lists[i]) == 0 {
			d := Difference{Type: typ, Want: names(typed(want, typ)), Have: names(typed(have, typ))}
			switch {
			case o.NoAdditional:
				d.Reason = "it does not support the IKE_INTERMEDIATE exchange (RFC 9242), which we need for " + strings.Join(d.Want, " or ")
			case !first:
				d.Reason = "without a first key exchange there is no additional one"
			}
			m.differs = append(m.differs, d)
		}
	}
	if o.IgnoreKE || len(m.differs) > differs {
		return
	}
	chosen, ok := distinct(lists)
	if !ok {
		m.differs = append(m.differs, Difference{
			Type: wire.TransformADDKE1, Have: names(allAdditional(m.theirs.Transforms)),
			Reason: "what both sides allow has the same method for several of the additional key exchanges",
		})
		return
	}
	for i, id := range chosen {
		m.c.AddKE[i] = id
		m.c.hasAddNone[i] = m.c.hasAddNone[i] && id == wire.KE_NONE
	}
}

// ids returns the transform IDs of those transforms that have no attribute: methods of key exchange have none.
func ids(ts []wire.Transform) []uint16 {
	var out []uint16
	for _, t := range ts {
		if !t.Unknown && t.KeyLength == 0 {
			out = append(out, t.ID)
		}
	}
	return out
}

func typed(ts []wire.Transform, typ wire.TransformType) []wire.Transform {
	out := slices.Clone(ts)
	for i := range out {
		out[i].Type = typ
	}
	return out
}

func hasAdditional(ts []wire.Transform) bool {
	return slices.ContainsFunc(ts, func(t wire.Transform) bool { return isAdditional(t.Type) })
}

func allAdditional(ts []wire.Transform) []wire.Transform {
	return slices.DeleteFunc(slices.Clone(ts), func(t wire.Transform) bool { return !isAdditional(t.Type) })
}

// repeated returns a method that transforms have for more than one additional key exchange.
func repeated(ts []wire.Transform) (uint16, bool) {
	var seen []uint16
	for _, t := range allAdditional(ts) {
		if t.ID != wire.KE_NONE && slices.Contains(seen, t.ID) {
			return t.ID, true
		}
		seen = append(seen, t.ID)
	}
	return 0, false
}

// distinct picks one of each list so that nothing but NONE is picked twice: the earliest of the first list with which that
// is possible, then of the second, and so on. ok is false when there is no such choice.
func distinct(lists [][]uint16) (chosen []uint16, ok bool) {
	for i, list := range lists {
		found := false
		for _, id := range list {
			if id != wire.KE_NONE && slices.Contains(chosen, id) {
				continue
			}
			if completes(append(slices.Clone(chosen), id), lists[i+1:]) {
				chosen, found = append(chosen, id), true
				break
			}
		}
		if !found {
			return nil, false
		}
	}
	return chosen, true
}

// completes reports whether each of the lists can have a method of its own that is not among those taken: a matching in a
// bipartite graph, grown one augmenting path at a time, so that no offer of a peer makes it slow.
func completes(taken []uint16, lists [][]uint16) bool {
	owner := map[uint16]int{} // of a method, the list that has it
	var grow func(i int, tried map[uint16]bool) bool
	grow = func(i int, tried map[uint16]bool) bool {
		for _, id := range lists[i] {
			if id == wire.KE_NONE {
				return true
			}
			if tried[id] || slices.Contains(taken, id) {
				continue
			}
			tried[id] = true
			if j, ok := owner[id]; !ok || grow(j, tried) {
				owner[id] = i
				return true
			}
		}
		return false
	}
	for i := range lists {
		if !grow(i, map[uint16]bool{}) {
			return false
		}
	}
	return true
}
