package auth

import (
	"errors"

	"esplanade/ike/wire"
)

// MethodError: the peer proves itself by another method than is asked for. Nothing has been compared with a secret, so that
// the peer may as well be that of another connection, with the same identities and this method.
type MethodError struct {
	Want wire.AuthMethod
	// Got is the peer's. Missing: its message has no AUTH payload, by which an initiator asks for EAP (RFC 7296 section 2.16).
	Got     wire.AuthMethod
	Missing bool
}

func (e *MethodError) Error() string {
	if e.Missing {
		return "auth: no AUTH payload where " + e.Want.String() + " is asked for"
	}
	return "auth: " + e.Got.String() + " where " + e.Want.String() + " is asked for"
}

var (
	// ErrNoSecret: there is no key for the two identities.
	ErrNoSecret = errors.New("auth: no key for these identities")
	// ErrMismatch: the peer's AUTH value is not that of the key.
	ErrMismatch = errors.New("auth: the AUTH value is that of another key")
	// ErrStripped: the peer has the key, and has not seen this side's IKE_SA_INIT_FULL_TRANSCRIPT_AUTH although both have sent one:
	// somebody on the way has taken it out of IKE_SA_INIT.
	ErrStripped = errors.New("auth: the AUTH value covers one IKE_SA_INIT message where both sides have asked for both")
)

// PPKError: the sides do not agree on a post-quantum preshared key.
type PPKError struct {
	Reason PPKReason
	// Kind and ID are what the peer has named, for PPKUnknown; ID may be anything, of any length.
	Kind wire.PPKIDType
	ID   string
}

func (e *PPKError) Error() string { return "auth: PPK: " + e.Reason.String() }

// PPKReason says in what the sides disagree.
type PPKReason uint8

// The reasons of a [PPKError].
const (
	// PPKNotConfirmed: the responder's IKE_AUTH has no PPK_IDENTITY, and this side requires the PPK.
	PPKNotConfirmed PPKReason = iota + 1
	// PPKNotAnnounced: the initiator's IKE_SA_INIT has no USE_PPK, and this side requires a PPK.
	PPKNotAnnounced
	// PPKNoneHere: the initiator has announced a PPK, this side requires one and has none.
	PPKNoneHere
	// PPKNotNamed: USE_PPK was exchanged, and IKE_AUTH has no PPK_IDENTITY.
	PPKNotNamed
	// PPKMalformed: the PPK_IDENTITY has no identity.
	PPKMalformed
	// PPKUnknown: the PPK is not one for this peer.
	PPKUnknown
	// PPKDiffers: both sides have a PPK of that identity, and they are different keys. AUTH without it is right.
	PPKDiffers
)

// String says what is wrong, as a part of a sentence.
func (r PPKReason) String() string {
	switch r {
	case PPKNotConfirmed:
		return "not confirmed"
	case PPKNotAnnounced:
		return "not announced"
	case PPKNoneHere:
		return "announced, and none here"
	case PPKNotNamed:
		return "announced and not named"
	case PPKMalformed:
		return "without an identity"
	case PPKUnknown:
		return "not one for this peer"
	case PPKDiffers:
		return "another key"
	}
	return "unknown"
}
