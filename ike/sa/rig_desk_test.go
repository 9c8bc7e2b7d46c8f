package sa

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"esplanade/ike/auth"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/wire"
)

// desk carries out what the machines of a side ask for: at once, unless a test says otherwise.
type desk struct {
	// carryOut takes the place of [KeyExchange.CarryOut].
	carryOut func(k KeyExchange) Result
	// unrevoked answers whether a certificate was revoked. Nil: none was.
	unrevoked func(auth.Unrevoked) Result
	// lease gives addresses to peers that ask for them.
	lease func(Lease) Result
	// relay is a RADIUS server.
	relay func(auth.EAPRelay) Result
	// late decides when a request is completed, and with what. Nil: at once.
	late func(r Request) outcome
	// open are those that are not completed yet, in the order in which they were made.
	open []*errand
	// made counts the requests.
	made int
}

// outcome is what becomes of a request.
type outcome struct {
	after time.Duration
	// lost: nothing. held: nothing before a test says so. twice: it is completed once more.
	lost, held, twice bool
	// err is the result.
	err error
}

// errand is a request on the desk.
type errand struct {
	m       *Machine
	req     Request
	outcome outcome
	at      time.Time
}

func (d *desk) take(e *end, m *Machine, r Request) {
	d.made++
	x := &errand{m: m, req: r}
	if d.late != nil {
		x.outcome = d.late(r)
	}
	switch f := x.outcome; {
	case f.lost:
	case d.late != nil:
		x.at = e.r.now.Add(f.after)
		d.open = append(d.open, x)
	default:
		m.Complete(e.r.now, r.ID, d.result(x))
	}
}

func (d *desk) result(x *errand) Result {
	k, ok := x.req.Want.(KeyExchange)
	p, proof := x.req.Want.(Proof)
	_, work := p.Want.(auth.Work)
	u, asks := p.Want.(auth.Unrevoked)
	lease, leases := x.req.Want.(Lease)
	switch {
	case x.outcome.err != nil:
		return Unfulfilled{x.outcome.err}
	case leases:
		return d.lease(lease)
	case work:
		return p.CarryOut()
	case asks && d.unrevoked != nil:
		return d.unrevoked(u)
	case asks:
		return Proved{revocation.Verdict{}}
	case proof && d.relay != nil:
		return d.relay(p.Want.(auth.EAPRelay))
	case proof:
		return Proved{}
	case !ok:
		panic("BUG: a request that nobody carries out")
	case d.carryOut != nil:
		return d.carryOut(k)
	}
	return k.CarryOut()
}

// due is the side whose desk has the next completion, if that comes before anything else and not after until.
func (r *rig) due(other, until time.Time) *end {
	var who *end
	at := other
	for _, e := range []*end{r.a, r.b} {
		if x := e.desk.next(); x != nil && !x.at.After(until) && (at.IsZero() || !x.at.After(at)) {
			at, who = x.at, e
		}
	}
	return who
}

func (d *desk) next() (first *errand) {
	for _, x := range d.open {
		if !x.outcome.held && (first == nil || x.at.Before(first.at)) {
			first = x
		}
	}
	return first
}

func (d *desk) completeNext(e *end) {
	x := d.next()
	if x.at.After(e.r.now) {
		e.r.now = x.at
	}
	d.complete(e, x)
}

// complete completes a request that is on the desk.
func (d *desk) complete(e *end, x *errand) {
	d.drop(x)
	res := d.result(x)
	x.m.Complete(e.r.now, x.req.ID, res)
	if x.outcome.twice {
		x.m.Complete(e.r.now, x.req.ID, res)
	}
	e.drain(x.m)
}

func (d *desk) drop(x *errand) {
	d.open = slices.DeleteFunc(d.open, func(o *errand) bool { return o == x })
}

// built is a request of a task that a test sends itself, completed at once.
func built(m *Machine, now time.Time, t task) (payloads []wire.Payload) {
	carriedOut(m, func() { payloads, _ = t.build(m, now) })
	return payloads
}

// offered are the payloads of a CREATE_CHILD_SA request that a test sends itself.
func offered(m *Machine, now time.Time, c *ChildConfig, old *Child) (payloads []wire.Payload) {
	var o *childOffer
	carriedOut(m, func() { payloads, o, _ = m.buildOffer(now, o, c, nil, old, &demands{}) })
	return payloads
}

// carriedOut runs what may ask, until it has what it asks for. None of the requests is put out.
func carriedOut(m *Machine, f func()) {
	for a := (&asks{}); ; {
		m.within(a, f)
		m.outputs = slices.DeleteFunc(m.outputs, func(o Output) bool { _, ok := o.(Request); return ok })
		if !a.waits() {
			return
		}
		a.results = append(a.results, settled{a.open.want, a.open.want.(KeyExchange).CarryOut()})
		a.open = nil
	}
}

// dispatched is the answer to a request that a test hands to its handler itself.
func dispatched(m *Machine, r *request) (answer []wire.Payload) {
	carriedOut(m, func() { answer = m.dispatch(r) })
	return answer
}

// release has everything that is held, and will be, completed after a short while.
func (d *desk) release(at time.Time) {
	for _, x := range d.open {
		x.outcome.held, x.at = false, at
	}
	if d.late != nil {
		d.late = func(Request) outcome { return outcome{after: 20 * time.Millisecond} }
	}
}

// complete carries out the word of a script that completes a request.
func (l *ladder) complete(word string, e *end, how string) {
	l.t.Helper()
	n, err := strconv.Atoi(how)
	if err != nil {
		n = 1
	}
	if n > len(e.desk.open) {
		l.t.Fatalf("%s: %s has %d requests that wait", word, e.name, len(e.desk.open))
	}
	x := e.desk.open[n-1]
	switch how {
	case "busy":
		x.outcome.err = &RequestError{x.req.Want.String(), "no worker"}
	case "bad":
		x.outcome.err = errors.New("a defect")
	case "lost":
		e.desk.drop(x)
		l.r.now = l.r.now.Add(keyExchangeTime)
		x.m.Advance(l.r.now)
		e.drain(x.m)
		return
	}
	e.desk.complete(e, x)
}
