package gateway

import "esplanade/ike/sa"

// Meter counts what happens. Its methods are called on the goroutine of the [Manager] and must not block.
type Meter interface {
	// Add counts one more.
	Add(Count)
	// Ignored counts an input without effect.
	Ignored(sa.IgnoreReason)
	Failure(FailureKey)
	Exchange(ExchangeKey)
}

// Count is something that is counted without labels.
type Count int

// The counts.
const (
	CountSendErrors Count = iota // IKE messages that the system did not send
	CountRetransmits
	CountMoves       // changes of the addresses of an IKE SA or of its ESP
	CountEstablished // IKE SAs
	CountIKERekeys
	CountChildRekeys
	CountRedirected  // redirects that were followed
	CountRedirecting // redirects that peers were sent
	// Counts is how many there are.
	Counts
)

// FailureKey are the labels of the failure counter. None is a stranger's choice: connections are the configured ones, exchanges
// those of IKEv2 or "other", reasons those of package diag.
type FailureKey struct{ Connection, Exchange, Reason string }

// ExchangeKey are the labels of the exchange counter. Initiated: this side made the request.
type ExchangeKey struct {
	Exchange  string
	Initiated bool
}

// Stats is a copy of a gateway's counters.
type Stats struct {
	SendErrors, Retransmits, Moves, Established, IKERekeys, ChildRekeys, InboxDropped uint64
	// Redirected counts the redirects that were followed, Redirecting those that peers were sent.
	Redirected, Redirecting uint64
	Ignored                 map[sa.IgnoreReason]uint64
	Failures                map[FailureKey]uint64
	Exchanges               map[ExchangeKey]uint64
}
