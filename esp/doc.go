// Package esp implements the security associations of the IP Encapsulating
// Security Payload in tunnel mode (RFC 4303): sealing and opening packets,
// sequence numbers, the anti-replay window and the limits of a key. It does no
// I/O, has no clock, starts no goroutine and logs nothing.
//
// # What is on the wire
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+ ----
//	|               Security Parameters Index (SPI)                 | ^
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+ | HeaderLen:
//	|                Sequence Number (low 32 bits)                  | | 8, 16 or 24
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+ | octets
//	|                     IV (0, 8 or 16 octets)                    | v
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+ ----
//	|                  Payload (an IP packet) ~                     | ^
//	+               +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+ | encrypted
//	|               | TFC padding (optional) | Padding 1, 2, 3 ...  | |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+ |
//	|                               |   Pad Length  |  Next Header  | v
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+ ----
//	|      Integrity Check Value (8, 12, 16, 24 or 32 octets)       |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// With extended sequence numbers the upper 32 bits are not sent but are covered
// by the ICV: as the middle word of the AAD of an AEAD (RFC 4106 section 5), or
// after the Next Header octet for a separate integrity algorithm (RFC 4303
// section 2.2.1).
//
// # Suites
//
//   - AES-GCM with an ICV of 16, 12 or 8 octets, RFC 4106
//   - ChaCha20-Poly1305, RFC 7634
//   - AES-CBC (RFC 3602), AES-CTR (RFC 3686) and NULL (RFC 2410), each with
//     HMAC-SHA1-96 (RFC 2404), HMAC-SHA2 (RFC 4868), AES-XCBC-MAC-96 (RFC 3566)
//     or AES-CMAC-96 (RFC 4494)
//
// A suite without integrity is refused. RFC 8221 section 4: "Encryption without
// authentication is not effective and MUST NOT be used."
// https://www.rfc-editor.org/rfc/rfc8221#section-4
//
// # Invariants
//
//   - A sequence number leaves [Outbound.Reserve] once, so that the counter IVs
//     derived from it never repeat under a key; Reserve stops for good before
//     sequence numbers or the limits of the cipher run out. Keys are never taken
//     up again after a restart: an SA lives in memory only.
//   - A sequence number is accepted by [Inbound.Open] at most once, whatever the
//     number of goroutines that feed it, and only after its ICV verified.
//   - Seal and Open do not allocate, take no lock and never panic, whatever is
//     in the packet.
//
// # Goroutines
//
// An SA is safe for concurrent use. A [Scratch] belongs to one goroutine at a
// time: every worker has its own and passes it along.
package esp
