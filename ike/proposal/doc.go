// Package proposal says which algorithms an IKE SA or CHILD SA may use: it reads strongSwan's proposal strings, makes the
// proposals of SA payloads from them, and negotiates in both roles. When nothing fits, the error is a value that names
// both sides, the pair that came closest, and what differs in it.
//
//	"aes256gcm16-prfsha384-ecp384"  --Parse-->  Proposal  --Wire-->  wire.Proposal  --> SA payload
//	                                            Proposal  <-------- Choose (responder), Verify (initiator) --> Chosen
//
// A proposal string is a list of keywords joined by dashes. Several keywords of one kind are alternatives in order of
// preference; the order of keywords of different kinds means nothing. Keywords lists all that there are.
//
// Words that begin with ke1_ to ke7_ name additional key exchanges (RFC 9370); see additional.go.
//
// # Invariants
//
//   - Everything that Parse accepts is implemented in package suite (IKE) and package esp (ESP); a test over Keywords
//     holds them together.
//   - A Proposal that Parse returns is complete: IKE has ENCR, PRF and KE, ESP has ENCR and ESN, and INTEG is there
//     exactly if the encryption is not an AEAD. AEADs and other ciphers are never in one Proposal.
//   - A transform with an attribute that is not understood, or without a key length that it needs, is never chosen.
//   - Text made from what a peer sent contains only names of ours and numbers.
//
// Normative: RFC 7296 sections 2.7 and 3.3, RFC 9370 section 2.2.1, RFC 8247 and RFC 8221 for the defaults.
//
// Values are not modified after they are made and may be shared between goroutines. Nothing here has a clock, a socket,
// a goroutine or a log.
package proposal
