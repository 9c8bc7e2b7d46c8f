// Package auth is how the two sides of an IKE SA prove who they are in IKE_AUTH (RFC 7296 sections 2.15 and 2.16): it makes
// the payloads that this side proves itself with and judges those of the peer. It is pure: no clock, no I/O, no logger.
// Secrets come in through functions that its caller gives, results go out as values, errors are typed.
//
// # Authenticators
//
// An [Authenticator] is one proof as one side has it: either this side proves itself, or the peer does. IKE_AUTH takes as
// many rounds, each a request and its answer, as the slower of the two proofs needs. In each round an authenticator is asked
// once for what this side's message carries ([Authenticator.Build]) and given the peer's message once
// ([Authenticator.Process]); the initiator builds first, the responder processes first:
//
//	initiator   Build    --IKE_AUTH-->   Process   responder
//	            Process  <--IKE_AUTH--   Build
//
// What it answers is a [Step]: Done, NeedMore (another message of the peer or another one of this side), or Wait (for
// something that takes time, which it has asked for with [Transcript.Ask]; it is called once more when the answer is there).
//
// Both proofs of an IKE SA are a [Pair], which is an authenticator itself; [ProvePPK] and [CheckPPK] are one around another.
// Each direction has a method of its own, so that a gateway with a certificate can serve users with EAP.
//
// # What may live here
//
// Methods, a file each, and what all of them share. What a method needs of the IKE SA is in the [Transcript]. Which
// connection it is, whether a peer that has proved itself is let in, and how a failure reads belongs to package sa.
package auth
