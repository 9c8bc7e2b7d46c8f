// Package wire turns IKEv2 messages into values and back: the header, every
// payload of RFC 7296 section 3, and the Encrypted and Encrypted Fragment
// framing of RFC 7296 section 3.14 and RFC 7383.
//
// A datagram (after the non-ESP marker, if any, has been removed) looks like
//
//	                     1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                       IKE SA Initiator's SPI                  |
//	|                                                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                       IKE SA Responder's SPI                  |
//	|                                                               |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  Next Payload | MjVer | MnVer | Exchange Type |     Flags     |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                          Message ID                           |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                            Length                             |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	| Next Payload  |C|  RESERVED   |         Payload Length        |  repeated
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	~                         payload body                          ~
//
// # What it promises
//
//   - Parsing never panics, never reads outside the slice it was given, and
//     allocates in proportion to that slice: every count and length on the wire
//     is checked against the octets that are really there before it is used.
//   - Malformed input yields a [*ParseError] with the payload and the offset, a
//     payload of a type that isn't understood and has the critical bit set a
//     [*CriticalError], another major version a [*VersionError].
//   - Reserved bits and fields are ignored when received and zero when sent
//     (https://www.rfc-editor.org/rfc/rfc7296#section-2.5), except the reserved
//     octets of ID payloads, which AUTH signs as they were sent.
//   - Payloads that may occur once occur once, and the others are limited in
//     number (see the Max constants), so that later stages can't be flooded.
//   - Every number of an IANA registry has a name; String methods fall back to
//     the registry's name and the number, never to a bare number.
//
// # What it leaves to others
//
// Whether an exchange may contain a payload, what an algorithm requires of a key
// exchange value, whether a traffic selector makes sense: these are questions for
// the machine and the value packages. Encryption is theirs too; this package
// only says where the protected octets are ([Encrypted]) and writes the framing
// in front of them ([AppendProtected]).
//
// # Aliasing and concurrency
//
// Parsed payloads alias the input; whoever keeps a payload longer than the
// datagram's buffer must copy. The package has no state: all functions may be
// called from any goroutine, and values may be read by several at once.
package wire
