// Package acme gets a certificate for the gateway from an ACME server (RFC 8555) such as Let's Encrypt, and renews it, so that a gateway
// that road warriors call needs no PKI.
//
// A [Manager] has one certificate for all its names. It proves that the names are this host's by HTTP-01 (RFC 8555, "HTTP Challenge") or
// TLS-ALPN-01 (RFC 8737), and listens only while a challenge is under way. The certificate is renewed after two thirds of its time.
//
// # Never too often
//
// A server counts orders and failures and refuses whoever has too many. So there is one attempt at a time; after each failure in a row
// the next one waits twice as long, from a minute up to a day, with some jitter, and for as long as the server says. When the last
// attempt was, and how many have failed, is in a file that is written before each attempt: a daemon that is started again and again, or
// killed during an attempt, does not ask more often. A clock that jumps moves an attempt by at most that pause.
//
// # Files
//
// The folder has the account's key, the state, and one file with the private key and the chain, so that these always fit. All are written
// to a temporary file and renamed, with mode 0600. Whoever uses the certificate reads that file again when it changes; the gateway does.
//
// The Manager has sockets, a clock and a goroutine that belongs to its caller.
package acme
