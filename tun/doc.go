// Package tun makes the network interface whose packets the gateway carries, and configures the system around it.
//
// # Devices
//
// Every device is a [Device]: the interface of wireguard/tun.
//
//   - [Create] makes one through wireguard/tun: Linux, macOS (utun), FreeBSD, OpenBSD. One packet or one batch a call.
//   - [OpenQueues] opens the same Linux device with its queues bare, for a packet loop that makes its own system
//     calls: every read and write starts with a [VNetHdr] and may be a super-packet of up to 64 KiB.
//   - [NewNetstack] needs no privilege and no /dev/net/tun: the host's end is a TCP/IP stack in this process, gVisor's,
//     with a link of our own: bounded, in batches, and with super-packets of TCP for a packet loop that takes them.
//   - package tuntest has one in memory, whose other end is a test.
//
// Each kernel feature has its own switch in [QueueOptions]; one that this kernel lacks is left off and [Features] says so.
//
// # Link
//
// [Configure] gives the [Link] of a device: addresses, MTU, routes. It counts who wants what, takes back what
// fails half-way, and on Close removes all that it has added. One implementation does the counting on every
// system; a backend for each system carries it out. What it has to guarantee is that the packets of the tunnel itself
// (IKE and ESP) never enter the tunnel, even when its traffic selectors cover the peer's own address:
//
//	         packet of the host                    IKE, ESP (SO_MARK)
//	                 |                                     |
//	rule 220: not fwmark MARK -> table 220   x   the mark does not match
//	rule 221: main, but no default route         main, but no default route
//	rule 222: not fwmark MARK -> table 221   x   the mark does not match
//	rule 32766: main                             main
//
// Table 220 has the prefixes longer than /0, table 221 the default routes. Systems without marks get a host route for each
// peer instead, see [Link].Exclude.
//
// The host's own networks stay outside the tunnel as they would with one table, where the more specific route wins: for each
// route of main that is more specific than the one of table 220 which covers it, table 220 has a throw route, which sends the
// lookup on to main. The covering route is in table 221 as well: it catches the packets when main's route vanishes, so that
// they don't follow main's default route before the throw route is gone. Each route to the device has an unreachable
// route with it, for the time when the device is down or the process is gone. A keeper listens to the kernel and puts back
// what vanishes.
//
// # Goroutines
//
// Devices may be read and written from one goroutine each; Close may be called from any, and ends a blocked Read, except
// for the bare queues, whose user has to have stopped. A Link is safe for concurrent use. OpenQueues
// starts one goroutine, and Configure on Linux two, which end with Close; the stack of NewNetstack has its own.
package tun
