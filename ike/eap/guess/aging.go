package guess

import (
	"container/heap"
	"time"
)

// aging is a bounded number of things, each of which is forgotten at a time of its own. While there is no room the one that would be forgotten
// first goes: of wrong passwords that is whoever has fewest and oldest, so that names which are made up do not push out a name that is guessed.
type aging[K comparable, V any] struct {
	most  int
	byKey map[K]*aged[K, V]
	order ages[K, V]
}

// aged is one of them.
type aged[K comparable, V any] struct {
	key   K
	v     V
	until time.Time
	place int // in order
}

func newAging[K comparable, V any](most int) *aging[K, V] {
	return &aging[K, V]{most: most, byKey: map[K]*aged[K, V]{}}
}

// find finds something that is not forgotten; nil if there is none.
func (a *aging[K, V]) find(now time.Time, key K) *aged[K, V] {
	if x := a.byKey[key]; x != nil && now.Before(x.until) {
		return x
	}
	return nil
}

// keep has something known until a time, and makes it if it is not there.
func (a *aging[K, V]) keep(now time.Time, key K, until time.Time) *aged[K, V] {
	for len(a.order) > 0 && !now.Before(a.order[0].until) {
		a.drop(a.order[0])
	}
	x := a.byKey[key]
	if x == nil {
		if len(a.order) >= a.most {
			a.drop(a.order[0])
		}
		x = &aged[K, V]{key: key, until: until}
		a.byKey[key] = x
		heap.Push(&a.order, x)
		return x
	}
	x.until = until
	heap.Fix(&a.order, x.place)
	return x
}

// drop forgets something.
func (a *aging[K, V]) drop(x *aged[K, V]) {
	heap.Remove(&a.order, x.place)
	delete(a.byKey, x.key)
}

// ages is a heap: the one to be forgotten first comes first.
type ages[K comparable, V any] []*aged[K, V]

// Len implements heap.Interface.
func (o ages[K, V]) Len() int { return len(o) }

// Less implements heap.Interface.
func (o ages[K, V]) Less(i, j int) bool { return o[i].until.Before(o[j].until) }

// Swap implements heap.Interface.
func (o ages[K, V]) Swap(i, j int) {
	o[i], o[j] = o[j], o[i]
	o[i].place, o[j].place = i, j
}

// Push implements heap.Interface.
func (o *ages[K, V]) Push(x any) {
	n := x.(*aged[K, V])
	n.place = len(*o)
	*o = append(*o, n)
}

// Pop implements heap.Interface.
func (o *ages[K, V]) Pop() any {
	last := len(*o) - 1
	x := (*o)[last]
	(*o)[last] = nil
	*o = (*o)[:last]
	return x
}
