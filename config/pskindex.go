package config

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"esplanade/ike/identity"
)

// pskIndex finds the pre-shared keys that may fit two identities without going through all of them. It is never changed, and to make one with
// a key more costs the copy of one bucket; the zero value has none.
type pskIndex struct {
	// buckets have each key under the identities that it names, by a hash of these, each sorted; those of one identity are in order. nil: there
	// are none.
	buckets *[pskBuckets][]pskEntry
	// wide are the keys that name nobody, or have a pattern, in order.
	wide []*IKESecret
}

// pskBuckets is how many parts the keys are in: with ten thousand of them each is as long as this list.
const pskBuckets = 128

// bucketOf is FNV-1a, of 32 bits.
func bucketOf(id string) uint32 {
	h := uint32(2166136261)
	for i := range len(id) {
		h = (h ^ uint32(id[i])) * 16777619
	}
	return h % pskBuckets
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
	if len(list) == 0 {
		return x
	}
	x.buckets = new([pskBuckets][]pskEntry)
	for i, s := range list {
		s.order = i
		x.wide = append(x.wide, s.wide()...)
		for _, e := range s.entries() {
			b := &x.buckets[bucketOf(e.id)]
			*b = append(*b, e)
		}
	}
	for _, b := range x.buckets {
		slices.SortFunc(b, comparePSKs)
	}
	return x
}

// entries are the places of a key in the buckets, each once.
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
	out := x.copied()
	for _, e := range s.entries() {
		b := &out.buckets[bucketOf(e.id)]
		i, _ := slices.BinarySearchFunc(*b, e, comparePSKs)
		*b = slices.Insert(slices.Clip(*b), i, e)
	}
	for _, w := range s.wide() {
		i, _ := slices.BinarySearchFunc(out.wide, w, func(a, b *IKESecret) int { return cmp.Compare(a.order, b.order) })
		out.wide = slices.Insert(slices.Clip(out.wide), i, w)
	}
	return out
}

// copied is an index whose buckets can be replaced.
func (x pskIndex) copied() pskIndex {
	out := pskIndex{buckets: new([pskBuckets][]pskEntry), wide: x.wide}
	if x.buckets != nil {
		*out.buckets = *x.buckets
	}
	return out
}

// find are the keys under an identity, in order.
func (x pskIndex) find(id string) iter.Seq[*IKESecret] {
	return func(yield func(*IKESecret) bool) {
		if x.buckets == nil {
			return
		}
		b := x.buckets[bucketOf(id)]
		i, _ := slices.BinarySearchFunc(b, id, func(e pskEntry, id string) int { return cmp.Compare(e.id, id) })
		for ; i < len(b) && b[i].id == id; i++ {
			if !yield(b[i].s) {
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
