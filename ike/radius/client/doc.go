// Package client drives the machine of package radius with sockets: requests go out, answers and orders come in, and what happens is logged.
//
//	callers ── inbox ──> the goroutine that owns the machine ── sockets ──> servers
//	                          ^                                    │
//	                          └──────── received <── readers ──────┘
//
// Nobody waits for it. [Client.Ask] and [Client.Account] put something into the inbox and return; what comes of it is told to a function, on
// the client's goroutine. What is too much is refused at once. A server that is silent delays whoever is asked about, and nobody else.
//
// A socket is not connected to its server: an answer that comes from another address of the server arrives, and can be named.
package client
