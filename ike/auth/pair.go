package auth

import "esplanade/ike/wire"

// Pair is both proofs of an IKE SA, each by a method of its own. In each message this side's proof comes first, so that what
// it learns of the peer's answer (that the PPK is in use) is known when the peer's proof is judged.
type Pair struct {
	own, peer leg
	// waiting is the proof that waits, in the half of the round that building says.
	waiting  *leg
	building bool
	in       []wire.Payload // what is being processed
	built    []wire.Payload // by the one that came before the one that waits
}

// leg is one of the two proofs.
type leg struct {
	Authenticator
	status Status
	gone   bool // it was done in an earlier round
}

// NewPair makes a pair of what proves this side and what checks the peer.
func NewPair(own, peer Authenticator) *Pair {
	return &Pair{own: leg{Authenticator: own}, peer: leg{Authenticator: peer}}
}

// Build makes the payloads of this side's next message.
func (p *Pair) Build(t *Transcript) (Step, error) {
	p.building, p.built = true, nil
	return p.run(t, &p.own)
}

// Process takes the peer's next message.
func (p *Pair) Process(t *Transcript, in []wire.Payload) (Step, error) {
	p.building, p.in = false, in
	return p.run(t, &p.own)
}

// Complete goes on after Wait.
func (p *Pair) Complete(t *Transcript, a Answer) (Step, error) {
	l := p.waiting
	if l == nil {
		panic("BUG: an answer for a pair that waits for none")
	}
	p.waiting = nil
	s, err := l.Complete(t, a)
	return p.after(t, l, s, err)
}

// Held is what both keep.
func (p *Pair) Held() int { return p.own.Held() + p.peer.Held() }

// run asks the proofs from l on.
func (p *Pair) run(t *Transcript, l *leg) (Step, error) {
	if l.gone {
		return p.after(t, l, Step{Status: Done}, nil)
	}
	var s Step
	var err error
	if p.building {
		s, err = l.Build(t)
	} else {
		s, err = l.Process(t, p.in)
	}
	return p.after(t, l, s, err)
}

// after takes the step of a proof, and goes on with the other one or ends the half of the round.
func (p *Pair) after(t *Transcript, l *leg, s Step, err error) (Step, error) {
	if err != nil {
		return Step{}, err
	}
	if s.Status == Wait {
		p.waiting = l
		return Step{Status: Wait, Want: s.Want}, nil
	}
	l.status = s.Status
	p.built = append(p.built, s.Payloads...)
	ends := p.building != t.Initiator // the round: the initiator has sent first, the responder has heard first
	if l == &p.own {
		t.OwnProved = t.OwnProved || s.Status == Done && ends
		return p.run(t, &p.peer)
	}
	t.PeerProved = t.PeerProved || s.Status == Done && !p.building
	out := Step{Status: NeedMore, Payloads: p.built}
	if p.own.status == Done && p.peer.status == Done {
		out.Status = Done
	}
	if ends {
		p.own.gone, p.peer.gone = p.own.status == Done, p.peer.status == Done
	}
	p.built, p.in = nil, nil
	return out, nil
}
