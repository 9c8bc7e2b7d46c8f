// Package identity holds IKE identities: what the ID payloads of IKE_AUTH carry (RFC 7296, section 3.5), what a
// configuration writes for them, and how a peer's identity is matched against the connections that might be meant.
//
// [Parse] follows swanctl.conf's rules, by which the type of an identity comes from how it is written; [FromWire]
// reads the payload. The figure of RFC 7296, section 3.5:
//
//	                     1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|   ID Type     |                 RESERVED                      |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	~                   Identification Data                         ~
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// # Invariants
//
// An identity that a peer sent is always the thing that is matched, never the pattern: [Identity.Matches] gives
// wildcards a meaning in its argument only, so that a peer can't match everything by naming itself "*".
//
// [Identity.String] and [Parse] are inverse to each other: what a log shows can be copied into a configuration, and two
// identities that are not equal never look the same, whatever octets a peer sends.
//
// [UserPattern] is for the names of EAP, which have no types.
//
// Identities are plain values; nothing changes their octets after they are made, and every function is pure. The
// package imports nothing of this module.
package identity
