// Package pool has the addresses that a gateway gives to its clients, and knows who has which.
//
// A [Pool] is what is configured: ranges of addresses, and what else their clients learn. A [Book] has all pools of a gateway and the leases of
// their addresses: it grants, releases and counts them.
//
// # Whose an address is
//
// An address belongs to one owner at a time: an identity together with what vouches for it. It is online while IKE SAs of its owner hold it,
// and offline after that. An owner that comes back gets the address that it had. Another owner gets an address that was never given before, and
// only if there is none the one that has been offline for longest.
//
// Several IKE SAs of one owner hold different addresses, as several devices of a user do. They hold the same one only while the newer of
// them takes the place of the others: a reauthentication that makes before it breaks, a peer that has started again, or an address that is
// the user's own.
//
// # What must hold
//
// The package is pure: no clock, no I/O, no goroutine. The time is a parameter, results are values, errors are typed, and the same inputs give the
// same addresses. It takes memory for leases and not for addresses, so that a pool may be 10.0.0.0/8 or an IPv6 /64. What has to survive a restart
// comes out as [Change] values; package pool/store keeps them.
package pool
