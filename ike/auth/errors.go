package auth

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"esplanade/ike/wire"
)

// MethodError: the peer proves itself by another method than is asked for. Nothing has been compared with a secret, so that
// the peer may as well be that of another connection, with the same identities and this method.
type MethodError struct {
	Want wire.AuthMethod
	// Got is the peer's. Missing: its message has no AUTH payload, by which an initiator asks for EAP (RFC 7296 section 2.16).
	Got     wire.AuthMethod
	Missing bool
	// EAP: EAP is asked for, not Want.
	EAP bool
}

func (e *MethodError) Error() string {
	switch {
	case e.EAP:
		return "auth: " + e.Got.String() + " where EAP is asked for"
	case e.Missing:
		return "auth: no AUTH payload where " + e.Want.String() + " is asked for"
	}
	return "auth: " + e.Got.String() + " where " + e.Want.String() + " is asked for"
}

// SignatureError: the peer's signature is not that of its key.
type SignatureError struct {
	// Scheme is what AUTH says that it is made by, Key the kind of the key, such as "RSA 2048". Fits: the two go together.
	Scheme Scheme
	Key    string
	Fits   bool
	// Cert has the key; nil for a raw key.
	Cert *x509.Certificate
}

func (e *SignatureError) Error() string {
	if !e.Fits {
		return "auth: a signature by " + e.Scheme.String() + ", and a certificate with a key of " + e.Key
	}
	return "auth: the signature by " + e.Scheme.String() + " is not that of the key"
}

// Unwrap: it is a kind of [ErrMismatch].
func (e *SignatureError) Unwrap() error { return ErrMismatch }

// SignError: this side's key has made no signature.
type SignError struct{ Err error }

func (e *SignError) Error() string { return "auth: the key has made no signature: " + e.Err.Error() }

func (e *SignError) Unwrap() error { return e.Err }

// NoSchemeError: none of this side's keys can make a signature that the peer takes.
type NoSchemeError struct {
	// Keys are the kinds of this side's keys, and Announced the hashes of the peer.
	Keys      []string
	Announced []wire.HashAlgorithm
	// Digital: both sides know RFC 7427.
	Digital bool
}

func (e *NoSchemeError) Error() string {
	return fmt.Sprintf("auth: no signature for the peer with a key of %s: it takes %v", strings.Join(e.Keys, ", "), e.Announced)
}

// RoundsError: the peer makes more or fewer proofs than are asked for (RFC 4739), or this side's can't be made.
type RoundsError struct {
	// Want is how many are asked for, and Round the one that it was found in, from 1.
	Want, Round int
	// More: the peer announces another one behind the last that is asked for. Without, there is none behind one that is not the last.
	More bool
	// NoID: the message that another proof begins with has no identity. Unsupported: the peer has not said MULTIPLE_AUTH_SUPPORTED.
	NoID, Unsupported bool
}

func (e *RoundsError) Error() string {
	switch {
	case e.Unsupported:
		return "auth: the peer does not support several rounds of authentication"
	case e.NoID:
		return fmt.Sprintf("auth: round %d of %d has no identity", e.Round, e.Want)
	case e.More:
		return fmt.Sprintf("auth: the peer announces another proof behind round %d, the last one", e.Round)
	}
	return fmt.Sprintf("auth: the peer announces no proof behind round %d of %d", e.Round, e.Want)
}

var (
	// ErrNoKey: there is no private key for a signature of this side.
	ErrNoKey = errors.New("auth: no private key for a signature")
	// ErrNoTrust: nothing is trusted that could tell who the peer is.
	ErrNoTrust = errors.New("auth: no certificate or key is trusted for this peer")
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
