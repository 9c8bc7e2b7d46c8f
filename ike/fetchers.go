package ike

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"strings"
	"time"

	"esplanade/ike/pki/fetch"
	"esplanade/ike/pki/revocation"
)

const (
	// maxFlights bounds what is being fetched or waits for it, maxFetchers what is fetched at a time, maxOfHost that from one server.
	maxFlights  = 256
	maxFetchers = 16
	maxOfHost   = 2
)

// flight is one thing that is being fetched, or waits for it.
type flight struct {
	needed  revocation.Needed
	key     string
	host    string
	peer    peer       // whoever has asked first; the zero value for what is fetched ahead
	waiting []*inquiry // none for what is fetched ahead
	ahead   bool
	begun   bool
}

// FetchKey is a kind of fetch with its result: "ok", "cached", or the reason for which there was nothing.
type FetchKey struct{ Kind, Result string }

// flights are those of [revocations], under its lock.
type flights struct {
	byKey    map[string]*flight
	order    []*flight // those that are not begun
	fetchers int
	ofHost   map[string]int
	ofPeer   map[peer]int // that are begun
	counts   map[FetchKey]uint64
}

func (f *flights) init() {
	f.byKey, f.ofHost, f.ofPeer, f.counts = map[string]*flight{}, map[string]int{}, map[peer]int{}, map[FetchKey]uint64{}
	for _, k := range []revocation.Kind{revocation.CRL, revocation.OCSP} {
		f.counts[FetchKey{strings.ToLower(k.String()), "ok"}] = 0 // it is there before the first
	}
}

func (f *flights) results() map[FetchKey]uint64 { return maps.Clone(f.counts) }

// join has an inquiry wait for a flight; a nil one wants something fetched ahead. It reports false if there are too many. mu is held.
func (r *revocations) join(n revocation.Needed, q *inquiry) bool {
	key := n.Key()
	f := r.byKey[key]
	if f == nil {
		if len(r.byKey) >= maxFlights || r.closed {
			r.counts[FetchKey{kindOf(n), "full"}]++
			return false
		}
		f = &flight{needed: n, key: key, ahead: q == nil}
		if u, err := url.Parse(n.URI); err == nil {
			f.host = u.Host
		}
		if q != nil {
			f.peer = q.peer
		}
		r.byKey[key] = f
		r.order = append(r.order, f)
		if r.fetchers < maxFetchers {
			r.fetchers++
			r.working.Go(r.fetch)
		}
	}
	if q != nil {
		f.waiting = append(f.waiting, q)
	}
	return true
}

// fetch is a fetcher. It ends when there is nothing left to begin.
func (r *revocations) fetch() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		f := r.nextFlight()
		if f == nil {
			r.fetchers--
			return
		}
		r.mu.Unlock()
		result, err := r.fly(f)
		r.mu.Lock()
		r.arrived(f, result, err, time.Now())
	}
}

// nextFlight begins the flight whose turn it is: of those whose server is not busy, the first one of the peer that has the fewest under way.
// mu is held.
func (r *revocations) nextFlight() *flight {
	best := -1
	for i, f := range r.order {
		if !r.closed && r.ofHost[f.host] < maxOfHost && (best < 0 || r.ofPeer[f.peer] < r.ofPeer[r.order[best].peer]) {
			best = i
		}
	}
	if best < 0 {
		return nil
	}
	f := r.order[best]
	r.order = append(r.order[:best:best], r.order[best+1:]...)
	r.ofHost[f.host]++
	r.ofPeer[f.peer]++
	f.begun = true
	return f
}

// fly fetches, from the disk first if anything will do, and has the store take it. What the store does not take, such as a list that is older
// than the one it has, does not take the place of anything on disk either. No lock is held.
func (r *revocations) fly(f *flight) (result string, err error) {
	n := f.needed
	if r.cache != nil && !f.ahead {
		if j, ok := r.fromDisk(f); ok {
			return r.keep(f, j, "cached")
		}
	}
	body, err := r.client.Fetch(r.ctx, fetch.Request{URI: n.URI, Configured: n.Configured, Body: n.Request, Type: "application/ocsp-request", MaxOctets: n.Kind.MaxOctets()})
	if err != nil {
		r.mu.Lock()
		defer r.mu.Unlock()
		if !r.ends() {
			r.store.Fail(time.Now(), n, err)
		}
		return reasonOf(err), err
	}
	if result, err = r.keep(f, revocation.Judge(time.Now(), n, body), "ok"); err == nil && r.cache != nil {
		if err := r.cache.Put(f.key, body); err != nil {
			r.complain("cannot keep it on disk", f, err)
		}
	}
	return result, err
}

// keep has the store take what was judged. result is what it is called if the store does.
func (r *revocations) keep(f *flight, j revocation.Judged, taken string) (result string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.store.Keep(time.Now(), j); err != nil {
		return revocation.FaultOf(err).String(), err
	}
	return taken, nil
}

// ends reports whether the daemon is ending: that a fetch is broken off then says nothing of its server. mu is held.
func (r *revocations) ends() bool { return r.closed || errors.Is(r.ctx.Err(), context.Canceled) }

// fromDisk judges what is on disk as if it had been fetched. What is of no use is removed.
func (r *revocations) fromDisk(f *flight) (revocation.Judged, bool) {
	body, err := r.cache.Get(f.key, f.needed.Kind.MaxOctets())
	if err == nil && body == nil {
		return revocation.Judged{}, false
	}
	if err == nil {
		j := revocation.Judge(time.Now(), f.needed, body)
		if err = j.Err(); err == nil && j.Current(time.Now()) {
			return j, true
		} else if err == nil || revocation.FaultOf(err) == revocation.FaultStale {
			return revocation.Judged{}, false // it has only ended
		}
	}
	r.complain("what is kept on disk is of no use", f, err)
	r.cache.Drop(f.key)
	return revocation.Judged{}, false
}

// arrived has those go on that wait for a flight. mu is held.
func (r *revocations) arrived(f *flight, result string, err error, now time.Time) {
	delete(r.byKey, f.key)
	if r.ofHost[f.host]--; r.ofHost[f.host] == 0 {
		delete(r.ofHost, f.host)
	}
	if r.ofPeer[f.peer]--; r.ofPeer[f.peer] == 0 {
		delete(r.ofPeer, f.peer)
	}
	if r.ends() {
		return
	}
	r.counts[FetchKey{kindOf(f.needed), result}]++
	r.complaints.say(r.log, now, f, err)
	r.publish(now)
	r.publishKnown(now)
	for _, q := range f.waiting {
		r.landed(q)
	}
	select {
	case r.kick <- struct{}{}:
	default:
	}
}

func kindOf(n revocation.Needed) string { return strings.ToLower(n.Kind.String()) }

func reasonOf(err error) string {
	var e *fetch.Error
	if errors.As(err, &e) {
		return e.Reason.String()
	}
	return fetch.ReasonConnect.String()
}

// refresh fetches ahead what is used and ends soon.
func (r *revocations) refresh() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-r.ctx.Done():
			return
		case <-r.kick:
		case <-timer.C:
		}
		r.mu.Lock()
		now := time.Now()
		r.takeOwn(now)
		r.takeUsed(now)
		due, next := r.store.Due(now)
		for _, n := range due {
			r.join(n, nil)
		}
		r.publish(now)
		r.publishKnown(now)
		r.mu.Unlock()
		timer.Reset(next.Sub(now))
	}
}
