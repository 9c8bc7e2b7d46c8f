package auth

import "esplanade/ike/wire"

// Status is what an authenticator has come to.
type Status uint8

const (
	// NeedMore: the proof is not complete. Another message is needed, of the peer or of this side.
	NeedMore Status = iota
	// Done: the proof is complete. In this round the authenticator is still asked for its part of the other message, and in
	// no later one.
	Done
	// Wait: something has to be done first that takes time, see [Step].Want. Nothing is sent meanwhile.
	Wait
)

// Step is the answer of an authenticator.
type Step struct {
	Status Status
	// Payloads are for this side's message. Only Build, or the Complete behind it, returns any.
	Payloads []wire.Payload
	// Want is what a step with Wait waits for.
	Want Want
}

// Want asks the owner of an IKE SA for something that takes time: a signature, the verdict on a chain of certificates, the
// answer of an AAA server. Its type says which. It carries no secret that the one who carries it out does not need.
type Want any

// Answer is what became of a [Want]: its result, of a type that goes with the type of the Want, or why there is none.
type Answer struct {
	Value any
	Err   error
}

// Authenticator is one proof of an IKE SA, as one side has it. It belongs to the goroutine that the machine of the IKE SA
// belongs to. An error ends the IKE SA; [MethodError] alone leaves room for another connection.
type Authenticator interface {
	// Build makes what this side's next message carries for this proof, nothing if it has nothing to say. It may be called
	// more than once for the same message, with other keys in t (RFC 8784 needs two AUTH values): what carries the proof
	// forward is Process.
	Build(t *Transcript) (Step, error)
	// Process takes the peer's message, of which the payloads of other proofs are passed over.
	Process(t *Transcript, in []wire.Payload) (Step, error)
	// Complete goes on where Build or Process has returned Wait, and returns what that one would have returned.
	Complete(t *Transcript, a Answer) (Step, error)
	// Held is how many octets of what the peer has sent are kept. Before the end the peer may be anybody.
	Held() int
}

// prompt is the part of authenticators that never wait and keep nothing.
type prompt struct{}

func (prompt) Complete(*Transcript, Answer) (Step, error) {
	panic("BUG: an answer for an authenticator that waits for none")
}

func (prompt) Held() int { return 0 }
