// Package dataplane is the packet loop: it carries IP packets between a TUN
// device and UDP or raw sockets, and seals and opens them with package esp on
// the way. It knows nothing of IKE. The IKE daemon installs security
// associations and traps, and learns what concerns it through a [Handler].
//
// # The life of a packet
//
//	         out: outbound.go                        in: inbound.go
//
//	      ┌─ TUN queue ─────────────────┐  ┌─────────────────── TUN queue ─┐
//	read  │ device_linux.go             │  │             device_linux.go   │ write
//	      │ device_portable.go          │  │          device_portable.go   │
//	parse │ inner.go, segment.go        │  │                 coalesce.go   │ merge
//	select│ flowcache.go → spd.go       │  │              ecn.go, mss.go   │ adjust
//	      │ → policy.go                 │  │         inner.go, quote.go,   │ check
//	wait  │ trap.go                     │  │                flowcache.go   │
//	fit   │ mss.go, fragment.go,        │  │      esp.Inbound.Open,        │ open
//	      │ icmp.go, blackhole.go       │  │      esp.TrimInner            │
//	seal  │ segment.go, tx.go,          │  │                      spi.go   │ look up
//	      │ esp.Outbound                │  │                  wayward.go   │
//	send  │ sock_send_linux.go          │  │      sock_receive_linux.go    │ receive
//	      │ sock_portable.go            │  │           sock_portable.go    │
//	      └──────────── sockets ────────┘  └── sockets ────────────────────┘
//
// outbound.go and inbound.go begin with the list of the stages and the function
// that does each. A packet goes down the left side of the figure: the device
// gives a super-packet of up to 64 KiB. Its headers are parsed, its policy and
// its SA are looked up, and its sequence numbers are reserved once for all its
// segments. Then each segment gets its headers in place and is sealed to the
// place from which it is sent. All messages of a batch leave together.
//
// It comes up the right side: a receive gives runs of datagrams. Each ESP packet
// is opened in place. Its inner header is checked against the selectors of its
// SA, and runs of one flow become super-packets again, in the buffer that they
// came in. IKE messages leave at "look up" for Handler.HandleIKE.
//
// # Which file has what else
//
//   - engine.go: New, Run, Close. config.go: Config and Handler. install.go: how
//     SAs come and go; policies.go: how policies do. child.go, sa.go, route.go:
//     what the loops share with them.
//   - courier.go: what the control side wants done with packets.
//   - device*.go and sock*.go: the two ends, see below. superpacket.go: the
//     buffers that pass between them and the loops. cmsg*.go: the control
//     messages of sockets. steer_linux.go: which worker's socket a packet gets to.
//   - mtu*.go, blackhole.go, holesearch.go: how large packets may be.
//   - drops.go, counters.go, overflow*.go, feature.go: what can be seen from
//     outside.
//
// # Goroutines
//
// Each device queue has an outLoop and each socket an inLoop, with a goroutine
// of its own. A loop runs every batch to completion: it hands no packet to
// another goroutine. What it writes to is its own, with these exceptions:
// counters, of which it has a shard; the replay windows and sequence numbers of
// SAs, which are atomic; and the ring of a trap, which has a lock.
//
// The courier has an outLoop and a goroutine too: it sends the packets that have
// waited for a tunnel, and tells the senders of others what became of them. One
// more goroutine keeps the MTUs of paths (watchMTU), and one follows the events
// of the device (watchDevice). Run starts all of them and returns when they have
// ended.
//
// The control methods of [Engine] may be called from any goroutine but that of a
// Handler's method. They share one mutex, which no loop ever takes, and never
// wait for a socket or a device.
//
// # Ownership
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
//   - An SA, a rule or a route is never used again after its removal: the garbage
//     collector frees it when the last loop has let go of it.
//   - child, entry and the maps of Engine belong to its mutex. What the loops read
//     of a child is atomic, and marked so.
//
// # Memory
//
// Packets live in arenas that loops own from start to end, in slots with
// headroom in front for the headers of the device and tailroom behind for the
// ESP trailer. A packet is copied once at most: by the encryption that writes it
// to its place in the outgoing message. Nothing is allocated for a packet, except
// for the copy of one that waits for a tunnel. alloc_test.go holds the loops to
// it.
//
// # Invariants
//
//   - A packet that a policy selects leaves through an SA, waits in a bounded ring,
//     or is refused. It never leaves in the clear: nothing in this package sends
//     an inner packet to a socket.
//   - A packet reaches the device only if its SA authenticated it, its sequence
//     number is new, and its header fits the selectors of that SA (RFC 4301
//     section 5.2).
//   - Every packet that is not passed on is counted once, by a reason of drops.go.
//   - A packet of a stranger costs a look-up of the SPI and a counter. ESP with an
//     unknown SPI is reported to the Handler at a bounded rate (wayward.go).
//   - No method of a Handler may block, and no packet loop waits for the daemon.
//
// # Ends
//
// deviceEnd (device.go) and socketEnd (sock.go) are the two sides to the world.
// Each has a fast Linux implementation with system calls of its own
// (device_linux.go, sock_linux.go) and one for every other system, for netstack
// and for tests (device_portable.go, sock_portable.go). Every kernel feature is
// probed at the start, has a switch in [Features], and a fallback. The tests send
// the same packets through both and compare.
//
// In names, "raw" stands for sockets of IP protocol 50 (raw(7)). The switch
// raw_io, which turns off the fast ends, is the one exception.
package dataplane
