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

// carry makes a roll that goes with another one: what was made of a thing that is still there stays, and fresh makes the rest. made goes with
// was. Those that stay are found by comparing pointers.
func carry[A entry[A], B entry[B]](now, was roll[A], made roll[B], fresh func(A) B) (out roll[B]) {
	out = roll[B]{order: make([]B, len(now.order)), sorted: make([]B, len(now.sorted))}
	j := 0
	for i, x := range now.sorted {
		for j < len(was.sorted) && was.sorted[j] != x && was.sorted[j].id() < x.id() {
			j++
		}
		if j < len(was.sorted) && was.sorted[j] == x {
			out.sorted[i] = made.sorted[j]
			j++
			continue
		}
		out.sorted[i] = fresh(x)
	}
	j = 0
	for i, x := range now.order {
		for j < len(was.order) && was.order[j] != x && !now.has(was.order[j]) {
			j++
		}
		if j < len(was.order) && was.order[j] == x {
			out.order[i] = made.order[j]
			j++
			continue
		}
		k, _ := now.place(x.id())
		out.order[i] = out.sorted[k]
	}
	return out
}

// has reports whether this very thing is on the roll.
func (r roll[T]) has(x T) bool {
	y, ok := r.find(x.id())
	return ok && x == y
}

// renewed is a roll with other things in the places of those that there are, which have the same names.
func renewed[T entry[T]](r roll[T], other func(T) T) roll[T] {
	out := roll[T]{order: make([]T, len(r.order)), sorted: make([]T, len(r.sorted))}
	by := map[T]T{}
	for i, x := range r.sorted {
		out.sorted[i] = other(x)
		by[x] = out.sorted[i]
	}
	for i, x := range r.order {
		out.order[i] = by[x]
	}
	return out
}

// since are the things that were not there before, and those that are no more; one that took another's place is in both.
func (r roll[T]) since(was roll[T]) (fresh, gone []T) {
	i := 0
	for _, x := range r.sorted {
		for i < len(was.sorted) && was.sorted[i] != x && was.sorted[i].id() <= x.id() {
			gone = append(gone, was.sorted[i])
			i++
		}
		if i < len(was.sorted) && was.sorted[i] == x {
			i++
			continue
		}
		fresh = append(fresh, x)
	}
	return fresh, append(gone, was.sorted[i:]...)
}

// keptIn is fresh with those things of r in addition that are to stay and that fresh does not have.
func keptIn[T entry[T]](r, fresh roll[T], stays func(T) bool) roll[T] {
	var more []T
	for _, x := range r.order {
		if _, ok := fresh.place(x.id()); !ok && stays(x) {
			more = append(more, x)
		}
	}
	if len(more) == 0 {
		return fresh
	}
	if len(more) == len(r.order) && len(fresh.order) == 0 {
		return r
	}
	out := roll[T]{order: slices.Concat(fresh.order, more), sorted: slices.Concat(fresh.sorted, more)}
	slices.SortFunc(out.sorted, func(a, b T) int { return cmp.Compare(a.id(), b.id()) })
	return out
}
