// Package vici speaks VICI, the control protocol of strongSwan's charon, so that the stock swanctl and everything else
// written for it (python-vici, govici, exporters) works against this daemon, and so that our own commands have a
// protocol to use.
//
// The protocol is described in strongSwan's README of the vici plugin:
// https://github.com/strongswan/strongswan/blob/master/src/libcharon/plugins/vici/README.md
//
// A connection carries segments; a segment is a packet; most packets carry a message:
//
//	segment:  length (32, big endian, of what follows, at most 512 KiB) | packet
//	packet:   type (8) | [name length (8) | name]  | message
//	          0 CMD_REQUEST     named, message       4 EVENT_UNREGISTER  named
//	          1 CMD_RESPONSE    message              5 EVENT_CONFIRM
//	          2 CMD_UNKNOWN                          6 EVENT_UNKNOWN
//	          3 EVENT_REGISTER  named                7 EVENT             named, message
//	message:  elements
//	          1 SECTION_START   name length (8) | name
//	          2 SECTION_END
//	          3 KEY_VALUE       name length (8) | name | value length (16) | value
//	          4 LIST_START      name length (8) | name
//	          5 LIST_ITEM       value length (16) | value
//	          6 LIST_END
//
// The parts:
//
//   - [Message] and wire.go: the codec. Pure; order of elements is kept, since people read `swanctl --raw`. segment.go: packets on a stream.
//   - [Server]: accepts clients on a unix socket (mode 0600, or 0660 for a group) and answers commands from a [Backend]. What clients send and do
//     not read is bounded in octets and time, for each and for all: inbox.go, outbox.go, [Options].
//   - [Loader], load.go and load_parse.go: what swanctl --load-all sends. Requests are checked for their form here; what they mean is the backend's.
//   - [IKESA], [Conn], [Stats], … and their sections: what the backend returns, and the mapping to strongSwan's names
//     in strongSwan's order.
//   - [LogHandler]: makes VICI log events of slog records.
//   - [Client]: for our own command line and for tests.
//
// Goroutines: the server has three a client: one reads packets, one carries them out in order (one active command per
// connection, as the protocol has no request numbers), one writes. The methods of [Server] that raise events may be
// called from any goroutine and never block: each client has a bounded queue, and what does not fit is dropped and
// counted. The backend's methods are called from the clients' goroutines and must be safe for concurrent use; the
// context they get ends when the client goes away or the server stops.
//
// swanctl shows only values of printable ASCII as text. All that goes out in strongSwan's vocabulary is therefore
// reduced to it (see printable); only the extension events keep UTF-8.
package vici
