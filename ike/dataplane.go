package ike

import (
	"net/netip"
	"time"

	"esplanade/esp"
	"esplanade/ike/selector"
)

// DataPlane is what the daemon needs of a packet loop. The daemon calls it from its event loop; no method may block for
// long. See package dataplane for the meaning of the numbers: child names one CHILD SA, policy the configured child that it
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
}

// Counters is what has gone through one CHILD SA, in inner packets.
type Counters struct {
	InBytes, InPackets, OutBytes, OutPackets uint64
	LastIn, LastOut                          time.Time
	// LastOnPath is when a packet last came in from the address that the SA's path says.
	LastOnPath time.Time
}

// add sums counters of several SAs.
func (c *Counters) add(o Counters) {
	c.InBytes += o.InBytes
	c.InPackets += o.InPackets
	c.OutBytes += o.OutBytes
	c.OutPackets += o.OutPackets
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

// Network is what the daemon needs of the host's network configuration.
//
// SourceFor is called from the event loop and must not block. Addresses is called from whoever calls
// [Daemon.AddressesChanged]. The others may take their time: they are called from one goroutine of the daemon, one at a time
// and in the order in which the event loop wanted it. An AddRoutes that fails has added what it could, each prefix
// for itself, and counts: RemoveRoutes takes it back. It is reported once, and called again every ten seconds, which adds what is
// missing.
type Network interface {
	// SourceFor is the address this host uses towards a peer.
	SourceFor(remote netip.Addr) (netip.Addr, error)
	// Addresses lists the addresses at which this host can be reached from outside: those of its interfaces that are up,
	// without the tunnel's own.
	Addresses() ([]netip.Addr, error)
	// AddRoutes sends the traffic of selectors into the tunnel; what is added several times stays until it is removed
	// as often.
	AddRoutes(ts selector.Pair) error
	RemoveRoutes(ts selector.Pair) error
	// Prepared is called once, when everything is added that the start asks for: what an earlier run has left behind and
	// nobody has added again goes.
	Prepared() error
	// Exclude keeps the packets between the gateways themselves out of the tunnel; it counts like AddRoutes.
	Exclude(peer netip.Addr) error
	Unexclude(peer netip.Addr) error
}
