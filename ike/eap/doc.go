// Package eap is the Extensible Authentication Protocol (RFC 3748; the state machines of RFC 4137) in both roles: [Server] authenticates a
// user, [Client] is one. It is sans-I/O: whole EAP packets come in and go out as bytes, the time is a parameter, results and failures are
// values. RADIUS servers that are asked instead of a [Server] answer with the same [Step].
//
// # One conversation
//
// A [Server] or a [Client] is one conversation. The lower layer is IKE_AUTH, or the tunnel of another method: it loses nothing, repeats
// nothing and has one answer for each message. So nothing is retransmitted here, and what RFC 3748 has silently discarded ends the
// conversation instead: there is nothing else to wait for.
//
//	server  Step(nil)         --Identity?-->      Step  client
//	        Step  <--Identity, alice--            (Response)
//	        Step          --method, challenge-->  Step
//	        Step  <--method, response--
//	        …
//	        Done          --Success or Failure--> Step, Done
//
// One method (type 4 or greater) is what a conversation is about. Before the peer has answered its first request, it may be replaced by
// another one with a Nak, each at most once.
//
// # Methods
//
// A method is a file (or some with its name) and implements serverMethod and clientMethod of method.go, which has their table. It gets and
// gives type data; packets, identifiers, negotiation and the ends of a conversation are not its concern. A method with a tunnel has a
// [Server] or a [Client] of its own for what is said within it.
//
// # What may live here
//
// The conversation, its methods, and how secrets are held and compared. How often they may be guessed a [Guard] decides (package guess). Which users exist, what they may do, and which methods a connection
// allows comes in as values; what a certificate is worth is judged by a function that the caller gives.
package eap
