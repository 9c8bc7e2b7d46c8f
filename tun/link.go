package tun

import (
	"net/netip"
)

// Route is one prefix to be reached through the tunnel.
type Route struct {
	Dst netip.Prefix
	Src netip.Addr // source address of packets this host sends itself; the zero Addr leaves the choice to the system
}

// Defaults of [LinkOptions].
const (
	DefaultMark       = 0xdc // 220
	DefaultTable      = 220
	DefaultPriority   = 220
	DefaultTxQueueLen = 1000
)

// LinkOptions says how a link is configured. Other systems than Linux have neither marks nor several routing tables:
// there only Peers excluded by name are kept out of the tunnel.
type LinkOptions struct {
	// Mark is the SO_MARK of the IKE and ESP sockets; packets that carry it are never routed into the tunnel.
	// 0 means that the sockets have no mark (it takes CAP_NET_ADMIN or, since Linux 5.17, CAP_NET_RAW to set one): then only
	// Exclude keeps them out.
	Mark uint32

	// Table is the routing table of prefixes longer than /0; 0 is DefaultTable. Default routes are in table Table+1.
	Table int

	// Priority is the priority of the first of our routing rules; 0 is DefaultPriority. Priority-2 to Priority+5 are used.
	Priority int

	// TxQueueLen is the number of packets (each up to 64 KiB with TSO) that wait in the device for us to read them;
	// 0 is DefaultTxQueueLen, negative leaves the kernel's.
	TxQueueLen int

	// Local says what becomes of the routes that the host has without the tunnel; the zero value keeps those that are
	// more specific than the tunnel's.
	Local LocalRoutes

	// BlockWhenStopped leaves routes behind, on Close, that refuse the packets that would have gone into the tunnel, and
	// what leads to them, until the next run takes them over or [Unblock] removes them. Only Linux can do that: elsewhere
	// Configure fails with ErrUnsupported.
	BlockWhenStopped bool

	// Overlapping is told how a route into the tunnel and one of the host meet, when either is new. It is called while the
	// Link works and must not call it; nil is nobody.
	Overlapping func(Overlap)

	// Restored is told, from a goroutine of the Link, that something has vanished and was put back. nil is nobody.
	Restored func(Restored)

	// Ports are the local UDP ports of IKE and of ESP in UDP; empty is DefaultPorts. See Exclude.
	Ports []uint16
}

// LocalRoutes says which routes of the host keep their way although a route into the tunnel covers them. A route into the
// tunnel that is as specific as one of the host, or more specific, always wins.
type LocalRoutes int

// The values of LocalRoutes. Systems other than Linux have one routing table, where the more specific route wins: they know
// LocalKept only.
const (
	LocalKept      LocalRoutes = iota // those that are more specific
	LocalConnected                    // of those, only networks that the host is directly connected to
	LocalTunnelled                    // none
)

// Overlap is a route of the host and a route into the tunnel of which one covers the other. The more specific one wins, and
// the tunnel if they are the same.
type Overlap struct {
	Host, Tunnel netip.Prefix
	Kept         bool // the host's wins
}

// Restored says what had vanished of what a Link has added, and was put back.
type Restored struct {
	Up                       bool // the device had been set down
	Rules, Routes, Addresses int
	// Err is why something could not be put back.
	Err error
	// Contested says that it vanishes again and again: the next time is waited with.
	Contested bool
	// Crowded says that the host has more routes inside the tunnel's than can be kept out of it.
	Crowded bool
}

// Any reports whether anything had vanished.
func (r Restored) Any() bool { return r.Up || r.Rules+r.Routes+r.Addresses > 0 }

// DefaultPorts gives the ports of RFC 7296 section 2 (https://www.rfc-editor.org/rfc/rfc7296#section-2).
func DefaultPorts() []uint16 { return []uint16{500, 4500} }

func (o LinkOptions) ports() []uint16 {
	if len(o.Ports) == 0 {
		return DefaultPorts()
	}
	return o.Ports
}

// Link configures the system around one device. Everything is counted: what was added twice is removed by the second
// removal, and Close removes all that is left. Its methods may be called from several goroutines. Errors are [*LinkError].
type Link interface {
	// SetUp sets the MTU and brings the device up.
	SetUp(mtu int) error

	// AddAddress gives the device an address, such as a virtual IP the peer has assigned.
	AddAddress(netip.Prefix) error
	RemoveAddress(netip.Prefix) error

	// AddRoute sends a prefix into the tunnel. The host's routes that are more specific keep their way, also those that
	// come later; see LinkOptions.Local. Several children may add the same prefix: it stays until each has removed it.
	AddRoute(Route) error
	RemoveRoute(Route) error

	// Exclude keeps the IKE and ESP packets to and from a peer's outer address out of the tunnel, whichever
	// routes are added before or after. It is to be called for every peer, on every system.
	Exclude(peer netip.Addr) error
	Unexclude(peer netip.Addr) error

	// Sweep removes what an earlier run has left to refuse packets and what nobody has added again by now. It is to be called
	// once, when everything is added that the start asks for.
	Sweep() error

	// Close removes everything that the Link added and that is still there. A second Close does nothing.
	Close() error

	// Abandon is a Close after a failure: it leaves what refuses packets, whether of this run or of an earlier one, as
	// LinkOptions.BlockWhenStopped does. Nobody has wanted the tunnels' packets to leave in the clear. After a Close it does
	// nothing.
	Abandon() error
}

// Configure gives the Link of a device. Nothing about the device is changed yet, but what a crashed run with
// the same options has left behind is removed. Call Close before closing the device.
func Configure(dev Device, o LinkOptions) (Link, error) {
	name, err := dev.Name()
	if err != nil {
		return nil, &LinkError{Op: "configure", Err: err}
	}
	o.setDefaults()
	return configure(name, o)
}

func (o *LinkOptions) setDefaults() {
	if o.Table == 0 {
		o.Table = DefaultTable
	}
	if o.Priority == 0 {
		o.Priority = DefaultPriority
	}
	if o.TxQueueLen == 0 {
		o.TxQueueLen = DefaultTxQueueLen
	}
}
