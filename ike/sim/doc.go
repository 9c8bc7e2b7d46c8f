// Package sim plays the lives of two gateways over a hostile network, in virtual time and from one seed.
//
// A [World] holds two hosts. Each runs whole IKE machines (package sa) and, around them, what a daemon does: a table of
// SAs by SPI, a reconciler that keeps the desired children up, and a data plane that counts packets instead of
// encrypting them. Between them is a network that loses, repeats, delays, reorders and corrupts datagrams, drops what
// is larger than its MTU, goes away for a while, and may have a NAT in it whose mappings change. An attacker who sees
// everything replays, mangles and forges. Hosts die and come back, with tokens that prove it and tickets to go on with (lost.go).
//
// The seed decides about all of it: configurations, conditions, what the operators do and when. After every event the
// invariants of check.go are tested; at the end of a run the network is perfect and nobody disturbs anything, and both
// hosts must come to agree (settle.go). The same seed always plays the same way, so that a failed run is repeated with
// the ladder written down:
//
//	go test ./ike/sim -run 'TestSeed$' -seed N -v
//
// Both hosts mean well here. What peers with a valid key do that mean no good is played against a whole daemon, since that is
// where the limits are that they meet: ike/gateway.TestInsiders.
//
// Nothing here is part of the daemon. There is no clock, no socket and no goroutine in it.
package sim
