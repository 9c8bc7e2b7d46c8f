// Package radius speaks RADIUS as a network access server does: it asks servers who a user is, tells them what the user has used, and
// takes their orders. It has no socket, no clock and no goroutine; package client has the sockets.
//
//	packet.go, attribute.go, vendor.go   the packets of RFC 2865, strictly and within bounds
//	authenticator.go                     who has sent a packet: Response Authenticator, Message-Authenticator
//	mppe.go                              the keys in an Access-Accept (RFC 2548)
//	eap.go                               EAP in attributes (RFC 3579)
//	access.go, accept.go                 an Access-Request for a user, and what an answer says of it
//	accounting.go, ledger.go             accounting (RFC 2866), and the records that wait for a server
//	order.go, listener.go                Disconnect-Request and CoA-Request (RFC 5176)
//	exchange.go, service.go, pick.go     requests under way: retransmission, identifiers, failover
//
// The figure of RFC 2865 section 3, which [Packet] mirrors:
//
//	 0                   1                   2                   3
//	 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|     Code      |  Identifier   |            Length             |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|                         Authenticator                         |
//	+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
//	|  Attributes ...
//	+-+-+-+-+-+-+-+-+-+-+-+-+-
//
// # What is believed
//
// RADIUS over UDP is as good as its shared secret and MD5. An answer to an Access-Request counts only if it has a Message-Authenticator that is
// right: without one, whoever sits in between can turn a rejection into an acceptance (CVE-2024-3596, "Blast-RADIUS"). Every
// Access-Request has one as its first attribute. There is no way to turn this off.
//
// An answer that is not right is not there: the request goes on waiting for the right one. It is remembered, so that a failure can
// say that the server answers with another secret, and not that it is silent.
package radius
