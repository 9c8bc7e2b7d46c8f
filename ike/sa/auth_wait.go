package sa

import (
	"time"

	"esplanade/ike/auth"
)

// Proof wants what a proof of IKE_AUTH needs and can't do itself: its own Want says what. [Proved] fulfils it.
type Proof struct {
	Want auth.Want
	// Proved: the peer has proved itself, its first identity at least, so that this is no work for a stranger.
	Proved bool
}

// Work is what a proof wants of a processor; ok is false for one that wants something else.
func (p Proof) Work() (w auth.Work, ok bool) {
	w, ok = p.Want.(auth.Work)
	return w, ok
}

// Cost is about how long a [auth.Work] takes on one core. It panics for another Want, whose answer does not come of computing.
func (p Proof) Cost() time.Duration { return p.Want.(auth.Work).Cost() }

// CarryOut does it, on any goroutine.
func (p Proof) CarryOut() Result {
	a := p.Want.(auth.Work).CarryOut()
	if a.Err != nil {
		return Unfulfilled{a.Err}
	}
	return Proved{a.Value}
}

// Proved is the result of a [Proof], of the type that goes with the Want.
type Proved struct{ Value any }

func (Proved) result() {}

const (
	// proofTime is how long a machine waits for a part of a proof: another machine may have to be asked.
	proofTime = 20 * time.Second
	// relayTime is the same for a RADIUS server, in front of which there may be two that are dead: each takes a quarter of a minute by default.
	// Clients repeat a request for as long.
	relayTime = 45 * time.Second
)

func (p Proof) patience() time.Duration {
	if _, ok := p.Want.(auth.EAPRelay); ok {
		return relayTime
	}
	return proofTime
}

func (p Proof) same(other Want) bool {
	o, ok := other.(Proof)
	return ok && p.Want.Same(o.Want)
}

func (p Proof) String() string { return p.Want.String() }

// askAuth gives an authenticator the answer to what it asks for, or puts a request out. What was asked for by the other proof of
// the same message may come first among the results: that one is not asked again.
func (m *Machine) askAuth(w auth.Want) (auth.Answer, bool) {
	want, a := Proof{Want: w, Proved: m.known()}, m.asks
	for i, r := range a.results {
		if i >= a.next && r.want.same(want) {
			a.next = i
			break
		}
	}
	r, ok := m.ask(m.flow.now, want)
	if !ok {
		m.waitForServer(want)
		return auth.Answer{}, false
	}
	switch r := r.(type) {
	case Proved:
		return auth.Answer{Value: r.Value}, true
	case Unfulfilled:
		return auth.Answer{Err: r.Err}, true
	}
	panic("BUG: the result of another request")
}
