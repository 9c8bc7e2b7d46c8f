// Package peer runs the two kinds of gateway that the integration tests put at the ends of a tunnel: strongSwan
// (charon-systemd with kernel-libipsec, its own userspace ESP) and Esplanade.
//
// Both are described by the same [Gateway] value and driven in the same way, by Debian's stock swanctl over the
// VICI socket, so that a table of tests is written once and run with the roles exchanged. What only one of them
// has (esplanade status, strongSwan's key log) is on the concrete type.
//
// The package knows no package of Esplanade: it sees the binary as an operator does.
package peer
