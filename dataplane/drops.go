package dataplane

import "sync/atomic"

// Direction says which way a packet was going.
type Direction uint8

// The two directions, seen from the inner networks of this gateway.
const (
	Out Direction = iota // from the device to the wire
	In                   // from the wire to the device
)

// String is the metric label: "out" or "in".
func (d Direction) String() string {
	if d == Out {
		return "out"
	}
	return "in"
}

// DropReason says why a packet went no further. Each dropped packet is counted once, with one reason. A super-packet
// counts as the packets it stands for.
type DropReason uint8

// The reasons. Those up to dropOutEnd are of outbound packets, the others of inbound ones.
const (
	DropOutMalformed    DropReason = iota // what the device gave is not an IP packet, or its offload request makes no sense
	DropOutNoPolicy                       // no policy selects it
	DropOutMulticast                      // no policy selects it, and it is multicast or link-local: the system's own
	DropOutDown                           // its tunnel is down, and only the peer or a command brings that up
	DropOutWaitFull                       // the wait ring of its policy was full
	DropOutWaitFailed                     // the negotiation it waited for failed, or its policy was removed
	DropOutWaitNarrow                     // its tunnel is up, with selectors that were narrowed and do not cover it
	DropOutTooBig                         // larger than the path takes; an ICMP error was sent back where the rules allow
	DropOutExhausted                      // the SA has no sequence numbers or lifetime left
	DropOutSeal                           // the SA refused to seal it
	DropOutSendBuffer                     // the socket's buffer was full
	DropOutSend                           // the system refused to send it
	DropOutDevice                         // the device's queue was full: it was not read in time
	dropOutEnd                            //
	DropInShort                           // shorter than anything with a meaning
	DropInUnknownSPI                      // no such inbound SA
	DropInReplay                          // replayed, or older than the window
	DropInICV                             // not authentic
	DropInPadding                         // authentic, with malformed padding
	DropInLimit                           // the SA does not accept more
	DropInMalformed                       // authentic, with an inner packet that is not one
	DropInNextHeader                      // authentic, of a protocol that the SA does not carry
	DropInSelectors                       // authentic, outside of the SA's traffic selectors
	DropInICMPError                       // an ICMP error about a packet that no tunnel with the peer carries (RFC 4301)
	DropInECN                             // congestion was marked on a packet that can't carry the mark (RFC 6040)
	DropInDevice                          // the device refused it
	DropInNoESP                           // ESP came to a port that is for IKE only
	DropInReceiveBuffer                   // the socket's receive buffer was full; a run that the kernel has merged counts once
	numDropReasons
)

// dropNames are the metric labels.
var dropNames = [numDropReasons]string{
	DropOutMalformed:  "malformed",
	DropOutNoPolicy:   "no_policy",
	DropOutMulticast:  "multicast",
	DropOutDown:       "down",
	DropOutWaitFull:   "wait_full",
	DropOutWaitFailed: "wait_failed",
	DropOutWaitNarrow: "wait_narrowed",
	DropOutTooBig:     "too_big",
	DropOutExhausted:  "exhausted",
	DropOutSeal:       "seal",
	DropOutSendBuffer: "send_buffer",
	DropOutSend:       "send",
	DropOutDevice:     "device_queue",
	DropInShort:       "short",
	DropInUnknownSPI:  "unknown_spi",
	DropInReplay:      "replay",
	DropInICV:         "icv",
	DropInPadding:     "padding",
	DropInLimit:       "limit",
	DropInMalformed:   "malformed",
	DropInNextHeader:  "next_header",
	DropInSelectors:   "selectors",
	DropInICMPError:   "icmp_error",
	DropInECN:         "ecn",
	DropInDevice:      "device",
	DropInNoESP:       "no_esp",

	DropInReceiveBuffer: "receive_buffer",
}

// String is the metric label, without the direction.
func (r DropReason) String() string {
	if r < numDropReasons && dropNames[r] != "" {
		return dropNames[r]
	}
	return "unknown"
}

// Direction is that of the packets dropped for this reason.
func (r DropReason) Direction() Direction {
	if r < dropOutEnd {
		return Out
	}
	return In
}

// DropReasons lists all reasons, in a fixed order.
func DropReasons() []DropReason {
	all := make([]DropReason, 0, numDropReasons)
	for r := range numDropReasons {
		if r != dropOutEnd {
			all = append(all, r)
		}
	}
	return all
}

// dropCounters are those of one goroutine: only it writes, anyone reads.
type dropCounters struct {
	n [numDropReasons]atomic.Uint64
	_ [64]byte // the next goroutine's counters are on another cache line
}

func (d *dropCounters) add(r DropReason, n int) { d.n[r].Add(uint64(n)) }

// Drops gives the number of packets dropped so far, by reason. All reasons are there, also those that never happened.
// It may be called from any goroutine.
func (e *Engine) Drops() map[DropReason]uint64 {
	m := make(map[DropReason]uint64, numDropReasons)
	for _, r := range DropReasons() {
		var sum uint64
		for i := range e.drops {
			sum += e.drops[i].n[r].Load()
		}
		m[r] = sum
	}
	m[DropOutDevice] += e.device.lost()
	m[DropInReceiveBuffer] += e.sockets.lost()
	return m
}
