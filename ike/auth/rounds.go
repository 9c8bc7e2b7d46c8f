package auth

import (
	"time"

	"esplanade/ike/wire"
)

// A side can prove several identities one after another (RFC 4739), each by a method of its own. The AUTH payload of each proof but
// the last comes with ANOTHER_AUTH_FOLLOWS, and the next message of that side has an identity and begins the next proof:
//
//	IKE_AUTH     IDi, AUTH, N(ANOTHER_AUTH_FOLLOWS)  -->
//	                                                 <--  IDr, AUTH
//	IKE_AUTH     IDi, AUTH                           -->
//	                                                 <--  what is not a proof
//
// The two sides do so independently of each other: either may have more than the other.

// Round is one of several proofs of a side.
type Round struct {
	// Authenticator is the proof.
	Authenticator
	// Shows gives the identity that this side shows in the round, and Hears takes the one that the peer shows. Of the two, that is set which
	// the round is for, and neither in the first round: its identities are in the messages anyway.
	Shows func() *wire.ID
	Hears func(*wire.ID) error
}

// ProveRounds proves this side in several rounds, CheckRounds has the peer prove itself in as many. The first round's authenticator
// may be one of those for a PPK: the keys are changed once, and the AUTH values of later rounds are made with them.
func ProveRounds(list []Round) Authenticator { return &rounds{list: list, own: true} }

// CheckRounds is the other side of [ProveRounds].
func CheckRounds(list []Round) Authenticator { return &rounds{list: list} }

// rounds is a proof in rounds.
type rounds struct {
	list []Round
	own  bool
	// at is the present round; done: its proof is complete. begun: its first message was exchanged.
	at          int
	done, begun bool
}

// Build makes this side's part of the present round, with its identity in front if it is the round's first message.
func (r *rounds) Build(t *Transcript) (Step, error) {
	round := &r.list[r.at]
	var id []wire.Payload
	if round.Shows != nil && !r.begun {
		t.OwnID = round.Shows()
		id = []wire.Payload{t.OwnID}
	}
	s, err := round.Build(t)
	if err != nil || s.Status == Wait {
		return s, err
	}
	out := append(id, s.Payloads...)
	if r.own && findAuth(s.Payloads) != nil && !r.last() {
		out = append(out, &wire.Notify{NotifyType: wire.NotifyAnotherAuthFollows})
	}
	return Step{Status: r.status(s.Status, !t.Initiator), Payloads: out}, nil
}

// Process takes the peer's part. How many rounds there are is judged before anything is compared with a key: the message may be for
// another connection with the same identities.
//
// An initiator begins no second round with a responder that has proved nothing: whoever has answered would be shown one proof after
// another, and could try passwords on those of pre-shared keys.
func (r *rounds) Process(t *Transcript, in []wire.Payload) (Step, error) {
	round := &r.list[r.at]
	if !r.own {
		if round.Hears != nil && !r.begun {
			if err := r.hear(t, round, in); err != nil {
				return Step{}, err
			}
		}
		if more := findNotify(in, wire.NotifyAnotherAuthFollows) != nil; findAuth(in) != nil && more == r.last() {
			return Step{}, &RoundsError{Want: len(r.list), Round: r.at + 1, More: more}
		}
	}
	if r.own && t.Initiator && !r.last() && t.PeerRounds == 0 && findAuth(in) == nil {
		return Step{}, &MethodError{Missing: true}
	}
	until := t.Peer.Until
	s, err := round.Process(t, in)
	if err != nil || s.Status == Wait {
		return s, err
	}
	if !r.own && s.Status == Done {
		t.PeerRounds = r.at + 1
		t.Peer.Until = earlier(until, t.Peer.Until) // all of the peer's certificates have to be valid
	}
	return Step{Status: r.status(s.Status, t.Initiator)}, nil
}

// earlier is the earlier of two ends. The zero time is none.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// hear takes the identity that a round of the peer begins with.
func (r *rounds) hear(t *Transcript, round *Round, in []wire.Payload) error {
	for _, p := range in {
		if id, ok := p.(*wire.ID); ok && id.Responder == t.Initiator {
			return round.Hears(id)
		}
	}
	return &RoundsError{Want: len(r.list), Round: r.at + 1, NoID: true}
}

// last reports whether the present round is the last one.
func (r *rounds) last() bool { return r.at == len(r.list)-1 }

// status is what half of an exchange comes to, and moves on to the next round behind the second half of an exchange with which a round
// is complete.
func (r *rounds) status(s Status, second bool) Status {
	r.done = r.done || s == Done
	out := NeedMore
	if r.done && r.last() {
		out = s
	}
	if second {
		r.begun = true
		if r.done && !r.last() {
			r.at++
			r.done, r.begun = false, false
		}
	}
	return out
}

// Held is what the rounds keep.
func (r *rounds) Held() (n int) {
	for _, x := range r.list {
		n += x.Held()
	}
	return n
}

// Close ends what the rounds keep.
func (r *rounds) Close() {
	for _, x := range r.list {
		if c, ok := x.Authenticator.(closer); ok {
			c.Close()
		}
	}
}

// Verdict is that of the present round.
func (r *rounds) Verdict() error { return verdict(r.list[r.at].Authenticator) }

// Claimed is that of the present round.
func (r *rounds) Claimed() string { return claimed(r.list[r.at].Authenticator) }
