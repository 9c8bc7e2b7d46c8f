package dataplane

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime"

	"esplanade/ike/selector"
	"esplanade/tun"
)

// Limits of what a Config may ask for, and what its zero values stand for.
const (
	// MaxWorkers bounds Config.Workers: the low bits of an SPI name the worker.
	MaxWorkers = 64

	// DefaultWaitRing is how many packets wait for one policy's tunnel.
	DefaultWaitRing = 64
	// MaxWaitRing bounds Config.WaitRing: each slot may hold a packet of 64 KiB.
	MaxWaitRing = 1024

	// DefaultSocketBuffer is asked of the kernel for each ESP socket and direction. A burst of super-packets of 64 KiB,
	// each accounted with more than its size, has to fit.
	DefaultSocketBuffer = 8 << 20

	// DefaultPathMTU is assumed of a path that nothing is known about.
	DefaultPathMTU = 1500
	// MinPathMTU bounds what is believed about a path: below it lies the smallest MTU that IPv4 hosts must take
	// (RFC 791), and a forged ICMP message must not be able to make the tunnel unusable.
	MinPathMTU = 576
)

// Config is what an [Engine] is made of. Fields other than Device and Handler may be zero; the zero value of each is
// a good default. A Config is not changed by New and may be used again.
type Config struct {
	// Device is where packets of the inner networks come from and go to. The engine owns it from New on: it reads its
	// Events, and Close closes it. A [tun.QueueDevice] is driven through its queues where Features allow.
	Device tun.Device

	// Sockets says which sockets are opened.
	Sockets SocketConfig

	// Workers is the number of packet loops for each direction; 0 is half of the CPUs, at least one. A device with
	// fewer queues has fewer loops that read it.
	Workers int

	// Handler is told what concerns the IKE daemon.
	Handler Handler

	// Logger gets a line for what is odd about the system and the sockets; never one per packet. nil discards.
	Logger *slog.Logger

	// MSSClamp is the largest TCP MSS let through on SYN segments in both directions for IPv4; IPv6 gets 20 less. 0
	// derives it from the device's MTU, the cipher and the path; negative leaves SYN segments alone.
	MSSClamp int

	// WaitRing is how many packets wait for each policy's tunnel; 0 is DefaultWaitRing, negative is none.
	WaitRing int

	// PathMTU is the outer MTU assumed for every path; 0 asks the system and falls back to DefaultPathMTU.
	PathMTU int

	// BlackHoles looks for paths that drop large packets without an ICMP message, and lowers their MTU.
	BlackHoles bool

	// CopyDSCP copies the inner DSCP to the outer header. Off, the outer DSCP is 0. (RFC 4301 section 4.4.1.2 has it
	// configured for each policy, since it lets traffic classes be seen from outside.) ECN is always copied.
	CopyDSCP bool

	// TrustInnerChecksums leaves the inner TCP and UDP checksums unverified when packets are merged for the device. It
	// saves some time and hides corruption that happened before the peer gateway.
	TrustInnerChecksums bool

	// Features switches kernel features off one by one.
	Features Features

	// release stands in for that of the running kernel.
	release string
}

// Features are the switches of Linux features that make the packet loop fast. The zero value tries everything that
// the kernel has; each true switches one off. Those of the device are switched off with [tun.QueueOptions]. What is
// really in use is told by [Engine.Features].
type Features struct {
	NoRawIO     bool // use wireguard/tun's Read/Write and x/net's batches even where raw system calls would work
	NoUDPGSO    bool // send without UDP_SEGMENT
	NoUDPGRO    bool // receive without UDP_GRO
	NoTUNMerge  bool // write single packets to the device, also where it takes super-packets
	NoReusePort bool // one socket for all workers, instead of one per worker
	NoSteering  bool // leave it to the kernel which of the workers' sockets a packet comes to
	NoSentinel  bool // send runs of equal length as they are, on kernels that are known to corrupt them too
	NoRawESP    bool // no IP protocol 50 sockets: everything is UDP-encapsulated
}

// SocketConfig says which sockets are opened.
type SocketConfig struct {
	// IKE is the port where datagrams are IKE messages as they are (500); nil: none.
	IKE *Listen
	// NATT is the port where IKE messages follow four zero octets and everything else is ESP (4500); nil: none.
	// https://www.rfc-editor.org/rfc/rfc3948#section-2
	NATT *Listen

	// Mark is set on every socket (SO_MARK, Linux) so that a rule can keep their packets out of the tunnel; 0: none.
	Mark uint32

	// ReceiveBuffer and SendBuffer are asked for in octets; 0 is DefaultSocketBuffer, negative leaves the system's.
	ReceiveBuffer, SendBuffer int

	// ListenPacket replaces the sockets of the system, for tests over a network in memory. network is "udp4" or
	// "udp6". The connection may have the ReadFromUDPAddrPort and WriteToUDPAddrPort of net.UDPConn.
	ListenPacket func(ctx context.Context, network string, addr netip.AddrPort) (net.PacketConn, error)
}

// Listen is the port and the addresses of one kind of socket.
type Listen struct {
	// Port 0 is chosen by the system, the same for all addresses; see [Engine.LocalAddrs].
	Port uint16
	// Addrs are the addresses bound to. None means a wildcard socket for each address family that the system has:
	// answers leave from the address the request came to.
	Addrs []netip.Addr
}

// Handler is told by the engine what concerns the IKE daemon. Its methods are called from the packet loops: they must
// not block, must not call the engine, and must copy what they keep.
//
// An overloaded daemon may lose what HandleIKE, HandleUnreachable and UnknownSPI bring: it comes again while its cause
// lasts, and strangers can cause it. It must not lose InboundActive and Exhausting, which are called once for an SA. What
// Acquire and PeerMoved say is repeated only with further packets, and there may be none, so it should not be lost
// either. These four are about SAs and policies that the daemon knows; it is enough to remember, for each, the first packet
// of Acquire and the last address of PeerMoved.
type Handler interface {
	// HandleIKE gets an IKE message, without the non-ESP marker.
	HandleIKE(local, remote netip.AddrPort, datagram []byte)
	// HandleUnreachable gets the error that something sent to remote has caused: an [*ICMPMessage], or a syscall.Errno where no
	// message is known. syscall.ECONNREFUSED is a port that nobody listens on.
	HandleUnreachable(local, remote netip.AddrPort, errno error)
	// Acquire says that the packet waits for a tunnel of the policy. It is called at most once in AcquireInterval for
	// each policy.
	Acquire(policy uint64, p selector.Packet)
	// InboundActive says, once, that the first authentic packet has come in on the child's inbound SA.
	InboundActive(child uint64)
	// PeerMoved says that an authentic packet, newer than every one before, came from another address than the SA's
	// path says. It is repeated until UpdatePath, at most once for each batch of packets.
	PeerMoved(child uint64, from netip.AddrPort)
	// UnknownSPI says that ESP with an SPI that no inbound SA has came from remote. It is called at most once in
	// WaywardInterval for each source, and for at most 64 sources from each socket.
	UnknownSPI(local, remote netip.AddrPort, spi uint32)
	// Exhausting says, once, that the child's outbound SA has passed its soft limit.
	Exhausting(child uint64)
}

// ErrConfig is wrapped by the errors that New has about its Config.
var ErrConfig = errors.New("dataplane: bad configuration")

// DefaultWorkers is what 0 workers stand for: half of the CPUs, since each worker has a loop for each direction, and at
// least one. A device is opened with as many queues.
func DefaultWorkers() int { return min(max(1, runtime.GOMAXPROCS(0)/2), MaxWorkers) }

// withDefaults checks c and fills in what zero values stand for.
func (c Config) withDefaults() (Config, error) {
	if c.Device == nil {
		return c, fmt.Errorf("%w: no device", ErrConfig)
	}
	if c.Handler == nil {
		return c, fmt.Errorf("%w: no handler", ErrConfig)
	}
	if c.Sockets.IKE == nil && c.Sockets.NATT == nil {
		return c, fmt.Errorf("%w: neither an IKE nor a NAT-T port", ErrConfig)
	}
	if c.Workers < 0 || c.Workers > MaxWorkers {
		return c, fmt.Errorf("%w: %d workers; 1 to %d are possible, 0 chooses", ErrConfig, c.Workers, MaxWorkers)
	}
	if c.Workers == 0 {
		c.Workers = DefaultWorkers()
	}
	switch {
	case c.WaitRing == 0:
		c.WaitRing = DefaultWaitRing
	case c.WaitRing < 0:
		c.WaitRing = 0
	case c.WaitRing > MaxWaitRing:
		return c, fmt.Errorf("%w: a wait ring of %d packets; at most %d are possible", ErrConfig, c.WaitRing, MaxWaitRing)
	}
	if c.PathMTU != 0 && (c.PathMTU < MinPathMTU || c.PathMTU > maxPacket) {
		return c, fmt.Errorf("%w: a path MTU of %d; it lies between %d and %d", ErrConfig, c.PathMTU, MinPathMTU, maxPacket)
	}
	if c.MSSClamp > maxPacket {
		return c, fmt.Errorf("%w: an MSS clamp of %d; it is at most %d", ErrConfig, c.MSSClamp, maxPacket)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Sockets.ReceiveBuffer == 0 {
		c.Sockets.ReceiveBuffer = DefaultSocketBuffer
	}
	if c.Sockets.SendBuffer == 0 {
		c.Sockets.SendBuffer = DefaultSocketBuffer
	}
	for _, l := range []*Listen{c.Sockets.IKE, c.Sockets.NATT} {
		if l == nil {
			continue
		}
		for _, a := range l.Addrs {
			if !a.IsValid() || a.Is4In6() {
				return c, fmt.Errorf("%w: %v is not an address to bind to", ErrConfig, a)
			}
		}
	}
	return c, nil
}
