// Package ticket makes and opens the session tickets of RFC 5723: what a gateway needs to know to resume an IKE SA, sealed
// with a key that only it has and given to the client to keep ("ticket by value").
//
// The format is the gateway's own affair, since nobody but the gateway that made a ticket ever reads it:
//
//	 1 octet   version
//	 8 octets  number of the key
//	12 octets  nonce
//	rest       AES-256-GCM over the state; version and number are associated data
//
// Keys are in memory only and are replaced regularly, so that a stolen one opens the tickets of a limited time, and a
// restarted gateway refuses all tickets from before. A ticket is good once: see [Keyring.Spend].
package ticket
