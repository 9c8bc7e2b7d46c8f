// Package sa is one IKE SA and its CHILD SAs as a sans-I/O machine.
//
// A [Machine] is driven by five kinds of input: datagrams ([Machine.Receive]), time ([Machine.Advance]), what the
// operator or the reconciler wants (InitiateChild, RekeyChild, Delete, …), what the data plane noticed
// ([Machine.InboundActive], [Machine.PeerMoved], …) and results of what the machine has asked for ([Machine.Complete]). Every
// input takes the present time as a parameter. The machine answers with an ordered list of [Output] values, fetched with
// [Machine.Outputs]: datagrams to send, SAs to install and remove, requests, events. [Machine.NextTimeout] says when Advance
// has to be called at the latest.
//
// There is no clock, socket, goroutine, mutex or logger in this package. Nonces and SPIs come through [Env], the seam at
// which tests make them deterministic.
//
// # Requests and completions
//
// Whatever may block or takes long is put out as a [Request] and comes back as an input, at once or later: key exchanges, so
// far. Nothing in a machine waits for it. What needs the result is given up for now and begins again when the result is there, so
// that a wait is the same as a message that comes late; complete.go says what follows from that. A handler, a build or a done may
// ask only before it changes anything, and returns when [Machine.waiting] says so.
//
// # Who owns what
//
// A Machine and everything reachable from it, [Child] included, belongs to one goroutine: the event loop that drives
// it. Outputs hand pointers to that same loop; whatever leaves the loop must be a copy (see [Machine.Snapshot]).
//
// # Where to read
//
// machine.go has the state; request.go and complete.go have what it asks for. An exchange is followed in this order:
// receive.go (from the datagram to the handler of its exchange), window.go (message ids, the cached response), opening.go
// (exchanges in the clear), protect.go (SK payloads), then a file per exchange: init_initiator.go, init_responder.go,
// intermediate.go, auth_initiator.go, auth_responder.go, create_child.go, rekey_child.go, rekey_ike.go (with handover.go, remind.go,
// collision.go and collision_rekey.go), followup_initiator.go, followup_responder.go, informational.go, resume_initiator.go, resume_responder.go.
//
// Requests that this side makes are tasks (task.go; what the core asks of them: traits.go); one is outstanding at a time,
// since the window size is one (RFC 7296 section 2.3).
//
// IKE_AUTH is a phase of one or more exchanges. What proves who the two sides are is in package auth. auth_flow.go has what both
// roles share (the rounds and their limits, the methods, what a proof fails with), auth_wait.go what a proof waits for, auth_child.go the
// first CHILD SA, and select_connection.go the connections that a request may be for.
//
// mobility.go begins MOBIKE, which update.go, announce.go, routability.go and mobility_answer.go go on with.
//
// # Words
//
// When both sides ask for the same thing at once, the code speaks of it in these words (the rule is in collision.go):
//
//   - predecessor, successor: what an SA has replaced, and what has replaced it. Both words are for CHILD SAs and for IKE SAs.
//   - rival: what the peer's own request has made, or is about to make, for the same thing as a request of ours that is in flight.
//     The rival of an IKE SA knows its counterpart as rivalOf until one of them is settled on.
//   - heir: the last successor in the rival's line: what takes over if the rival is the one that stays.
//   - redundant: made by a collision, and not the one that stays. The side that asked for it deletes it.
//   - twin: a CHILD SA of the same configuration that the other side has asked for at the same time, with no SA to replace. A line is
//     a CHILD SA with all that it is rekeyed to; its origin is what decides between twins, however often they have been rekeyed.
//   - series: the IKE_FOLLOWUP_KE exchanges behind a CREATE_CHILD_SA exchange of ours (RFC 9370); answering: the same of the peer's.
//   - to supersede: to have the new CHILD SA carry the traffic of the old one, which is deleted next.
//   - to hand over: to move the CHILD SAs, and what waits to be asked, to the IKE SA that replaces this one.
//   - to remind: to ask the peer for a sign of life on an IKE SA that it has rekeyed, since it may not know of the new one.
//   - to yield: to leave the rekeying to the peer's own, since nothing comes of ours.
//   - to retire: to take the outbound SA of a deleted child away at once, and the inbound one after the packets on the way.
//
// # References
//
// The base is RFC 7296 (IKEv2), with RFC 3948 (UDP encapsulation), RFC 4303 (ESP) and RFC 6989 (checks on public values, in package
// suite). The extensions are RFC 4478 (repeated authentication), RFC 4555 (MOBIKE), RFC 5685 (redirection), RFC 5723 (session
// resumption), RFC 6023 (childless IKE SAs), RFC 6290 (quick crash detection), RFC 6311 (message id synchronisation, as the peer of a
// cluster), RFC 7383 (fragmentation), RFC 8784 (post-quantum preshared keys), RFC 9242 (IKE_INTERMEDIATE) and RFC 9370 (several key
// exchanges).
package sa
