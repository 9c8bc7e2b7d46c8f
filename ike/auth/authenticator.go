package auth

import (
	"time"

	"esplanade/ike/wire"
)

// Status is what an authenticator has come to.
type Status uint8

const (
	// NeedMore: the proof is not complete. Another message is needed, of the peer or of this side.
	NeedMore Status = iota
	// Done: the proof is complete. In this round the authenticator is still asked for its part of the other message, and in
	// no later one.
	Done
	// Wait: something has to be done first that takes time, and [Transcript.Ask] has asked for it. Nothing is sent meanwhile.
	Wait
)

// Step is the answer of an authenticator.
type Step struct {
	Status Status
	// Payloads are for this side's message. Only Build returns any.
	Payloads []wire.Payload
}

// Want asks the owner of an IKE SA for something that takes time: a signature, the verdict on a chain of certificates, the
// answer of an AAA server. The concrete type says which, and what is in it is all that the answer depends on.
type Want interface {
	// Same reports whether an answer to other is as good for this one.
	Same(other Want) bool
	// String says what is wanted, for people; it has no secret in it.
	String() string
}

// Work is a [Want] that is carried out by computing, or by asking a token that has a key.
type Work interface {
	Want
	// CarryOut does all there is to it. It may be called on any goroutine.
	CarryOut() Answer
	// Cost is about how long that takes on one core.
	Cost() time.Duration
}

// Answer is what became of a [Want]: a value of a type that goes with that of the Want, or why there is none.
type Answer struct {
	Value any
	Err   error
}

// Authenticator is one proof of an IKE SA, as one side has it. It belongs to the goroutine that the machine of the IKE SA
// belongs to. An error ends the IKE SA; [MethodError] alone leaves room for another connection.
//
// An authenticator that returns Wait is called again in the same way when the answer is there. It begins again and must not
// have changed anything before.
type Authenticator interface {
	// Build makes what this side's next message carries for this proof, nothing if it has nothing to say. It may be called
	// more than once for one message, with other keys in t (RFC 8784 needs two AUTH values): what carries the proof
	// forward is Process.
	Build(t *Transcript) (Step, error)
	// Process takes the peer's message, of which the payloads of other proofs are passed over.
	Process(t *Transcript, in []wire.Payload) (Step, error)
	// Held is how many octets of what the peer has sent are kept. Before the end the peer may be anybody.
	Held() int
}
