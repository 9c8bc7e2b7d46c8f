package sa

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// Request asks the owner of a machine for something that may block or take long. The answer comes back as an input,
// [Machine.Complete] with the same ID, at once or later, and from the goroutine that the machine belongs to. Requests may be
// completed in any order. One that is never completed ends by itself: see [Want].
type Request struct {
	// ID names the request among those of its machine. It is never used again.
	ID   uint64
	Want Want
	// Until is how long the machine waits. A result that comes later is of no use.
	Until time.Time
}

func (Request) output() {}

// Want is what a [Request] is for. The concrete types are those of this package, [KeyExchange] and [Proof]; each says which [Result] fulfils it, and any of them
// may be answered with [Unfulfilled].
type Want interface {
	// same reports whether a result for the other one is as good for this one.
	same(other Want) bool
	// patience is how long the machine waits for the result. After that the request has failed.
	patience() time.Duration
	String() string
}

// Work is a [Want] that is carried out by computing: a [KeyExchange], and a [Proof] whose own Want is work.
type Work interface {
	Want
	// CarryOut does all there is to it, on any goroutine.
	CarryOut() Result
	// Cost is about how long that takes on one core.
	Cost() time.Duration
}

// Result is what comes of a [Request].
type Result interface{ result() }

// Unfulfilled says that nothing comes of a request. A [*suite.KEError] blames the peer's public value, a [*RequestError] that this
// side had not the means or the time; any other error is a defect.
type Unfulfilled struct{ Err error }

func (Unfulfilled) result() {}

// RequestError is a request that this side could not carry out now. Another attempt may succeed.
type RequestError struct {
	Want   string
	Reason string
}

func (e *RequestError) Error() string { return e.Want + ": " + e.Reason }

// NotNow reports whether a request has failed for want of means or time, so that it is worth another attempt.
func NotNow(err error) bool {
	var e *RequestError
	return errors.As(err, &e)
}

// KeyExchange wants one step of a key exchange; [Exchanged] fulfils it. [KeyExchange.CarryOut] does all there is to it.
//
//	Own    Peer   step                                       gives
//	nil    nil    the initiator makes a private value        Own
//	nil    given  the responder answers a public value       Public and Shared
//	given  given  the initiator takes the answer             Shared
type KeyExchange struct {
	// Group is the method, the ID of a transform of type 4.
	Group uint16
	// Own is the initiator's private value. Whoever carries the request out may call Shared on it and nothing else.
	Own suite.KeyExchange
	// Peer is the Key Exchange Data of the peer. It must not be changed.
	Peer []byte
}

// Exchanged is the result of a [KeyExchange].
type Exchanged struct {
	Own            suite.KeyExchange
	Public, Shared []byte
}

func (Exchanged) result() {}

// keyExchangeTime is how long a machine waits for a step of a key exchange. The most expensive one takes a tenth of a second:
// the rest is for those that wait for their turn in front of it. It is less than what peers wait for an answer.
const keyExchangeTime = 5 * time.Second

func (KeyExchange) patience() time.Duration { return keyExchangeTime }

func (k KeyExchange) same(other Want) bool {
	o, ok := other.(KeyExchange)
	if !ok || o.Group != k.Group || !bytes.Equal(o.Peer, k.Peer) || (o.Own == nil) != (k.Own == nil) {
		return false
	}
	return k.Own == nil || bytes.Equal(o.Own.Public(), k.Own.Public())
}

func (k KeyExchange) String() string {
	return fmt.Sprintf("a key exchange with %s", wire.TransformName(wire.TransformKE, k.Group))
}

// Cost is about how long the step takes on one core, see [suite.Cost].
func (k KeyExchange) Cost() time.Duration { return suite.Cost(k.Group) }

// CarryOut makes the step. It may be called on any goroutine and takes up to a tenth of a second, without a way to stop it.
func (k KeyExchange) CarryOut() Result {
	var x Exchanged
	var err error
	switch {
	case k.Own != nil:
		x.Shared, err = k.Own.Shared(k.Peer)
	case k.Peer != nil:
		x.Public, x.Shared, err = suite.Respond(k.Group, k.Peer)
	default:
		x.Own, err = suite.NewKeyExchange(k.Group)
	}
	if err != nil {
		return Unfulfilled{err}
	}
	return x
}
