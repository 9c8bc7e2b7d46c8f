package gateway

import (
	"time"

	"esplanade/ike/diag"
)

const (
	// maxRefusedInits is how many refused attempts are known by their requests. Whoever sends more within their time has one counted
	// again when it repeats its request.
	maxRefusedInits = 1024
	// refusedInitTime is how long one is known after its latest request: longer than the pause between two repetitions.
	refusedInitTime = 3 * time.Minute
)

// refusedInit is an attempt, and why its IKE_SA_INIT was refused in the clear. Nothing else is kept of it.
type refusedInit struct {
	initKey
	code diag.Code
}

// refusedInits are the latest of them. A peer does not believe a refusal that nothing protects, and repeats its request for a while
// (RFC 7296 section 2.21.1); that is still one attempt, and one failure.
type refusedInits struct {
	until map[refusedInit]time.Time
	// ring has the keys of until in the order in which they came. The next one takes the place at oldest once it is full.
	ring   []refusedInit
	oldest int
}

// isNew reports whether x is not known, and makes it known.
func (r *refusedInits) isNew(now time.Time, x refusedInit) bool {
	until, known := r.until[x]
	switch {
	case known:
	case len(r.ring) < maxRefusedInits:
		if r.until == nil {
			r.until = map[refusedInit]time.Time{}
		}
		r.ring = append(r.ring, x)
	default:
		delete(r.until, r.ring[r.oldest])
		r.ring[r.oldest] = x
		r.oldest = (r.oldest + 1) % maxRefusedInits
	}
	r.until[x] = now.Add(refusedInitTime)
	return !known || !now.Before(until)
}
