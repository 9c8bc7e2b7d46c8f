// Package suite implements what a negotiated IKE proposal stands for: pseudorandom functions and the key
// derivations built on them, the protection of the Encrypted payloads SK and SKF, and key exchange.
//
// One algorithm family lives in one file, and everything that package proposal can name is implemented here;
// a test walks the keywords and holds the two packages together.
//
//	negotiated          this package                       normative text
//	PRF                 PRF, SKEYSEED, DeriveKeys,         RFC 7296 2.13, 2.14, 2.17, 2.18; RFC 4434, 4615, 4868
//	                    ChildKeyMat
//	ENCR [+ INTEG]      Protection                         RFC 5282 (GCM), 7634 (ChaCha20-Poly1305), 5930 (CTR),
//	                                                       RFC 7296 3.14 (CBC); RFC 2404, 4868, 3566, 4494
//	KE, ADDKE           KeyExchange, Respond               RFC 3526, 5903, 8031; public values per RFC 6989;
//	                                                       draft-ietf-ipsecme-ikev2-mlkem with FIPS 203
//
// Two extensions have their computations here as well: IntAuthA, IntAuthChunk and IntAuth with UpdateKeys are those of
// IKE_INTERMEDIATE and multiple key exchanges (RFC 9242, 9370), and MixPPK is that of RFC 8784.
//
// A protected message, with the part that each transform authenticates:
//
//	|<------------------- AAD (AEAD) ------------------->|
//	| IKE header | clear payloads | SK header [number,    |    |             encrypted              |     |
//	|            |                | total of an SKF]      | IV | payloads | padding | pad length    | ICV |
//	|<------------------------- covered by INTEG ---------------------------------------------->|
//
// # Invariants
//
//   - The ICV is verified before anything else is looked at; every comparison of secrets is constant time.
//   - An initialization vector is never used twice under one key: it is a counter, or random for CBC.
//   - A public value is used only after the checks of RFC 6989 or FIPS 203.
//   - MODP exponentiation is constant time in the exponent and the base.
//   - Nothing here has a String form that shows key material: the types print as "(redacted)".
//
// # Goroutines
//
// PRF values are immutable and may be shared. A Protection or KeyExchange belongs to one goroutine. Nothing here
// has a clock, a socket, a goroutine or a log; randomness comes from crypto/rand.
package suite
