package config

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"esplanade/ike/identity"
)

// pskIndex finds the pre-shared keys that may fit two identities without going through all of them. It is never changed; the zero value has
// none.
type pskIndex struct {
	// byID has each key under the identities that it names, sorted by these; those of one identity are in order.
	byID []pskEntry
	// wide are the keys that name nobody, or have a pattern, in order.
	wide []*IKESecret
}

type pskEntry struct {
	id string // namedEntry or aloneEntry, and identity.Identity.Key
	s  *IKESecret
}

// Each identity that a key names has an entry as namedEntry. One that is the only one has another as aloneEntry.
const namedEntry, aloneEntry = "n", "a"

func comparePSKs(a, b pskEntry) int {
	return cmp.Or(cmp.Compare(a.id, b.id), cmp.Compare(a.s.order, b.s.order))
}

// newPSKIndex makes an index of keys, and numbers them in their order.
func newPSKIndex(list []*IKESecret) (x pskIndex) {
	for i, s := range list {
		s.order = i
		x.wide = append(x.wide, s.wide()...)
		x.byID = append(x.byID, s.entries()...)
	}
	slices.SortFunc(x.byID, comparePSKs)
	return x
}

// entries are the places of a key in byID, each once.
func (s *IKESecret) entries() (out []pskEntry) {
	for _, id := range s.IDs {
		if id.Concrete() {
			out = append(out, pskEntry{namedEntry + id.Key(), s})
		}
	}
	slices.SortFunc(out, comparePSKs)
	if out = slices.Compact(out); len(out) == 1 {
		out = append(out, pskEntry{aloneEntry + strings.TrimPrefix(out[0].id, namedEntry), s})
	}
	return out
}

// wide is the key if it is one of [pskIndex].wide.
func (s *IKESecret) wide() []*IKESecret {
	if len(s.IDs) == 0 || slices.ContainsFunc(s.IDs, func(id identity.Identity) bool { return !id.Concrete() }) {
		return []*IKESecret{s}
	}
	return nil
}

// with has another key in addition.
func (x pskIndex) with(s *IKESecret) pskIndex {
	out := pskIndex{byID: x.byID, wide: x.wide}
	for _, e := range s.entries() {
		i, _ := slices.BinarySearchFunc(out.byID, e, comparePSKs)
		out.byID = slices.Insert(slices.Clip(out.byID), i, e)
	}
	for _, w := range s.wide() {
		i, _ := slices.BinarySearchFunc(out.wide, w, func(a, b *IKESecret) int { return cmp.Compare(a.order, b.order) })
		out.wide = slices.Insert(slices.Clip(out.wide), i, w)
	}
	return out
}

// without has a key no more.
func (x pskIndex) without(s *IKESecret) pskIndex {
	out := pskIndex{byID: x.byID, wide: x.wide}
	for _, e := range s.entries() {
		if i, ok := slices.BinarySearchFunc(out.byID, e, comparePSKs); ok {
			out.byID = slices.Concat(out.byID[:i], out.byID[i+1:])
		}
	}
	for range s.wide() {
		if i := slices.Index(out.wide, s); i >= 0 {
			out.wide = slices.Concat(out.wide[:i], out.wide[i+1:])
		}
	}
	return out
}

// find are the keys under an identity, in order.
func (x pskIndex) find(id string) iter.Seq[*IKESecret] {
	return func(yield func(*IKESecret) bool) {
		i, _ := slices.BinarySearchFunc(x.byID, id, func(e pskEntry, id string) int { return cmp.Compare(e.id, id) })
		for ; i < len(x.byID) && x.byID[i].id == id; i++ {
			if !yield(x.byID[i].s) {
				return
			}
		}
	}
}

// best finds the key that fits two identities best and, among equals, is the first. It looks at those that name the peer, at those that name
// this side and nobody else, and at the wide ones: no other fits.
func (x pskIndex) best(local, remote identity.Identity) (found *IKESecret) {
	top := -1
	for _, list := range []iter.Seq[*IKESecret]{x.find(namedEntry + remote.Key()), x.find(aloneEntry + local.Key()), slices.Values(x.wide)} {
		for s := range list {
			if n, ok := s.fit(local, remote); ok && (n > top || n == top && s.order < found.order) {
				found, top = s, n
			}
		}
	}
	return found
}
