// Package gateway decides everything about the IKE SAs of a gateway: which there are, which are wanted, and what
// becomes of what is too much, lost, moved or replaced. It has no clock, socket, goroutine or lock, and nothing in it
// waits: [Manager] is to several IKE SAs what sa.Machine is to one.
//
// An input comes with the present time. The manager gives it to the machine that it is for, carries out what that one
// puts out, and reconciles what is desired with what is:
//
//	Receive, Unreachable, Acquire,            ┌──────────────────────────────────┐
//	InboundActive, Exhausting, PeerMoved, ───>│ receive.go    table.go           │──> DataPlane: send, install, …
//	UnknownSPI                                │ inputs.go     connection.go      │
//	Resolved, RoutesFailed,  ────────────────>│       │                          │──> Host: routes, look-ups
//	AddressesChanged                          │       v                          │
//	Initiate, Terminate, Rekey, Reload, … ───>│  sa.Machine ──> outputs.go       │──> Observer: events
//	Advance (when NextTimeout has come) ─────>│                    │             │
//	                                          │                    v             │──> Meter: counters
//	Reconcile (after each of these) ─────────>│              reconcile.go        │
//	                                          └──────────────────────────────────┘──> Log: lines
//
// What the manager calls must not block. What takes its time is begun by a call and comes back as an input: a look-up as
// Resolved, routes that can't be added as RoutesFailed. All that is random comes from [Options], so that a seed can
// decide everything: package sim plays whole gateways that way.
//
// # Which file decides what
//
//	connection.go, setup.go, prepare.go    what is configured; its policies and routes
//	reconcile.go, narrowed.go, names.go    bringing about what is desired: attempts, pauses, DNS names
//	table.go, receive.go, directory.go     which IKE SA a message is for, which connection a peer
//	unique.go, reauth.go, restarts.go      of two IKE SAs with one peer, which one stays
//	taken.go, siblings.go, selectors.go    of two peers with the same networks, which one gets them
//	redirect.go, resume.go, addresses.go   other gateways, lost peers, other addresses
//	limits.go, shares.go, refusals.go, refused_inits.go,     what strangers may cause, and what peers may
//	budget.go, surge.go, unprotected.go, lingering.go
//	numbers.go, tally.go, traps.go         what an operator calls SAs by, counts, and has packets bring up
//	commands.go, reload.go, change.go, status.go      what an operator does and sees
//	outputs.go, updown.go                  what machines put out; what comes up and has ended
//	report.go, exchange_log.go, talk.go, observer.go, meter.go    who is told
//
// # Words for ending
//
//	delete     an IKE SA ends with a DELETE for the peer; abandon: without one
//	retire     an IKE SA ends because another has taken its place: packets go through that one first, the DELETE follows
//	closed     the end of an IKE SA was handled; it stays in the table to repeat its last answer, then it is dropped
//	uninstall  a direction of a CHILD SA leaves the data plane; an inbound one later, where packets may be on the way
//	discard    a reload takes a connection or a child out of the configuration; its SAs are deleted
//	takeDown   undoes setUp, and withdraw number, when a connection or child goes: its policies and routes
//
// The package imports neither the data plane nor the control protocol.
package gateway
