// Package hooks runs commands of the operator for what happens: `updown` scripts with strongSwan's variables.
//
//	gateway.Observer ──> Updown ──> a set of what is to be called ──> a few goroutines ──> command, killed as a group at its limit
//
// An [Updown] is called on the goroutine of the gateway and returns at once: it copies, under a lock that nobody holds for longer than that.
//
// What a script was told must be taken back, so nothing is lost: it is a set that has at most one item for each CHILD SA, and what has
// become pointless before it began is not begun.
//
// # What may come from a peer
//
// A peer chooses its identity and the name of its user, and has a say in selectors and addresses. None of it is ever part of a command: it is in the
// environment of a script, in the alphabet of [Safe].
//
// The package runs commands. It imports the gateway's events and the values in them, never the packet loop.
package hooks
