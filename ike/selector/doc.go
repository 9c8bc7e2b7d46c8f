// Package selector holds traffic selectors: what a CHILD_SA may carry.
//
// A [Selector] stands for a set of packets' ends: an address range, one IP protocol or all of them, and a
// range of "ports", which for ICMP and ICMPv6 are type and code in one 16-bit number (RFC 7296, section 3.13.1).
// The package parses and prints the notation of swanctl.conf, narrows what a peer proposes to what is configured
// (RFC 7296, section 2.9), and decides whether a packet belongs to a CHILD_SA (RFC 4301, section 4.4.1).
//
// The figure of RFC 7296, section 3.13.1, which [Selector] mirrors field by field:
//
//	                     1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|   TS Type     |IP Protocol ID*|       Selector Length         |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|           Start Port*         |           End Port*           |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                         Starting Address*                     |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                         Ending Address*                       |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//
// # Invariants
//
// Every operation treats a selector as a set, and the values of the port field as the 65536 numbers plus one more,
// OPAQUE, for a packet whose ports can't be seen. The pair (0, 65535) is ANY and includes OPAQUE, the pair (65535, 0)
// is OPAQUE alone, and any other pair with start after end is malformed and stands for the empty set
// (https://www.rfc-editor.org/rfc/rfc7296#section-3.13.1). Intersections of selectors are selectors again, which is
// what makes narrowing exact.
//
// All types are plain values without hidden state; every function is pure and may be called from any goroutine.
// The package imports nothing of this module.
package selector
