package auth

import (
	"bytes"
	"net/netip"
	"sync"
	"time"

	"esplanade/ike/eap"
)

// What EAP takes time for: [EAPStep] is work for a processor, which a handshake of TLS has much of, and [EAPRelay] is a question to a RADIUS
// server. The value of an answer to the first is an [eap.Step], to the second a [Relayed].

// conversation is an [eap.Server] or an [eap.Client]. It is used by one goroutine at a time.
type conversation interface {
	Step(now time.Time, in []byte) eap.Step
	Cost(in []byte) time.Duration
	Close()
}

// EAPStep wants a conversation to take a packet, and what it says to it.
type EAPStep struct {
	redacted
	turn *eapTurn
}

// eapTurn is a step of a conversation, which is made once, whoever asks for it, and how often.
type eapTurn struct {
	conversation conversation
	now          time.Time
	in           []byte
	cost         time.Duration

	once sync.Once
	out  eap.Step
}

func newTurn(c conversation, now time.Time, in []byte) *eapTurn {
	return &eapTurn{conversation: c, now: now, in: in, cost: c.Cost(in)}
}

// Same implements [Want].
func (s EAPStep) Same(other Want) bool {
	o, ok := other.(EAPStep)
	return ok && s.turn == o.turn
}

// String implements [Want].
func (s EAPStep) String() string { return "a step of EAP" }

// CarryOut makes the step. It may be called on any goroutine, and no other step of the conversation is made meanwhile.
func (s EAPStep) CarryOut() Answer {
	t := s.turn
	t.once.Do(func() { t.out = t.conversation.Step(t.now, t.in) })
	return Answer{Value: t.out}
}

// Cost is about how long that takes on one core.
func (s EAPStep) Cost() time.Duration { return s.turn.cost }

// EAPRelay wants to know what a RADIUS server says to a packet of EAP (RFC 3579). The value of its answer is a [Relayed]. If no server
// answers, or one does what it must not, the error says so.
type EAPRelay struct {
	redacted
	// Connection and Index name the table that the user is checked by, the connection and the round of its peer.
	Connection string
	Index      int
	// IKE is the number of the IKE SA, and Local and Remote are where its ends are.
	IKE           uint64
	Local, Remote netip.AddrPort
	// Identity is IDi, for people and for attributes; User is the name that the user has given, or IDi where it was not asked for one.
	Identity, User string
	// Turn counts the packets of the conversation, from 0. In is the packet: EAP-Response/Identity in the first turn.
	Turn int
	In   []byte
	// State is what the answer to the turn before has brought along, nil in the first turn.
	State any
}

// Relayed is what a RADIUS server has said.
type Relayed struct {
	// Step is its packet for the peer, and at the end who the user is, with the key, or an [*eap.Failure].
	Step eap.Step
	// State is for whoever asks for the next turn.
	State any
}

// Same implements [Want].
func (r EAPRelay) Same(other Want) bool {
	o, ok := other.(EAPRelay)
	return ok && r.Turn == o.Turn && r.Connection == o.Connection && r.Index == o.Index && bytes.Equal(r.In, o.In)
}

// String implements [Want].
func (r EAPRelay) String() string { return "what the RADIUS server says" }
