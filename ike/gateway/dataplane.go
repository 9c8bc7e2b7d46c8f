package gateway

import (
	"net/netip"
	"time"

	"esplanade/esp"
	"esplanade/ike/sa"
	"esplanade/ike/selector"
)

// DataPlane is what a [Manager] needs of a packet loop. It is called on the manager's goroutine; no method may wait
// for a socket, a device or a packet loop. See package dataplane for the meaning of the numbers: child names one CHILD SA, policy the configured child that it
// belongs to, and line is the same for a CHILD SA and those that it is rekeyed to.
type DataPlane interface {
	// SendIKE sends an IKE message, behind the non-ESP marker if local is a NAT traversal port. The single octet 0xff, a
	// NAT keepalive, goes out as it is.
	SendIKE(local, remote netip.AddrPort, datagram []byte) error

	AllocateSPI() (uint32, error)
	ReleaseSPI(spi uint32)

	// SetPolicy says what is protected, from when on none of it leaves in the clear, and replaces the policy of that number.
	SetPolicy(policy uint64, p selector.Policy)
	ClearPolicy(policy uint64)
	FailPending(policy uint64)

	InstallInbound(child, line uint64, c esp.InboundConfig, ts selector.Pair, path esp.Path) error
	InstallOutbound(child, policy, line uint64, c esp.OutboundConfig, ts selector.Pair, path esp.Path) error
	RemoveInbound(child uint64)
	RemoveOutbound(child uint64)
	UpdatePath(child uint64, path esp.Path)
	UpdateSelectors(child uint64, ts selector.Pair)

	// Counters are those of a child that has at least one direction installed. It may be called from any goroutine.
	Counters(child uint64) (Counters, bool)
	// PathState is what is known of the path that a child's outbound direction takes, false if there is none. It may be called
	// from any goroutine.
	PathState(child uint64) (PathState, bool)
}

// PathState is what is known of the path that a CHILD SA takes. The zero value is that of none.
type PathState struct {
	// MTU is the largest outer packet that the path is believed to take, in bytes, and Inner the largest inner packet that fits
	// into one.
	MTU, Inner int
	// BlackHole: larger packets vanish, and no ICMP message says so. Was is what the MTU was before that was found out.
	BlackHole bool
	Was       int
	// TooBig: an ICMP message has said the MTU ("fragmentation needed", Packet Too Big).
	TooBig bool
	// Since is when that was found out, or said; zero if neither is set.
	Since time.Time
}

// narrower is the state of the path that takes less, of those of several CHILD SAs.
func (p PathState) narrower(o PathState) PathState {
	if p.MTU == 0 || o.MTU != 0 && o.MTU < p.MTU {
		return o
	}
	return p
}

// Counters is what has gone through one CHILD SA, in inner packets.
type Counters struct {
	InBytes, InPackets, OutBytes, OutPackets uint64
	LastIn, LastOut                          time.Time
	// LastOnPath is when a packet last came in from the address that the SA's path says.
	LastOnPath time.Time
	// Asking is how many packets out ask for an answer: they begin TCP connections, or are ICMP echo requests.
	Asking uint64
}

// Plus is the sum of counters of several SAs.
func (c Counters) Plus(o Counters) Counters { c.add(o); return c }

// minus leaves out what was counted before.
func (c Counters) minus(o Counters) Counters {
	c.InBytes -= o.InBytes
	c.InPackets -= o.InPackets
	c.OutBytes -= o.OutBytes
	c.OutPackets -= o.OutPackets
	c.Asking -= o.Asking
	return c
}

// add sums counters of several SAs.
func (c *Counters) add(o Counters) {
	c.InBytes += o.InBytes
	c.InPackets += o.InPackets
	c.OutBytes += o.OutBytes
	c.OutPackets += o.OutPackets
	c.Asking += o.Asking
	if o.LastIn.After(c.LastIn) {
		c.LastIn = o.LastIn
	}
	if o.LastOnPath.After(c.LastOnPath) {
		c.LastOnPath = o.LastOnPath
	}
	if o.LastOut.After(c.LastOut) {
		c.LastOut = o.LastOut
	}
}

// Host is what a [Manager] wants of the host: its routes and its resolver. It is called on the manager's goroutine. No method
// may block: what takes its time is done later, and what comes of it is told.
type Host interface {
	// SourceFor is the address this host uses towards a peer.
	SourceFor(remote netip.Addr) (netip.Addr, error)
	// SetRoutes says which traffic goes into the tunnel for a holder from now on, nil for none: a configured child by the
	// number of its policy, or a CHILD SA by its own. What several hold stays as long as one does. Routes that can't be added
	// are told to [Manager.RoutesFailed], once for each ts.
	SetRoutes(holder uint64, ts *selector.Pair)
	// Exclude keeps the packets to a peer out of the tunnels until Unexclude was called as often.
	Exclude(peer netip.Addr)
	Unexclude(peer netip.Addr)
	// Assign says what a gateway has assigned to this host, for a holder, from now on; nil for nothing. It comes before the routes that need
	// the addresses, and they go after those. [Manager.Placed] is told what came of it.
	Assign(holder uint64, a *sa.Placement)
	// LookUp looks a name up. [Manager.Resolved] is told the answer, once, with the same number.
	LookUp(id uint64, name string)
	// CarryOut does what an IKE SA has asked for. done: the result is there. Otherwise [Manager.Completed] is told it with the
	// same errand, from the goroutine that the manager belongs to and never from within this call. An errand that nobody has
	// time for is completed, with an [*sa.RequestError].
	CarryOut(x Errand) (result sa.Result, done bool)
	// Keep writes leases to where they survive a restart, in the order of the calls. Of an urgent one done says that it was done, or why it
	// could not be. Otherwise [Manager.Kept] is told so with the same Keeping, like an errand. The others are written when there is time, and
	// again until they are.
	Keep(k Keeping) (err error, done bool)
}
