// Package dataplane is the packet loop: it carries IP packets between a TUN
// device and UDP or raw sockets, and seals and opens them with package esp on
// the way. It knows nothing of IKE. The IKE daemon installs security
// associations and traps, and is told what concerns it through a [Handler].
//
// # A packet's way
//
//	            out                                          in
//
//	TUN queue   deviceReader (a super-packet)    deviceWriter (a super-packet)
//	   |           |                                  ^
//	   |        innerHeader: parse                 coalescer: merge runs
//	   |        flow cache, policy table           innerHeader, selectors, ECN, MSS
//	   |        MSS, fit, fragments                esp.TrimInner
//	   |        esp.Outbound.Reserve               esp.Inbound.Open, in place
//	   |        segmenter, esp.Outbound.Seal       spiTable: look up the SA
//	   v           v                                  |
//	sockets     sender (UDP_SEGMENT)             receiver (UDP_GRO)
//
// outbound.go and inbound.go list the stages with the name of the function for
// each. A stage is a file: flowcache.go, spd.go, trap.go, mss.go, segment.go,
// fragment.go, tx.go; spi.go, quote.go (ICMP errors), ecn.go, coalesce.go.
//
// The security policy database has two levels: spd.go says what a packet takes,
// policy.go is the table of both levels, and policies.go is how the control side
// changes them.
//
// # Goroutines
//
// Each device queue has an outLoop and each socket an inLoop, with a goroutine
// of its own. A loop runs every batch to completion: it hands no packet to
// another goroutine. What it writes to is its own, but for counters that it has
// a shard of, the replay windows and sequence numbers of SAs, which are atomic,
// and the ring of a trap.
//
// The control methods of [Engine] may be called from any goroutine but that of a
// Handler's method. They share one mutex, which no loop ever takes. One more
// outLoop belongs to that mutex: it sends the packets that have waited for a
// tunnel.
//
// # What the loops share with the control side
//
//   - A ruleTable is immutable. A change makes a new one and publishes it with
//     one store: the engine's table of policies, or a policy's table of SAs. Each
//     change publishes a new generation of the engine's table, which empties the
//     loops' flow caches.
//   - spiTable is read without a lock; the control side stores and clears single
//     slots. Counting up inboundGen empties the inbound flow caches.
//   - An inboundSA or outboundSA is immutable but for its atomics: the route,
//     marks for the daemon, counters. A loop that is in the middle of a batch may
//     go on using an SA that was just removed; its counters are summed all the
//     same.
//   - An SA, a rule, a route is never taken up again after its removal: the
//     garbage collector ends it when the last loop has let go of it.
//
// # Memory
//
// Packets live in arenas that loops own from start to end, in slots with
// headroom in front for the headers of the device and tailroom behind for the
// ESP trailer. A packet is copied once at most: by the encryption that writes it
// to its place in the outgoing message. Nothing is allocated for a packet, but
// the copy of one that waits for a tunnel. alloc_test.go holds the loops to it.
//
// # Invariants
//
//   - A packet that a policy selects leaves through an SA, waits in a bounded ring,
//     or is refused. It never leaves in the clear: nothing in this package sends
//     an inner packet to a socket.
//   - A packet comes to the device only if its SA authenticated it, its sequence
//     number is new, and its header fits the selectors of that SA (RFC 4301
//     section 5.2).
//   - Every packet that is not passed on is counted once, by a reason of drops.go.
//   - What a stranger sends costs a look-up of the SPI and a counter. ESP with an
//     unknown SPI is reported to the Handler at a bounded rate (wayward.go).
//   - No method of a Handler may block, and no packet loop waits for the daemon.
//
// # Ends
//
// deviceEnd and wireEnd are the two sides to the world (seam.go). Each has a fast
// Linux implementation with raw system calls (device_linux.go, wire_linux.go) and
// one for every other system, for netstack and for tests (device_portable.go,
// wire_portable.go). Every kernel feature is probed at the start, has a switch in
// [Features], and a fallback. The tests play the same packets through both and
// compare.
package dataplane
