package auth

import (
	"time"

	"esplanade/ike/aaa"
	"esplanade/ike/identity"
	"esplanade/ike/pki"
	"esplanade/ike/pki/revocation"
	"esplanade/ike/suite"
	"esplanade/ike/wire"
)

// Transcript is what the two sides of one IKE SA authenticate, and how far they have come. Authenticators read it; its owner
// fills it in, and [Pair] and the wrappers for a PPK write what their fields say.
type Transcript struct {
	PRF suite.PRF
	// Keys are those in force: SK_pi and SK_pr make AUTH values. A PPK replaces them, and SK_d with them.
	Keys suite.Keys
	// Initiator: this side is the original initiator.
	Initiator bool
	// OwnMessage and PeerMessage are the IKE_SA_INIT messages, or those of IKE_SESSION_RESUME, as they were on the wire in the
	// form that was accepted, without a non-ESP marker. Ni and Nr are the nonces in them.
	OwnMessage, PeerMessage []byte
	Ni, Nr                  []byte
	// Full: both sides have sent IKE_SA_INIT_FULL_TRANSCRIPT_AUTH, so that what each of them authenticates has both messages in it.
	Full bool
	// OwnID and PeerID are the latest identities that each side has sent (RFC 4739 section 2.1); nil before.
	OwnID, PeerID *wire.ID
	// IntAuth covers the IKE_INTERMEDIATE exchanges; empty if there were none. https://www.rfc-editor.org/rfc/rfc9242#section-3.3.2
	IntAuth []byte

	// Now is the time at which the round goes on: certificates are judged by it.
	Now time.Time
	// OwnHashes and PeerHashes are what each side's SIGNATURE_HASH_ALGORITHMS in IKE_SA_INIT has; nil if it has sent none.
	OwnHashes, PeerHashes []wire.HashAlgorithm
	// PeerMethods are what the peer has announced that it takes (RFC 9593), nil for nothing; their links are to the CAs of Requests.
	PeerMethods []wire.AuthAnnouncement
	// Requests are the peer's CERTREQ payloads.
	Requests []*wire.CertReq
	// Peer is who has proved itself by a signature, and PeerScheme what that is made by. [CheckSignature] sets both.
	Peer pki.Peer
	// PeerCerts name all certificates that it was let in by, of each round.
	PeerCerts  []revocation.Ref
	PeerScheme Scheme
	// Own is what this side has signed with. [ProveSignature] sets it.
	Own Signed
	// PeerGoodUntil is how long it is known that none of the peer's certificates was revoked. Zero: nothing bounds it. [CheckSignature] sets it.
	PeerGoodUntil time.Time

	// User is who has proved itself by EAP: the initiator. [CheckEAP] and [ProveEAP] set it, once both sides have shown the key.
	User *aaa.User
	// ByEAP: the responder has proved itself by EAP alone. [ProveEAP] sets it.
	ByEAP bool

	// OwnProved and PeerProved tell which proofs are complete. [Pair] sets them.
	OwnProved, PeerProved bool
	// PeerRounds is how many proofs of the peer are complete, where it makes several ([CheckRounds] sets it).
	PeerRounds int
	// Ask gives the answer to a Want. ok is false if there is none yet: the authenticator returns Wait then.
	Ask func(Want) (a Answer, ok bool)
	// PPK is the identity of the PPK in Keys. PPKUsed: there is one.
	PPK     string
	PPKUsed bool
}

// OwnOctets is what this side's AUTH values cover, under the keys in force.
func (t *Transcript) OwnOctets() []byte { return t.octets(t.Initiator) }

// PeerOctets is what the peer's AUTH values cover, under the keys in force.
func (t *Transcript) PeerOctets() []byte { return t.octets(!t.Initiator) }

func (t *Transcript) octets(initiator bool) []byte {
	message, received, id := t.PeerMessage, t.OwnMessage, t.PeerID
	if initiator == t.Initiator {
		message, received, id = t.OwnMessage, t.PeerMessage, t.OwnID
	}
	if t.Full {
		message = FullTranscript(received, message)
	}
	nonce := t.Ni
	if initiator {
		nonce = t.Nr
	}
	return append(SignedOctets(t.PRF, message, nonce, t.skp(initiator), id.AppendBody(nil)), t.IntAuth...)
}

// Digital reports whether signatures are those of RFC 7427: "the peer is only allowed to use this authentication method if the Notify
// payload of type SIGNATURE_HASH_ALGORITHMS has been sent and received by each peer".
// https://www.rfc-editor.org/rfc/rfc7427#section-3
func (t *Transcript) Digital() bool { return t.OwnHashes != nil && t.PeerHashes != nil }

// signatureMethod is the method that is named where a signature is asked for.
func (t *Transcript) signatureMethod() wire.AuthMethod {
	if t.Digital() {
		return wire.AuthDigitalSignature
	}
	return wire.AuthRSA
}

// peerIdentity is who the peer says it is. Its owner has read it before.
func (t *Transcript) peerIdentity() identity.Identity {
	id, _ := identity.FromWire(uint8(t.PeerID.IDType), t.PeerID.Data)
	return id
}

// Alone is the transcript without downgrade prevention: what a peer authenticates that has not seen this side's
// IKE_SA_INIT_FULL_TRANSCRIPT_AUTH. No proof may be judged by it; it is for finding out why one is wrong.
func (t *Transcript) Alone() *Transcript {
	alone := *t
	alone.Full = false
	return &alone
}

// skp is SK_pi or SK_pr.
func (t *Transcript) skp(initiator bool) []byte {
	if initiator {
		return t.Keys.Pi
	}
	return t.Keys.Pr
}

// findAuth returns the AUTH payload of a message, or nil.
func findAuth(in []wire.Payload) *wire.Auth {
	for _, p := range in {
		if a, ok := p.(*wire.Auth); ok {
			return a
		}
	}
	return nil
}

// findNotify returns the first notification of a type, or nil.
func findNotify(in []wire.Payload, t wire.NotifyType) *wire.Notify {
	for _, p := range in {
		if n, ok := p.(*wire.Notify); ok && n.NotifyType == t {
			return n
		}
	}
	return nil
}
