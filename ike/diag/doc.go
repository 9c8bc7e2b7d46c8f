// Package diag holds the typed failures of the gateway: one value per failure, shown by everything that shows failures.
//
// A [Failure] says what went wrong (its [Code]), in which connection and exchange, what we wanted, what the peer
// offered or did, which of the two came closest to the other, which line of the configuration is concerned, and what
// to do about it. The log line, `status`, the VICI error and alert, the reason label of a metric and `explain` are
// renderings of that one value:
//
//	E-PROPOSAL-IKE office: no common IKE proposal in IKE_SA_INIT: peer 203.0.113.7:500 offers aes256-sha1-modp1024;
//	\____________/ \____/  \____________________/    \_________/  \____________________________________________/
//	     code    connection       title               exchange                    their side
//
//	we (192.0.2.1:500, gw.toml:14) accept aes256gcm16-prfsha384-ecp384; differs in KE: want ECP_384, has MODP_1024.
//	\____________________________________________________________/      \________________________________________/
//	                      our side                                                     difference
//	Fix: configure …
//
// A constructor makes each kind of Failure, and takes a [Where] (the circumstances) and what it needs to name both sides and the fix:
//
//	diag.SelectorMismatch(m.where(x).Of(c.Name, c.Line).Answering(wire.NotifyTSUnacceptable), ours, theirs)
//
// Nothing else makes one, so that a side or a fix can't be forgotten. A catalog has what is known of each [Code] in general: the words
// that join the two sides, the VICI alert, and the texts of `esplanade explain`, for which [Explain] is there.
//
// Invariants:
//
//   - Every rendering names both sides and a fix, whatever fields were left empty; a bare "NO_PROPOSAL_CHOSEN" cannot
//     be produced. The wire stays terse all the same (RFC 7296, section 2.21): nothing here is ever sent to a peer.
//   - A code has a row in docs/operations.md, and somebody calls a constructor of it: a gate holds the package to that.
//   - A Failure holds no secret. Constructors take names, addresses, proposals and selectors; no key and no PSK.
//   - Text of a peer (identities, vendor strings) is rendered on one line without control characters.
//   - The package has no clock and no goroutine: times are passed in. Failures are read-only once they are handed on.
//
// Whether the peer reported a failure or this gateway found it is [Failure.ByPeer]: the same code reads differently
// from the two ends, and so does its fix.
//
// Imports: nothing of this module, so that every package may use it.
package diag
