package auth

import (
	"slices"

	"esplanade/ike/wire"
)

// Pair is both proofs of an IKE SA, each by a method of its own. In each message this side's proof comes first, so that what
// it learns of the peer's answer (that the PPK is in use) is known when the peer's proof is judged.
type Pair struct{ own, peer leg }

// leg is one of the two proofs.
type leg struct {
	Authenticator
	step Step
	// asked: this half of the round is done for it, while the other one waits. gone: it was done in an earlier round.
	asked, gone bool
}

// NewPair makes a pair of what proves this side and what checks the peer.
func NewPair(own, peer Authenticator) *Pair {
	return &Pair{own: leg{Authenticator: own}, peer: leg{Authenticator: peer}}
}

// Build makes the payloads of this side's next message.
func (p *Pair) Build(t *Transcript) (Step, error) {
	return p.half(t, false, func(l *leg) (Step, error) { return l.Build(t) })
}

// Process takes the peer's next message.
func (p *Pair) Process(t *Transcript, in []wire.Payload) (Step, error) {
	return p.half(t, true, func(l *leg) (Step, error) { return l.Process(t, in) })
}

// closer is an authenticator that keeps more than memory, as a handshake of TLS does.
type closer interface{ Close() }

// Close ends what the proofs keep. It may be called on nil, and more than once.
func (p *Pair) Close() {
	if p == nil {
		return
	}
	for _, a := range []Authenticator{p.own.Authenticator, p.peer.Authenticator} {
		if c, ok := a.(closer); ok {
			c.Close()
		}
	}
}

// Verdict is why the peer's proof will fail, if that is known and the peer is being told; nil if not.
func (p *Pair) Verdict() error { return verdict(p.peer.Authenticator) }

func verdict(a Authenticator) error {
	if v, ok := a.(interface{ Verdict() error }); ok {
		return v.Verdict()
	}
	return nil
}

// Claimed is the name that the peer has given as a user, which it may not have proved; "" for none.
func (p *Pair) Claimed() string { return claimed(p.peer.Authenticator) }

func claimed(a Authenticator) string {
	if c, ok := a.(interface{ Claimed() string }); ok {
		return c.Claimed()
	}
	return ""
}

// Held is what both keep.
func (p *Pair) Held() int { return p.own.Held() + p.peer.Held() }

// half asks both proofs in one half of a round, each once. hears: it is the half with the peer's message, which is the second one
// of an initiator.
func (p *Pair) half(t *Transcript, hears bool, ask func(*leg) (Step, error)) (Step, error) {
	last := hears == t.Initiator
	for _, l := range []*leg{&p.own, &p.peer} {
		if l.asked {
			continue
		}
		l.step = Step{Status: Done}
		if !l.gone {
			var err error
			if l.step, err = ask(l); err != nil || l.step.Status == Wait {
				return l.step, err
			}
		}
		l.asked = true
		// This side has proved itself when the round is over, the peer when its message was judged.
		switch done := l.step.Status == Done; {
		case l == &p.own:
			t.OwnProved = t.OwnProved || done && last
		case hears:
			t.PeerProved = t.PeerProved || done
		}
	}
	out := Step{Status: NeedMore, Payloads: slices.Concat(p.own.step.Payloads, p.peer.step.Payloads)}
	if p.own.step.Status == Done && p.peer.step.Status == Done {
		out.Status = Done
	}
	for _, l := range []*leg{&p.own, &p.peer} {
		l.asked, l.gone = false, l.gone || last && l.step.Status == Done
	}
	return out, nil
}
