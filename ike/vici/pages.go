package vici

import (
	"fmt"
	"slices"
)

// pageOctets bounds what the parts of an event take, such as the children of an IKE_SA, which come in several events where they
// are more. The rest is for the event's own values: a handful of texts of at most maxText each.
const pageOctets = MaxSegment - 16*maxText

// pages splits a list of parts so that those of each page fit an event. There is always one, which may be empty. A part that is
// too large by itself has a page of its own, see shorten.
func pages[T any](list []T, fill func(part *T, m *Message)) (out [][]T) {
	size, start := 0, 0
	for i := range list {
		m := new(Message)
		fill(&list[i], m)
		n := pageOctets
		if b, err := m.appendTo(nil, 0); err == nil {
			n = len(b) + MaxName
		}
		if size+n > pageOctets && i > start {
			out = append(out, list[start:i])
			size, start = 0, i
		}
		size += n
	}
	return append(out, list[start:])
}

// shortenings are the sizes that a message which is too long is cut to, in turn: items of a list, octets of a value.
func shortenings() [][2]int { return [][2]int{{1024, maxText}, {128, 1024}, {16, 256}, {2, 64}} }

// shorten cuts lists and values, in place. Of a list the number of items that are left out is its last item.
func (m *Message) shorten(items, octets int) {
	for i := range m.elems() {
		e := &m.elements[i]
		if !e.octets {
			e.Value = cut(e.Value, octets)
		}
		if n := len(e.List); n > items {
			e.List = append(slices.Clone(e.List[:items]), fmt.Sprintf("... %d more", n-items))
		}
		e.List = slices.Clone(e.List) // it may belong to whoever filled the message
		for j, v := range e.List {
			e.List[j] = cut(v, octets)
		}
		e.Section.shorten(items, octets)
	}
}
