package sa

import (
	"errors"
	"slices"
	"time"

	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// Nothing in a machine waits. What needs a result that is not there yet puts out a [Request] and is given up for now: it
// returns through its callers without having changed anything, and when the result is there it begins again, with what the
// IKE SA has become meanwhile. So to wait is nothing but to be late, as a slow network makes things late:
//
//   - A request of the peer whose answer waits is as if it came when the result does. It keeps its message id, and copies of it
//     are dropped. Since the window size is one, the peer sends no other until then.
//   - An answer of the peer that waits is as if it came then. Our request is in flight until then, for whatever looks for it,
//     but is not repeated any more: its answer is here.
//   - A task that waits while its request is built is as if it was asked for then. It stays where it is in the queue, and what
//     needs no result goes before it.
//
// Whatever crosses a wait, a rekeying, a DELETE or the end of the IKE SA, is therefore settled by the rules for messages that
// cross on the wire, and needs none of its own. What has waited in vain is dropped with what was put out for it: a completion
// that comes all the same finds nothing that it belongs to.
//
// One thing keeps the order in which it came: the peer's DELETE of an IKE SA whose rekeying it has answered. The answer is here, and the
// peer has the new IKE SA, which nobody but this side can delete if it is redundant. So the DELETE waits for the keys of that one (see
// holdsEnd).
//
// A request that this side could not carry out ([RequestError]) fails what it was for, in the ordinary way. Where that would be the
// end of an IKE SA that nothing is wrong with, the message is taken for lost instead: the peer repeats its own, and this side
// repeats its request.

// asks are what one message, or one task that is being built, has asked for.
type asks struct {
	// results are those that are there, in the order in which they were asked for; next is the one that the run under way
	// comes to next.
	results []settled
	next    int
	// open is what is waited for, nil for nothing.
	open *openRequest
	// held: what waits is the peer's DELETE of the IKE SA, see holdsEnd.
	held bool
	// again takes the message again, as of that time. It is nil for a task: pump builds it again.
	again func(now time.Time)
	// lost has the message be as if it had never come, since this side can't carry out what it needs. Nil: err is a result as any.
	lost func(now time.Time, err error)
	// firm reports whether it is too late for that. Nil: it never is.
	firm func() bool
	// request is the peer's request that waits, if it is one of those with a handler.
	request *request
	// arrived is when an answer in the clear came in; see takeOpening.
	arrived time.Time
}

// settled is a request with its result.
type settled struct {
	want   Want
	result Result
}

// openRequest is a request without one.
type openRequest struct {
	id       uint64
	want     Want
	deadline time.Time
}

// building is the task at which the queue stands.
type building struct {
	task task
	asks asks
}

// waits reports whether something is waited for. It may be called on nil.
func (a *asks) waits() bool { return a != nil && (a.open != nil || a.held) }

// errWaits is what [Machine.exchange] returns while there is no result: the caller returns without having changed anything.
var errWaits = errors.New("waits for a result")

// within runs what may ask. It runs from the beginning each time, and comes by the results of before.
func (m *Machine) within(a *asks, f func()) {
	outer := m.asks
	m.asks, a.next = a, 0
	f()
	m.asks = outer
}

// waiting reports whether the handler that runs has to return, since what it has asked for is not there.
func (m *Machine) waiting() bool { return m.asks.waits() }

// ask gives the result of a request, or puts the request out. ok is false in that case.
func (m *Machine) ask(now time.Time, w Want) (r Result, ok bool) {
	a := m.asks
	if a == nil {
		panic("BUG: a request for something that can't wait")
	}
	if a.next < len(a.results) && a.results[a.next].want.same(w) {
		a.next++
		return a.results[a.next-1].result, true
	}
	a.results = a.results[:a.next] // the situation has changed, and what was asked for with it
	m.lastRequest++
	a.open = &openRequest{m.lastRequest, w, now.Add(w.patience())}
	m.emit(Request{ID: m.lastRequest, Want: w, Until: a.open.deadline})
	return nil, false
}

// exchange makes a step of a key exchange. The error is errWaits while there is no result.
func (m *Machine) exchange(now time.Time, k KeyExchange) (Exchanged, error) {
	r, ok := m.ask(now, k)
	if !ok {
		return Exchanged{}, errWaits
	}
	switch r := r.(type) {
	case Exchanged:
		return r, nil
	case Unfulfilled:
		return Exchanged{}, r.Err
	}
	return Exchanged{}, errors.New("the result of another request")
}

// generate makes a private value.
func (m *Machine) generate(now time.Time, group uint16) (suite.KeyExchange, error) {
	x, err := m.exchange(now, KeyExchange{Group: group})
	return x.Own, err
}

// Complete is the input for the result of a [Request]. One that nobody waits for any more is dropped: a second one, one for a
// request that was given up, or one that was never made.
func (m *Machine) Complete(now time.Time, id uint64, r Result) {
	for _, a := range m.openAsks() {
		if a != nil && a.open.id == id {
			m.settle(now, a, r)
			m.pump(now)
			return
		}
	}
}

// openAsks are those with a request that is not completed: at most one for each of a request of the peer, an answer of the peer, and
// a task. The others are nil.
func (m *Machine) openAsks() (list [3]*asks) {
	if a := m.window.parked; a.opened() {
		list[0] = a
	}
	if p := m.pending; p != nil && p.parked.opened() {
		list[1] = p.parked
	}
	if b := m.building; b != nil && b.asks.opened() && slices.Contains(m.queue, b.task) {
		list[2] = &b.asks
	}
	return list
}

// opened reports whether a request is not completed. It may be called on nil.
func (a *asks) opened() bool { return a != nil && a.open != nil }

// settle has whatever waits for a request go on with its result.
func (m *Machine) settle(now time.Time, a *asks, r Result) {
	want := a.open.want
	a.open = nil
	if u, ok := r.(Unfulfilled); ok && a.lost != nil && NotNow(u.Err) && (a.firm == nil || !a.firm()) {
		a.lost(now, u.Err)
	} else {
		a.results = append(a.results, settled{want, r})
		if a.again != nil {
			a.again(now)
		}
	}
	if held := m.window.parked; held != nil && held.held {
		held.again(now) // it waits on if the message that it waits for does
	}
}

// advanceRequests fails the requests whose results have not come in time.
func (m *Machine) advanceRequests(now time.Time) {
	for _, a := range m.openAsks() {
		if a.opened() && !now.Before(a.open.deadline) {
			m.settle(now, a, Unfulfilled{&RequestError{a.open.want.String(), "no result in time"}})
		}
	}
}

func (m *Machine) requestTimeout() (t time.Time) {
	for _, a := range m.openAsks() {
		if a != nil {
			t = earliest(t, a.open.deadline)
		}
	}
	return t
}

// answer handles a request of the peer and answers it, or keeps it until the handler has what it waits for.
func (m *Machine) answer(r *request) {
	a := &r.asks
	if a.again == nil {
		a.request = r
		a.again = func(now time.Time) {
			r.now = now
			m.answer(r)
		}
		switch r.header.Exchange {
		case wire.ExchangeIKEIntermediate:
			a.lost = func(now time.Time, err error) { m.unreceive(r, err) }
		case wire.ExchangeIKEAuth:
			if m.flow == nil {
				a.lost = func(now time.Time, err error) { m.unreceiveAuth(r, err) }
				a.firm = func() bool { return m.flow.t.PeerProved }
			} else if m.cfg.usesEAP() {
				a.lost = func(now time.Time, err error) { m.unreceiveRound(r, err) }
				a.firm = func() bool { return m.flow.judged }
			}
		}
	}
	m.window.parked = nil
	if a.held = m.holdsEnd(r); a.held {
		m.window.parked = a
		return
	}
	var payloads []wire.Payload
	m.within(a, func() { payloads = m.dispatch(r) })
	if a.waits() {
		m.window.parked = a
		return
	}
	m.respond(r, payloads)
}

// holdsEnd reports whether the peer's DELETE of the IKE SA has to wait, since this side computes the shared secret of a rekeying that
// the peer has answered. The peer has the new IKE SA and waits for what becomes of it: the children go there, or, where the peer's own
// rekeying is the one that stays, the DELETE by which this side closes a redundant one. Without its keys neither can be done, and an end
// of this IKE SA would leave them to nobody.
//
// What is decided already is done at once: a peer that has made an IKE SA of its own and deletes the old one uses its own. Copies of the
// DELETE are dropped meanwhile. It waits no longer than the secret does (keyExchangeTime); if this side cannot compute it, the IKE SA
// ends without it.
func (m *Machine) holdsEnd(r *request) bool {
	if r.header.Exchange != wire.ExchangeInformational || !deletesIKE(r.payloads) {
		return false
	}
	t, rekeying := doing[*rekeyIKETask](m)
	if !rekeying || !m.pending.parked.concludes() {
		return false
	}
	if s := t.heir(); s != nil {
		m.handOver(r.now, s)
	}
	return true
}

// unreceive takes a request for lost that is not answered yet: the peer repeats it.
func (m *Machine) unreceive(r *request, err error) {
	m.window.parked = nil
	m.window.nextRecv--
	m.ignore(r.path, IgnoreBusy, err.Error())
}

// conclude hands an answer to the task that it is for, or keeps it until the task has what it waits for.
func (m *Machine) conclude(p *outstanding, r *response) {
	a := p.parked
	if a == nil {
		a = &asks{lost: func(now time.Time, err error) { m.unanswered(now, p, err) }}
		a.again = func(now time.Time) {
			r.now = now
			m.conclude(p, r)
		}
	}
	m.pending, p.parked = nil, a
	m.within(a, func() { p.task.(protectedTask).done(m, r) })
	if a.waits() {
		m.pending = p
		return
	}
	m.countTemporary(r.now, r.header.Exchange, r.payloads)
}

// unanswered takes an answer for lost: the request is repeated when it would have been, and the peer repeats its answer. At once it is
// not: as long as there is no time, that would use up all repetitions within as many round trips, and end an IKE SA whose peer is there.
func (m *Machine) unanswered(now time.Time, p *outstanding, err error) {
	p.parked = nil
	p.stuck = keFailure(m.where(p.task.exchange()), err)
	m.emit(Failed{Failure: p.stuck, Early: true})
	if p.outdated {
		m.relaunch(now)
	}
}

// concludes reports whether what waits is a whole answer, whose shared secret is being computed.
func (a *asks) concludes() bool {
	if !a.opened() {
		return false
	}
	k, ok := a.open.want.(KeyExchange)
	return ok && k.Own != nil
}

// rekeysIKE reports whether what waits is the peer's request to rekey the IKE SA.
func (a *asks) rekeysIKE() bool {
	if !a.waits() || a.request == nil || a.request.header.Exchange != wire.ExchangeCreateChildSA {
		return false
	}
	sa, ok := find[*wire.SA](a.request.payloads)
	return ok && len(sa.Proposals) > 0 && sa.Proposals[0].Protocol == wire.ProtocolIKE
}

// buildNext builds the first task that can be, and reports whether the queue is to be looked at again. While that task waits for
// a result, INFORMATIONAL exchanges go before it: they ask for nothing.
func (m *Machine) buildNext(now time.Time) bool {
	if b := m.building; b != nil && !slices.Contains(m.queue, b.task) {
		m.building = nil // the task was abandoned, or moved to a successor
	}
	at, b := 0, m.building
	switch {
	case b == nil:
		b = &building{}
	case b.asks.waits():
		at = slices.IndexFunc(m.queue, func(t task) bool { return t.exchange() == wire.ExchangeInformational })
		b = nil
	default:
		at = slices.Index(m.queue, b.task)
	}
	if at < 0 || at >= len(m.queue) || !m.mayBuild(m.queue[at]) {
		return false
	}
	t := m.queue[at]
	m.queue = slices.Delete(m.queue, at, at+1)
	var payloads []wire.Payload
	var ok bool
	if b == nil {
		payloads, ok = t.build(m, now)
	} else {
		b.task, m.building = t, nil
		m.within(&b.asks, func() { payloads, ok = t.build(m, now) })
	}
	switch {
	case b != nil && b.asks.waits():
		m.queue, m.building = slices.Insert(m.queue, at, t), b
	case ok:
		m.launch(now, t, payloads)
	}
	return true
}

// mayBuild reports whether a task's time has come: before the IKE SA is established only those of the handshake do.
func (m *Machine) mayBuild(t task) bool { return m.state != StateConnecting || t.traits().early }
