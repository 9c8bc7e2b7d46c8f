package ike

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"time"

	"esplanade/ike/sa"
)

// assigning is the holder of what gateways have assigned to this host. All of it is one thing to the network: DNS servers are asked, or not,
// in view of all that there are. What is new comes in its turn; what has gone goes among the removals, after the routes whose source it was.
type assigning struct {
	want   map[uint64]*sa.Placement // by holder
	queued bool
	// dropping is the turn among the removals.
	dropping dropping
	// told are the results that the event loop has not been told.
	told []placed
	// These belong to the goroutine.
	retry *time.Timer
}

// placed is what came of an assignment.
type placed struct {
	holder uint64
	by     string
	err    error
}

// dropping is the second turn of assigning, in which what nobody wants any more goes.
type dropping struct {
	a      *assigning
	queued bool
}

// assign says what a gateway has assigned, for a holder, from now on; nil for nothing.
func (r *routing) assign(holder uint64, a *sa.Placement) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := &r.assigned
	if h.want == nil {
		h.want = map[uint64]*sa.Placement{}
		h.dropping.a = h
	}
	if a == nil {
		delete(h.want, holder)
	} else {
		h.want[holder] = a
	}
	r.enqueue(h, &h.queued)
}

// list is what is wanted, the oldest holder first. The mutex is held.
func (h *assigning) list() (out []sa.Placement, holders []uint64) {
	holders = slices.SortedFunc(maps.Keys(h.want), cmp.Compare[uint64])
	for _, k := range holders {
		out = append(out, *h.want[k])
	}
	return out, holders
}

func (h *assigning) next(r *routing) func() {
	h.queued = false
	list, holders := h.list()
	if d := &h.dropping; !d.queued {
		d.queued = true
		r.later = append(r.later, d)
	}
	return func() {
		by, errs := r.network.Assign(list)
		var told []placed
		for i, k := range holders {
			told = append(told, placed{k, by, errs[i]})
		}
		if errors.Join(errs...) != nil {
			r.assignAgain(h)
		}
		r.mu.Lock()
		h.told = told
		r.mu.Unlock()
		r.wake()
	}
}

func (d *dropping) next(r *routing) func() {
	d.queued = false
	list, _ := d.a.list()
	return func() { r.complain("take off what a gateway had assigned", r.network.Retract(list)) }
}

// assignAgain gives what could not be put in place another turn later.
func (r *routing) assignAgain(h *assigning) {
	if h.retry != nil {
		h.retry.Stop()
	}
	h.retry = time.AfterFunc(routeRetry, func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !r.closed {
			r.enqueue(h, &h.queued)
		}
	})
}

// takePlaced hands over what came of assignments since.
func (r *routing) takePlaced() []placed {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := r.assigned.told
	r.assigned.told = nil
	return p
}
