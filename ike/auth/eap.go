package auth

import (
	"bytes"
	"crypto/hmac"
	"errors"

	"esplanade/ike/eap"
	"esplanade/ike/wire"
)

// EAP proves a user to a gateway in IKE_AUTH (RFC 7296 section 2.16): the initiator leaves AUTH out, the responder proves itself first, and
// what EAP comes to is bound to the IKE SA by two AUTH values with its key:
//
//	IKE_AUTH     IDi, …                  -->
//	                                     <--  IDr, [CERT+,] AUTH, EAP(Request)
//	IKE_AUTH     EAP(Response)           -->
//	                                     <--  EAP(Request)
//	…
//	                                     <--  EAP(Success)
//	IKE_AUTH     AUTH                    -->
//	                                     <--  AUTH, …
//
// The two AUTH values at the end belong to the proof of the initiator: [ProveEAP] makes the one and checks the other, [CheckEAP] the other
// way round. What the responder proves itself with before is a proof of its own, of any method. With N(EAP_ONLY_AUTHENTICATION) there is none
// (RFC 5998), and [ProveByEAP] and [CheckByEAP] stand in its place.

// EAPServer is what checks the users of a connection.
type EAPServer struct {
	// Config is that of a server of EAP in this gateway. Nil: a RADIUS server is it, and what the peer says is relayed, see [EAPRelay].
	Config *eap.ServerConfig
	// Guard bounds how often passwords of that server are guessed from where the peer is; nil: nothing does.
	Guard eap.Guard
	// AskIdentity: with RADIUS, the user is asked for a name first. Without, IDi is the name. A server in this gateway has its own.
	AskIdentity bool
	// Realm names what vouches for the users, in a text that is only compared: whom one server has let in, another one with the same text would have
	// let in by the same means. "": no other would.
	Realm string
}

// Alike reports whether a user whom one of the two has checked counts as checked by the other.
func (s EAPServer) Alike(o EAPServer) bool {
	return s.relays() == o.relays() && (s.Realm != "" && s.Realm == o.Realm || !s.relays() && s.Config == o.Config)
}

func (s EAPServer) relays() bool { return s.Config == nil }

// EAPReason says why EAP has not proved who a user is.
type EAPReason uint8

// The reasons of an [EAPError].
const (
	// EAPFailed: a method has failed, or none was found. Failure says more, or Err, of what could not be asked.
	EAPFailed EAPReason = iota + 1
	// EAPMissing: a message has no EAP payload where it has to go on.
	EAPMissing
	// EAPBroken: what the peer sends in its place in EAP is none that could be there.
	EAPBroken
	// EAPUnsafe: the method does not prove both sides, or makes no key, and nothing else proves the responder (RFC 5998 section 3).
	EAPUnsafe
	// EAPNotOffered: the responder proves itself by EAP alone here, and the initiator has not said EAP_ONLY_AUTHENTICATION.
	EAPNotOffered
	// EAPNotAllowed: the user is who it says, and may not come in. Err says why.
	EAPNotAllowed
	// EAPOtherKey: AUTH behind EAP is made with another key.
	EAPOtherKey
	// EAPTooMuch: the peer has sent more than [MaxEAPOctets].
	EAPTooMuch
)

// String says what is wrong, as a part of a sentence.
func (r EAPReason) String() string {
	switch r {
	case EAPFailed:
		return "failed"
	case EAPMissing:
		return "a message without EAP"
	case EAPBroken:
		return "a message that can't be there"
	case EAPUnsafe:
		return "a method that does not prove both sides"
	case EAPNotOffered:
		return "not offered as the only proof"
	case EAPNotAllowed:
		return "not allowed"
	case EAPOtherKey:
		return "another key"
	case EAPTooMuch:
		return "too much"
	}
	return "unknown"
}

// EAPError: EAP has not proved who the user is, or not as it is asked for.
type EAPError struct {
	Reason EAPReason
	// User is the name by which the user is known so far, "" for none. Anybody may have said it, and it may be of any length.
	User string
	// Failure says which method has failed and why; nil for other reasons.
	Failure *eap.Failure
	// Out is the EAP packet that tells the peer; nil if there is none. "If the exchange is terminated with EAP Failure, an
	// AUTHENTICATION_FAILED notification is not sent": https://www.rfc-editor.org/rfc/rfc7296#section-2.21
	Out *wire.EAP
	Err error
	// Detail says what came, for [EAPBroken] and [EAPMissing].
	Detail string
}

func (e *EAPError) Error() string {
	switch {
	case e.Failure != nil:
		return "auth: EAP: " + e.Failure.Error()
	case e.Err != nil:
		return "auth: EAP: " + e.Reason.String() + ": " + e.Err.Error()
	case e.Detail != "":
		return "auth: EAP: " + e.Reason.String() + ": " + e.Detail
	}
	return "auth: EAP: " + e.Reason.String()
}

// Unwrap: another key is a kind of [ErrMismatch].
func (e *EAPError) Unwrap() error {
	if e.Reason == EAPOtherKey {
		return ErrMismatch
	}
	return e.Err
}

// ErrNoEAP: there is nothing that a user could be checked with, or could prove itself with.
var ErrNoEAP = errors.New("auth: nothing for EAP")

// MaxEAPOctets bounds the EAP packets that a peer sends before it has proved itself: chains of certificates in EAP-TLS are the longest.
const MaxEAPOctets = 128 << 10

// provesBoth reports whether what EAP has come to proves the responder as well: "Both the initiator and responder MUST verify that the EAP
// method actually used provided mutual authentication and established a shared secret key."
// https://www.rfc-editor.org/rfc/rfc5998#section-3
func provesBoth(r *eap.Result) bool { return r.Mutual && len(r.MSK) > 0 && r.Method.Safe() }

// eapAuth is an AUTH value behind EAP: with the MSK, and "[f]or non-key-generating methods, substitute SK_pi and SK_pr, respectively".
// https://www.rfc-editor.org/rfc/rfc7296#section-2.15
func eapAuth(t *Transcript, r *eap.Result, own bool) []byte {
	octets := t.PeerOctets()
	if own {
		octets = t.OwnOctets()
	}
	key := r.MSK
	if len(key) == 0 {
		key = t.skp(own == t.Initiator)
	}
	return PSK(t.PRF, key, octets)
}

// checkEAPAuth judges the peer's AUTH behind EAP.
func checkEAPAuth(t *Transcript, r *eap.Result, in []wire.Payload) error {
	a := findAuth(in)
	switch {
	case a == nil:
		return &EAPError{Reason: EAPBroken, User: r.User.Name, Detail: "no AUTH behind EAP-Success"}
	case a.Method != wire.AuthSharedKey:
		return &EAPError{Reason: EAPBroken, User: r.User.Name, Detail: "AUTH by " + a.Method.String() + " behind EAP-Success"}
	case hmac.Equal(eapAuth(t, r, false), a.Data):
		return nil
	case t.Full && hmac.Equal(eapAuth(t.Alone(), r, false), a.Data):
		return ErrStripped
	}
	return &EAPError{Reason: EAPOtherKey, User: r.User.Name}
}

// findEAP is the EAP payload of a message, or nil.
func findEAP(in []wire.Payload) *wire.EAP {
	for _, p := range in {
		if e, ok := p.(*wire.EAP); ok {
			return e
		}
	}
	return nil
}

// eapPayload is an EAP packet as a payload; ok is false for one that is none.
func eapPayload(packet []byte) (e *wire.EAP, ok bool) {
	if len(packet) < 4 || int(packet[2])<<8|int(packet[3]) != len(packet) {
		return nil, false
	}
	return &wire.EAP{Code: packet[0], Identifier: packet[1], Data: bytes.Clone(packet[4:])}, true
}

// eapFailure is the packet with which a responder ends EAP.
func eapFailure(identifier uint8) *wire.EAP {
	return &wire.EAP{Code: wire.EAPFailure, Identifier: identifier}
}
