// Package tunnel is TLS as EAP methods carry it: crypto/tls over memory, cut into the fragments of RFC 5216 section 3.1. EAP-TLS,
// EAP-TTLS and PEAP share it, as servers and as clients.
//
// A [Conn] is one TLS connection whose peer is somewhere else: bytes of the peer go in, bytes for it come out, and nothing waits. While
// the handshake lasts it is a coroutine (iter.Pull), which runs only within [Conn.Feed], in the goroutine of whoever calls it; once the
// handshake is over there is no coroutine any more. [Conn.Close] ends it at any time.
//
// A [Link] is what the type data of the packets hold: flags, lengths and fragments.
//
// # What may live here
//
// What all of these methods need of TLS, and nothing of what they do with it. Whether a certificate is accepted is decided by a function
// of the caller: this package trusts nobody.
package tunnel
