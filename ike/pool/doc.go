// Package pool has the addresses that a gateway gives to its clients, and knows who has which.
//
// It is pure: no clock, no I/O, no goroutine. The time is a parameter, results are values, and the same inputs give the same addresses. What has
// to survive a restart comes out as values that package pool/store keeps.
package pool
