// Package hooks tells programs outside of the daemon what happens: `updown` scripts with strongSwan's variables, and readers of events.
//
//	gateway.Observer ──> Updown ──> a set of what is to be called ──> a few goroutines ──> command, killed as a group at its limit
//	                 └─> Feed ────> a bounded ring ────────────────> one goroutine ──┬──> the command of [events]
//	                                                                                 └──> readers of its socket
//
// Both are called on the goroutine of the gateway and return at once: they copy, under a lock that nobody holds for longer than that.
//
// What a script was told must be taken back, so nothing of [Updown] is lost: it is a set that has at most one item for each CHILD SA, and what has
// become pointless before it began is not begun. What [Feed] has no room for is lost, counted, and the readers are told how much.
//
// # What may come from a peer
//
// A peer chooses its identity and the name of its user, and has a say in selectors and addresses. None of it is ever part of a command: it is in the
// environment of a script, in the alphabet of [Safe], and in strings of JSON.
//
// The package runs commands and has sockets. It imports the gateway's events and the values in them, never the packet loop.
package hooks
