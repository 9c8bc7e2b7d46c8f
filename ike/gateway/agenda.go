package gateway

import (
	"container/heap"
	"time"
)

// slot is the place of something in an agenda. What can be in one embeds it.
type slot struct {
	at    time.Time // when it is due, zero for never
	place int       // in the heap, counted from 1; 0 when not in it
}

func (s *slot) slotOf() *slot { return s }

// agenda orders things by when they are due.
type agenda[T interface{ slotOf() *slot }] struct{ heap slots[T] }

// set puts a thing under a time, or takes it out when that is zero, which stands for never.
func (a *agenda[T]) set(x T, at time.Time) {
	s := x.slotOf()
	s.at = at
	switch {
	case at.IsZero() && s.place > 0:
		heap.Remove(&a.heap, s.place-1)
	case at.IsZero():
	case s.place > 0:
		heap.Fix(&a.heap, s.place-1)
	default:
		heap.Push(&a.heap, x)
	}
}

func (a *agenda[T]) len() int { return len(a.heap) }

// next is when the first thing is due, zero for never.
func (a *agenda[T]) next() time.Time {
	if len(a.heap) == 0 {
		return time.Time{}
	}
	return a.heap[0].slotOf().at
}

// due returns the first thing if its time has come. It stays where it is.
func (a *agenda[T]) due(now time.Time) (x T, ok bool) {
	if len(a.heap) == 0 || now.Before(a.next()) {
		return x, false
	}
	return a.heap[0], true
}

// slots is an agenda as package heap wants it.
type slots[T interface{ slotOf() *slot }] []T

func (h slots[T]) Len() int           { return len(h) }
func (h slots[T]) Less(i, j int) bool { return h[i].slotOf().at.Before(h[j].slotOf().at) }
func (h slots[T]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].slotOf().place, h[j].slotOf().place = i+1, j+1
}
func (h *slots[T]) Push(x any) {
	*h = append(*h, x.(T))
	x.(T).slotOf().place = len(*h)
}
func (h *slots[T]) Pop() any {
	old := *h
	x := old[len(old)-1]
	clear(old[len(old)-1:])
	*h = old[:len(old)-1]
	x.slotOf().place = 0
	return x
}
