// Package sim plays the lives of several gateways over a hostile network, in virtual time and from one seed.
//
// A [World] holds two or three hosts. Each runs a whole gateway.Manager, which decides everything as it does in production, on a data
// plane that counts packets instead of encrypting them and a host whose names, addresses and routes the seed decides about. Between
// them is a network that loses, repeats, delays, reorders and corrupts datagrams, drops what is larger than its MTU, goes away for a
// while, and may have a NAT in it whose mappings change. An attacker who sees everything replays, mangles and forges. Hosts die and
// come back, move, and are given other configurations; their operators load and unload connections (load.go), rekey, authenticate again, take down and bring up. What a
// gateway has others do is done at once, late, out of order, not at all, or fails: look-ups, routes, key exchanges, signatures and
// verdicts on them, SAs that the data plane has no room for. In two seeds of seven hosts prove themselves by certificates
// (certificate.go), which are renewed, and of which some come from a CA that nobody trusts yet, or are revoked (revocation.go). In one of seven they are users who
// come in by EAP, whom a gateway or a RADIUS server checks that loses packets (user.go), and get an address (lease.go).
//
// The seed decides about all of it: configurations (conf.go), conditions (plan.go), what happens and when (script.go). After every
// event the invariants of check.go are tested; at the end of a run the network is perfect and nobody disturbs anything, and the hosts
// must come to agree: one IKE SA for each pair of identities, each wanted child up once, all traffic arriving, and after their end
// nothing left in the data plane, in the host's network, in the table (settle.go). The same seed always plays the same way, so that
// a failed run is repeated with the ladder and the logs of all hosts written down:
//
//	go test ./ike/sim -run 'TestSeed$' -seed N -v
//
// All hosts mean well here. What peers with a valid key do that mean no good is played in package gateway (TestInsiders), against
// the limits that they meet.
//
// Nothing here is part of the daemon. There is no clock, no socket and no goroutine in it.
package sim
