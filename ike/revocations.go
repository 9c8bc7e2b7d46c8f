package ike

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/gateway"
	"esplanade/ike/pki/cache"
	"esplanade/ike/pki/fetch"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/sa"
)

// Whether a certificate was revoked is found out outside of the event loop and of the workers, since it may take a network:
//
//	event loop ── ask ──> inquiries ── assess ──> verdict ── finish ──> event loop
//	                          ^           │
//	                          └── done ── flights ──> fetchers ──> HTTP
//
// An inquiry is assessed by what is known. If something has to be fetched for it, it waits for the flight that fetches that, with all others
// that need the same, and is assessed again. It does not wait for longer than inquiryTime; what is known then counts. The flight goes on:
// the next one finds what it brings.

const (
	// inquiryTime is how long a peer is kept waiting. It is less than what the machine waits for.
	inquiryTime = 12 * time.Second
	// maxInquiries bounds those that wait, and maxInquiriesOfPeer those of one peer: of a connection, or of an address. Of these
	// maxInquiriesOfHolder are of one certificate: whoever has one, and a server that is slow, keeps out no others of his connection.
	maxInquiries         = 1024
	maxInquiriesOfPeer   = 64
	maxInquiriesOfHolder = 16
	// maxRounds is how often one is assessed: each time something else is fetched.
	maxRounds = 8
	// assessors is how many are assessed at a time: one at a time has the store.
	assessors = 1
)

// inquiry is an errand of the gateway's that asks whether a certificate was revoked.
type inquiry struct {
	errand   gateway.Errand
	peer     peer
	holder   certificateSum
	want     auth.Unrevoked
	deadline time.Time
	timer    *time.Timer
	rounds   int
	pending  int // flights that it waits for
	done     bool
}

// certificateSum is the SHA-256 of a certificate of a peer. The peer has proved that it has the key.
type certificateSum [sha256.Size]byte

func certificateOf(u auth.Unrevoked) certificateSum {
	if len(u.Chain) == 0 {
		return certificateSum{}
	}
	return sha256.Sum256(u.Chain[0].Raw)
}

// revocations finds out whether certificates were revoked.
type revocations struct {
	client *fetch.Client
	cache  *cache.Dir // nil: nothing is kept on disk
	log    *slog.Logger
	finish func(gateway.Errand, sa.Result)

	ctx     context.Context
	cancel  context.CancelFunc
	working sync.WaitGroup
	kick    chan struct{}                    // something new may be due
	issued  atomic.Pointer[[]revocation.Own] // what setOwn was told, until it is taken up
	files   atomic.Pointer[files]            // what setFiles was told, until it is taken up
	staples atomic.Pointer[stapled]          // what this gateway can send of its own certificates
	known   atomic.Pointer[revocation.Known] // which certificates are revoked

	// door is what the event loop takes: it is never held during work or while something is logged. Whoever has mu may take it as well.
	door    sync.Mutex
	work    sync.Cond // there is something in ready, or it is closed
	ended   bool
	ready   []*inquiry
	of      map[peer]int // inquiries that are not done
	held    map[certificateSum]int
	open    int // all of them
	refused uint64
	used    map[revocation.Ref]struct{} // what revoked was asked for, until it is taken up

	mu     sync.Mutex
	closed bool
	store  revocation.Store
	own    []revocation.Own
	flights
	complaints complaints
}

func (r *revocations) init(client *fetch.Client, dir *cache.Dir, log *slog.Logger, finish func(gateway.Errand, sa.Result)) {
	r.client, r.cache, r.log, r.finish = client, dir, log, finish
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.kick = make(chan struct{}, 1)
	r.work.L = &r.door
	r.of, r.held, r.used = map[peer]int{}, map[certificateSum]int{}, map[revocation.Ref]struct{}{}
	r.flights.init()
}

// start has everything begin.
func (r *revocations) start() {
	for range assessors {
		r.working.Go(r.serve)
	}
	r.working.Go(r.refresh)
}

// close ends everything and waits for it. What is asked is not answered any more.
func (r *revocations) close() {
	r.cancel()
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.door.Lock()
	r.ended = true
	r.door.Unlock()
	r.work.Broadcast()
	r.working.Wait()
}

// asks reports whether a request is one of these, and not one of the workers'.
func asks(w sa.Want) (auth.Unrevoked, bool) {
	p, ok := w.(sa.Proof)
	if !ok {
		return auth.Unrevoked{}, false
	}
	u, ok := p.Want.(auth.Unrevoked)
	return u, ok
}

// ask takes an errand. It is refused at once if too many wait.
func (r *revocations) ask(x gateway.Errand, u auth.Unrevoked) (result sa.Result, done bool) {
	q := &inquiry{errand: x, peer: peerOf(x), holder: certificateOf(u), want: u, deadline: time.Now().Add(inquiryTime)}
	r.door.Lock()
	defer r.door.Unlock()
	if r.open >= maxInquiries || r.of[q.peer] >= maxInquiriesOfPeer || r.held[q.holder] >= maxInquiriesOfHolder {
		r.refused++
		return sa.Unfulfilled{Err: &sa.RequestError{Want: x.Want.String(), Reason: "too many others wait"}}, true
	}
	r.open++
	r.of[q.peer]++
	r.held[q.holder]++
	r.ready = append(r.ready, q)
	r.work.Signal()
	return nil, false
}

// serve assesses inquiries.
func (r *revocations) serve() {
	for {
		q := r.take()
		if q == nil {
			return
		}
		r.mu.Lock()
		r.assess(q, time.Now())
		r.mu.Unlock()
	}
}

// take waits for an inquiry, and returns nil when there are no more.
func (r *revocations) take() *inquiry {
	r.door.Lock()
	defer r.door.Unlock()
	for len(r.ready) == 0 && !r.ended {
		r.work.Wait()
	}
	if r.ended {
		return nil
	}
	q := r.ready[0]
	r.ready = r.ready[1:]
	return q
}

// assess finds out what is known. mu is held.
func (r *revocations) assess(q *inquiry, now time.Time) {
	if q.done {
		return
	}
	v := r.store.Assess(now, q.want.Chain, q.want.Rules, q.want.Staples)
	r.publishKnown(now)
	if q.rounds++; q.rounds <= maxRounds && now.Before(q.deadline) {
		for _, n := range v.Needed {
			if r.join(n, q) {
				q.pending++
			}
		}
	}
	if q.pending > 0 {
		if q.timer == nil {
			q.timer = time.AfterFunc(q.deadline.Sub(now), func() { r.expire(q) })
		}
		return
	}
	r.conclude(q, v)
}

// expire ends the wait of an inquiry.
func (r *revocations) expire(q *inquiry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if q.done || r.closed {
		return
	}
	now := time.Now()
	v := r.store.Assess(now, q.want.Chain, q.want.Rules, q.want.Staples)
	if v.Refused != nil {
		for _, n := range v.Needed {
			v.Refused.Waited(n, inquiryTime)
		}
	}
	r.conclude(q, v)
}

// conclude gives the answer. mu is held.
func (r *revocations) conclude(q *inquiry, v revocation.Verdict) {
	q.done = true
	if q.timer != nil {
		q.timer.Stop()
	}
	r.door.Lock()
	r.open--
	if r.of[q.peer]--; r.of[q.peer] == 0 {
		delete(r.of, q.peer)
	}
	if r.held[q.holder]--; r.held[q.holder] == 0 {
		delete(r.held, q.holder)
	}
	r.door.Unlock()
	if err := v.Err(); err != nil {
		r.finish(q.errand, sa.Unfulfilled{Err: err})
		return
	}
	r.finish(q.errand, sa.Proved{Value: v})
}

// landed takes a flight off those that an inquiry waits for. mu is held.
func (r *revocations) landed(q *inquiry) {
	if q.pending--; q.pending == 0 && !q.done {
		r.door.Lock()
		r.ready = append(r.ready, q)
		r.door.Unlock()
		r.work.Signal()
	}
}

// Fetched are the revocation lists and OCSP answers that are known and not from files: see [revocation.Store.Fetched]. It may be called from any
// goroutine.
func (d *Daemon) Fetched() (lists, answers [][]byte) {
	r := &d.revocations
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.store.Fetched()
}

// Flush forgets revocation lists and OCSP answers that were fetched, on disk as well, so that what is needed of them is fetched again; of which
// kinds, is for the caller to say. It may be called from any goroutine.
func (d *Daemon) Flush(lists, answers bool) {
	r := &d.revocations
	now := time.Now()
	r.mu.Lock()
	keys := r.store.Flush(lists, answers)
	r.publish(now)
	r.publishKnown(now)
	r.mu.Unlock()
	if r.cache != nil {
		for _, k := range keys {
			r.cache.Drop(k)
		}
	}
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

// RevocationWork is what there is and was of looking for revocations.
type RevocationWork struct {
	// Waiting are the peers of which it is not known yet, Flights what is being fetched or waits for it.
	Waiting, Flights int
	// Fetches is how often something was fetched, by kind and result. Refused is how many peers were too many to ask for.
	Fetches map[FetchKey]uint64
	Refused uint64
	// Kept is what is known.
	Kept revocation.Stats
}

// Revocations may be called from any goroutine.
func (d *Daemon) Revocations() RevocationWork {
	r := &d.revocations
	r.mu.Lock()
	defer r.mu.Unlock()
	out := RevocationWork{Flights: len(r.byKey), Fetches: r.results(), Kept: r.store.Stats()}
	r.door.Lock()
	defer r.door.Unlock()
	out.Waiting, out.Refused = r.open, r.refused
	return out
}
