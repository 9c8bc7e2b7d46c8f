// Package ike is the IKE daemon: it brings about and keeps up what is configured.
//
// A [Daemon] has one event loop (loop.go), a single goroutine that owns all of its state: the table of IKE SAs
// (table.go), the connections with what is desired of them and what is (connection.go), the trap policies. Everything
// that happens reaches it through a bounded inbox: datagrams and events of the data plane, commands of operators, answers
// of resolvers. When the inbox is full, input is dropped and counted; the packet loop never waits for the control plane.
//
// The protocol itself is in package sa, as machines without clock or socket. The loop feeds them (receive.go), arms one
// timer for all of them, and carries out what they put out (outputs.go). The reconciler (reconcile.go) compares what is
// desired with what is, starts what is missing, with growing pauses after failures, and can always say what it waits for.
//
// Failures are values of package diag. One place (report.go) takes them all and gives them to the log, the status, the
// counters and the VICI alerts.
//
// The package never imports the data plane. It declares what it needs of one as [DataPlane], and of the host's network
// as [Network].
package ike
