// Package sa is one IKE SA and its CHILD SAs as a sans-I/O machine.
//
// A [Machine] is driven by four kinds of input: datagrams ([Machine.Receive]), time ([Machine.Advance]), what the
// operator or the reconciler wants (InitiateChild, RekeyChild, Delete, …) and what the data plane noticed
// ([Machine.InboundActive], [Machine.PeerMoved], …). Every input takes the present time as a parameter. The machine
// answers with an ordered list of [Output] values, fetched with [Machine.Outputs]: datagrams to send, SAs to install
// and remove, events. [Machine.NextTimeout] says when Advance has to be called at the latest.
//
// There is no clock, socket, goroutine, mutex or logger in this package. Nonces, SPIs and key exchanges come through
// [Env], the seam at which tests make them deterministic.
//
// # Who owns what
//
// A Machine and everything reachable from it, [Child] included, belongs to one goroutine: the event loop that drives
// it. Outputs hand pointers to that same loop; whatever leaves the loop must be a copy (see [Machine.Snapshot]).
//
// # Where to read
//
// machine.go has the state. An exchange is followed in this order: receive.go (from the datagram to the handler of its
// exchange), window.go (message ids, the cached response), protect.go (SK payloads), then a file per exchange:
// init_initiator.go, init_responder.go, intermediate.go, auth_initiator.go, auth_responder.go, create_child.go,
// rekey_child.go, rekey_ike.go, followup_initiator.go, followup_responder.go, informational.go, resume_initiator.go,
// resume_responder.go. Requests that this side makes are tasks (task.go); one is outstanding at a time, since the window
// size is one (RFC 7296 section 2.3). mobility.go begins MOBIKE, which update.go, announce.go, routability.go and
// mobility_answer.go go on with.
//
// The normative references are RFC 7296 (IKEv2), RFC 3948 (UDP encapsulation), RFC 4303 (ESP) and RFC 6989
// (checks on public values, in package suite).
package sa
