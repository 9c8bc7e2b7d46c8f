// Package ike runs a gateway: the event loop, timers and workers around package gateway. All the input and output of
// the control plane is here, and no decision.
//
// A [Daemon] has one event loop (loop.go), a single goroutine that owns the gateway and with it every IKE SA:
//
//	packet loops ──> handler.go ──> inbox, strangers, news ──┐
//	commands (Call), answers of resolvers ───────> inbox ────┤
//	failures of routes, key exchanges ───────────> wake ─────┼──> loop.go ──> gateway.Manager
//	one timer, for NextTimeout ──────────────────────────────┘                   │ effects
//	                                                                             │
//	DataPlane, host.go ──> routing.go (one worker), resolver.go, requests.go <───┘
//
// Everything that happens reaches the loop through something that is bounded. When a queue is full, input is dropped and
// counted; the packet loop never waits for the control plane. What must not be lost is not in a queue but in a set that
// cannot overflow (package news, the failures of routing, the results of requests).
//
// The loop must not block. Whatever may take its time is carried out by workers, and what comes of it is an input again.
//
// The package never imports the data plane. Package gateway declares what it needs of one, and this package what it
// needs of the host's network ([Network]).
package ike
