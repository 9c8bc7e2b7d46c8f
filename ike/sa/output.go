package sa

import (
	"time"

	"esplanade/ike/diag"
	"esplanade/ike/selector"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// Output is something a machine wants done or known. The concrete types are those of this file; an event loop handles
// them in the order in which [Machine.Outputs] gives them.
type Output interface{ output() }

// Send is a datagram for the peer. The octets stay unchanged for good: a retransmission is the same slice.
type Send struct {
	Path     Path
	Datagram []byte
}

// SendKeepalive is the one-octet NAT keepalive of RFC 3948 section 2.3.
type SendKeepalive struct{ Path Path }

// InstallInbound asks for Child.Inbound to be installed: from now on the peer may send with it.
type InstallInbound struct{ Child *Child }

// InstallOutbound asks for Child.Outbound to become the SA that carries the traffic of Child.Policy. Whatever SA
// the policy had before is replaced between two packets.
type InstallOutbound struct{ Child *Child }

// RemoveInbound and RemoveOutbound take a direction away. The loop releases what it keeps of a child when both are gone.
type RemoveInbound struct{ Child *Child }

// RemoveOutbound is the other direction of [RemoveInbound].
type RemoveOutbound struct{ Child *Child }

// UpdatePath moves both directions of an installed child to Child.Path.
type UpdatePath struct{ Child *Child }

// UpdateSelectors makes both directions of an installed child select what Child.TS says now.
type UpdateSelectors struct{ Child *Child }

// StateChanged reports a transition of the IKE SA.
type StateChanged struct {
	From, To State
	Reason   string
}

// Established reports that the IKE SA is authenticated both ways.
type Established struct{}

// PPKUnused reports that the IKE SA is protected without the PPK that is configured for it: the peer has none, or another one.
type PPKUnused struct{ ID string }

// Closed is the last output of a machine that has ended. Failure is nil when it was closed on purpose. A machine may
// go on answering retransmissions for a while (see [Machine.Done]).
type Closed struct {
	Reason  string
	Failure *diag.Failure
}

// DeletedByPeer is the reason of an IKE SA that the peer has deleted.
const DeletedByPeer = "deleted by the peer"

// Failed reports a failure that does not close the IKE SA by itself: a child that could not be created, a rekey that
// was refused, a message that was rejected.
type Failed struct {
	Failure *diag.Failure
	// Child is the configured child that the failure is about, or nil.
	Child *ChildConfig
	// Part is set when it is about a further CHILD SA for a part of a child that is up.
	Part *selector.Pair
	// Early: it is said at once for people to see, and has ended nothing. If it does, [Closed] has the same Failure.
	Early bool
}

// ChildUp reports a new CHILD SA that did not replace another.
type ChildUp struct{ Child *Child }

// ChildReplaced reports that New carries the traffic of Old.
type ChildReplaced struct{ Old, New *Child }

// ChildDown reports that a CHILD SA has gone without a successor. ByPeer: the peer has deleted it, or its IKE SA. Otherwise this side has, or
// it was lost.
type ChildDown struct {
	Child  *Child
	Reason string
	ByPeer bool
}

// Replaced reports that the IKE SA was rekeyed: Successor is a machine of its own, established, with the children
// moved to it. The loop must register it under its SPI before the next datagram is handled.
type Replaced struct{ Successor *Machine }

// Spawned reports a machine that a collision of two IKE rekeyings has brought about and that may turn out to be the
// redundant one. The loop registers it as it does a successor.
type Spawned struct{ Machine *Machine }

// Touched reports that an input to this machine has given another one outputs, which the loop drains next.
type Touched struct{ Machine *Machine }

// ReauthDue reports that it is time to reauthenticate: by another IKE SA in addition to this one, or in its place (RFC 7296
// section 2.8.3). It is put out again at the time that [Machine.ScheduleReauth] sets.
type ReauthDue struct{}

// Redirected reports that the peer sends this side to another gateway, and in which exchange. With IKE_SA_INIT and
// IKE_SESSION_RESUME, where nothing proves more than that the answer's sender has seen the request, and with IKE_AUTH the IKE SA ends by itself
// without having been established; with INFORMATIONAL it stays until it is deleted.
type Redirected struct {
	Gateway  wire.Gateway
	Exchange wire.ExchangeType
}

// Redirecting reports that the peer was told to go to another gateway.
type Redirecting struct {
	Gateway  wire.Gateway
	Exchange wire.ExchangeType
}

// PeerInitialContact reports that an authenticated peer knows of no other SA with us: whatever else exists between the
// two identities is stale (RFC 7296 section 2.4).
type PeerInitialContact struct{}

// ExchangeDone is the material for the one log line an exchange gets.
type ExchangeDone struct {
	Exchange  wire.ExchangeType
	MessageID uint32
	// Initiated reports whether this side made the request.
	Initiated         bool
	Path              Path
	Request, Response string // payloads in short, as wire.Summary writes them
	RequestLen        int
	ResponseLen       int
	// Bare tells that the request was a liveness check: without payloads (RFC 7296 section 2.4), or with those that
	// MOBIKE adds (RFC 4555 section 3.8).
	Bare bool
	// Took is the time from the first request to the response; Retransmits how often the request was repeated.
	Took        time.Duration
	Retransmits int
}

// Moved reports that the IKE SA has other addresses than before, or, with ESP, that only its CHILD SAs have.
type Moved struct {
	From, To Path
	Reason   string
	ESP      bool
}

// Retransmitted reports a repeated request, so that silence can be seen while it lasts.
type Retransmitted struct {
	Exchange  wire.ExchangeType
	MessageID uint32
	Path      Path
	Try       int
	// Silence is set from the second repetition on, where something depends on the answer.
	Silence *Silence
}

// Ignored reports an input that was dropped without an effect, with the reason for a counter. Machines never
// answer such input.
type Ignored struct {
	Path   Path
	Reason IgnoreReason
	Detail string
}

// KeysDerived carries the keys of an IKE SA for a packet analyser; see [Env.ExportKeys]. It is a secret.
type KeysDerived struct {
	SPIi, SPIr wire.SPI
	Keys       suite.Keys
}

func (Send) output()               {}
func (SendKeepalive) output()      {}
func (InstallInbound) output()     {}
func (InstallOutbound) output()    {}
func (RemoveInbound) output()      {}
func (RemoveOutbound) output()     {}
func (UpdatePath) output()         {}
func (UpdateSelectors) output()    {}
func (StateChanged) output()       {}
func (Established) output()        {}
func (PPKUnused) output()          {}
func (Closed) output()             {}
func (Failed) output()             {}
func (ChildUp) output()            {}
func (ChildReplaced) output()      {}
func (ChildDown) output()          {}
func (Replaced) output()           {}
func (Touched) output()            {}
func (Spawned) output()            {}
func (ReauthDue) output()          {}
func (Redirected) output()         {}
func (Redirecting) output()        {}
func (PeerInitialContact) output() {}
func (ExchangeDone) output()       {}
func (Moved) output()              {}
func (Retransmitted) output()      {}
func (Ignored) output()            {}
func (KeysDerived) output()        {}

// IgnoreReasons lists all reasons. The list is the caller's.
func IgnoreReasons() []IgnoreReason {
	return []IgnoreReason{
		IgnoreMalformed, IgnoreSPI, IgnoreFlags, IgnoreMessageID, IgnoreICV, IgnoreState, IgnoreUnprotected, IgnoreLate, IgnoreDuplicate,
		IgnoreCritical, IgnoreUnauthentic, IgnoreToken, IgnoreFragmentLimit, IgnoreRedirect, IgnoreCookie, IgnoreHalfOpen, IgnoreSource,
		IgnoreBudget, IgnorePushedOut, IgnorePending, IgnoreBusy, IgnoreRepeated, IgnoreOverload,
	}
}

// IgnoreReason says why an input had no effect. Its text is the label of a counter.
type IgnoreReason string

// The reasons for which a machine drops input.
const (
	IgnoreMalformed     IgnoreReason = "malformed"        // does not parse, and was not authenticated
	IgnoreSPI           IgnoreReason = "wrong_spi"        // belongs to another SA
	IgnoreFlags         IgnoreReason = "wrong_flags"      // the initiator flag contradicts the SA
	IgnoreMessageID     IgnoreReason = "wrong_message_id" // outside the window, RFC 7296 section 2.3
	IgnoreICV           IgnoreReason = "bad_icv"          // does not authenticate
	IgnoreState         IgnoreReason = "wrong_state"      // an exchange that this state does not allow
	IgnoreUnprotected   IgnoreReason = "unprotected"      // in the clear where SK is required
	IgnoreLate          IgnoreReason = "late"             // a response to nothing outstanding
	IgnoreDuplicate     IgnoreReason = "duplicate"        // a repeated fragment or cookie challenge
	IgnoreCritical      IgnoreReason = "critical_payload" // a response with an unknown critical payload
	IgnoreUnauthentic   IgnoreReason = "unauthentic"      // an unprotected error that must not decide anything
	IgnoreToken         IgnoreReason = "wrong_token"      // a QCD_TOKEN that is not the peer's, RFC 6290
	IgnoreFragmentLimit IgnoreReason = "fragment_limit"   // more fragments than are kept
	IgnoreRedirect      IgnoreReason = "redirect"         // a REDIRECT that must not be followed, RFC 5685
	IgnoreCookie        IgnoreReason = "cookie_demanded"  // answered with a request for a cookie, RFC 7296 section 2.6
	IgnoreHalfOpen      IgnoreReason = "half_open_limit"  // as many half-open IKE SAs as there may be
	IgnoreSource        IgnoreReason = "block_threshold"  // as many half-open IKE SAs of one source as there may be
	IgnoreBudget        IgnoreReason = "ke_budget"        // an expensive key exchange while there were too many of them
	IgnorePushedOut     IgnoreReason = "pushed_out"       // a half-open IKE SA that has made room for another peer's
	IgnorePending       IgnoreReason = "being_answered"   // a request whose answer waits for something of this side
	IgnoreBusy          IgnoreReason = "busy"             // a request that this side could do nothing with now
	IgnoreRepeated      IgnoreReason = "repeated"         // a request that was answered, again and again
	IgnoreOverload      IgnoreReason = "overload"         // a request for a new IKE SA, while too many others waited
)
