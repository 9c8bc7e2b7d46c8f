// Package aaa has what is known of a user, as values: who it is and what it may have ([User]), what it has used ([Record]), and what
// a server orders of a session ([Order]).
//
// EAP, RADIUS, the machines and the pools of addresses speak of users in these values. They say nothing about where they come from: a users
// file and a RADIUS server fill in the same [User]. What is of one protocol (attributes, packets) is not for here, and neither is what
// decides: the package imports nothing of ours, has no state and no I/O. No value of it holds a secret.
package aaa
