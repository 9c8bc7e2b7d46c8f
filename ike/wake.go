package ike

import (
	"container/heap"
	"time"
)

// wakeHeap orders children by when they have to be reconciled.
type wakeHeap []*child

func (h wakeHeap) Len() int           { return len(h) }
func (h wakeHeap) Less(i, j int) bool { return h[i].wake.Before(h[j].wake) }
func (h wakeHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}
func (h *wakeHeap) Push(x any) {
	c := x.(*child)
	c.index = len(*h)
	*h = append(*h, c)
}
func (h *wakeHeap) Pop() any {
	old := *h
	c := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	c.index = -1
	return c
}

// next is when the first of them is due, zero for never.
func (h wakeHeap) next() time.Time {
	if len(h) == 0 {
		return time.Time{}
	}
	return h[0].wake
}

// touch has a child reconciled before the event loop waits again. It is to be called after everything that may change
// what is to be done for it.
func (d *Daemon) touch(h *child) {
	if !h.dirty {
		h.dirty = true
		d.dirty = append(d.dirty, h)
	}
}

// schedule has a child reconciled at a time, zero for never.
func (d *Daemon) schedule(h *child, at time.Time) {
	h.wake = at
	switch {
	case at.IsZero() && h.index >= 0:
		heap.Remove(&d.wakes, h.index)
	case at.IsZero():
	case h.index < 0:
		heap.Push(&d.wakes, h)
	default:
		heap.Fix(&d.wakes, h.index)
	}
}
