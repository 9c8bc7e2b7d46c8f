package config

import (
	"cmp"
	"fmt"
	"slices"
)

// roll is a list of things with names of their own, in the order in which they came. What it has is never written to: a change makes
// another roll, for a copy of two lists of pointers.
type roll[T entry[T]] struct {
	order  []T
	sorted []T // by name
}

// entry is what can be on a roll.
type entry[T any] interface {
	comparable
	id() string
	// same reports whether another one of that name makes no difference.
	same(T) bool
}

// place is where a name is among the sorted, or would be.
func (r roll[T]) place(name string) (at int, ok bool) {
	return slices.BinarySearchFunc(r.sorted, name, func(x T, name string) int { return cmp.Compare(x.id(), name) })
}

func (r roll[T]) find(name string) (x T, ok bool) {
	if i, ok := r.place(name); ok {
		return r.sorted[i], true
	}
	return x, false
}

// ids are all names.
func (r roll[T]) ids() []string {
	out := make([]string, len(r.order))
	for i, x := range r.order {
		out[i] = x.id()
	}
	return out
}

// with puts a thing on, in the place of the one that has its name.
func (r roll[T]) with(x T) roll[T] {
	i, ok := r.place(x.id())
	if !ok {
		return roll[T]{order: append(slices.Clip(r.order), x), sorted: slices.Insert(slices.Clip(r.sorted), i, x)}
	}
	out := roll[T]{order: slices.Clone(r.order), sorted: slices.Clone(r.sorted)}
	out.order[slices.Index(out.order, r.sorted[i])], out.sorted[i] = x, x
	return out
}

// without takes the one with a name off.
func (r roll[T]) without(name string) (out roll[T], ok bool) {
	i, ok := r.place(name)
	if !ok {
		return r, false
	}
	j := slices.Index(r.order, r.sorted[i])
	return roll[T]{order: slices.Concat(r.order[:j], r.order[j+1:]), sorted: slices.Concat(r.sorted[:i], r.sorted[i+1:])}, true
}

// put changes one roll of l.
func put[T entry[T]](l *Loaded, of func(*Loaded) *roll[T], x T, most int, what string) (*Loaded, error) {
	out := *l.value()
	r := of(&out)
	if o, ok := r.find(x.id()); ok && x.same(o) {
		return l, nil
	} else if !ok && len(r.order) >= most {
		return l, fmt.Errorf("%d %s have been loaded; that is the most", most, what)
	}
	*r = r.with(x)
	return &out, nil
}

// drop changes one roll of l.
func drop[T entry[T]](l *Loaded, of func(*Loaded) *roll[T], name string) (*Loaded, bool) {
	out := *l.value()
	r := of(&out)
	var ok bool
	if *r, ok = r.without(name); !ok {
		return l, false
	}
	return &out, true
}
