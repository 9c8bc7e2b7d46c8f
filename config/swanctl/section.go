package swanctl

import "esplanade/config/tree"

// section is a section as it is written: of one that is written several times what all of them say.
type section struct {
	name     string
	at       tree.Position // where it is written first
	comment  tree.Comment
	foot     []string // the comments at its end
	keys     ordered[*key]
	sections ordered[*section]
	refs     []reference
}

// key is a key with its value; nil is one that takes the key away.
type key struct {
	name        string
	at, valueAt tree.Position
	value       *string
	comment     tree.Comment
}

// reference is the path of a section to inherit from.
type reference struct {
	path []string
	at   tree.Position
}

// ordered are things with names, in the order in which they came first.
type ordered[T any] struct {
	list  []T
	index map[string]int
}

// get returns the thing of a name.
func (o *ordered[T]) get(name string) (T, bool) {
	i, ok := o.index[name]
	if !ok {
		var none T
		return none, false
	}
	return o.list[i], true
}

// set adds a thing, or replaces the one of its name in its place.
func (o *ordered[T]) set(name string, thing T) {
	if i, ok := o.index[name]; ok {
		o.list[i] = thing
		return
	}
	if o.index == nil {
		o.index = map[string]int{}
	}
	o.index[name] = len(o.list)
	o.list = append(o.list, thing)
}
