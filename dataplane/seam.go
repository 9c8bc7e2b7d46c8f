package dataplane

import (
	"net/netip"
	"sync/atomic"

	"esplanade/esp"
	"esplanade/tun"
)

// Sizes of the buffers that packets live in.
const (
	// maxPacket is the largest IP packet.
	maxPacket = 65535
	// headroom is kept free in front of every packet: a virtio header, or what a device's Write needs.
	headroom = 64
	// tailroom is kept free behind every packet for the ESP trailer that Seal lays over it.
	tailroom = 64
	// packetSlot is a buffer for any packet, a multiple of the cache line. One cache line more than needed keeps the
	// slots of an arena from all falling into the same sets of the cache.
	packetSlot = headroom + 65536 + tailroom + 64
)

// The buffers are laid out for these.
var (
	_ [headroom - tun.Headroom]struct{}
	_ [tailroom - esp.TrailerRoom]struct{}
)

// superPacket is one IP packet in a buffer, or a run of segments of one flow that the kernel handles as one packet.
//
//	buf: | headroom | IP | TCP/UDP | payload of segment 0 | of segment 1 | … | tailroom |
//	               start                                                  end
//
// A plain packet is a super-packet of one segment: its vnet is zero, or asks for a checksum.
type superPacket struct {
	buf        []byte
	start, end int
	vnet       tun.VNetHdr
	segments   int // on the way to the device: how many packets it counts as
}

// bytes is the packet, with the room behind it as capacity.
func (s *superPacket) bytes() []byte { return s.buf[s.start:s.end] }

// deviceEnd is where packets of the inner networks come from and go to. Its implementations: wireguard/tun's
// Read and Write (any OS, netstack, tests), and raw TUN queues (Linux).
type deviceEnd interface {
	// readers gives one reader for each queue.
	readers() []deviceReader
	// writer makes a writer for one goroutine, to queue q modulo the number of queues.
	writer(q int) deviceWriter
	// merges says which super-packets writers take.
	merges() mergeSet
	// start is called before the loops run; merges may be different afterwards.
	start()
	// lost is how many packets the device has dropped because they were not read in time.
	lost() uint64
	// mtu is the device's MTU at start; changes come from its events.
	mtu() int
	// describe says for status what is in use.
	describe() []Feature
	// close makes blocked readers return an error and releases the device.
	close() error
}

// mergeSet is a set of kinds of super-packets.
type mergeSet struct{ tcp, udp bool }

// deviceReader reads one queue. Owned by one goroutine.
type deviceReader interface {
	// read waits for at least one super-packet and gives those that are there, up to what is good for a batch. They
	// and their buffers may be changed by the caller, and are the reader's again with the next call. An error is final.
	read() ([]superPacket, error)
}

// deviceWriter writes to one queue. Owned by one goroutine.
type deviceWriter interface {
	// write writes super-packets in order and says how many of the packets they stand for were refused. An error is
	// final.
	write(s []superPacket) (refused int, err error)
	// merging says whether super-packets are taken. It may become false when the kernel turns out to refuse them.
	merging() bool
}

// wireEnd is the sockets. Its implementations: x/net's batches (any OS, tests), raw recvmmsg and sendmmsg (Linux).
type wireEnd interface {
	// receivers gives all receivers; each is run by a goroutine.
	receivers() []receiver
	// sender makes a sender for the goroutine that has this worker's number.
	sender(worker int) sender
	// route resolves a path: which socket, which addresses in the system's form.
	route(p esp.Path) (*route, error)
	// pathMTU asks the system what it knows of the route's MTU; 0: nothing.
	pathMTU(r *route) int
	// sendIKE sends one datagram, as it is. Safe for concurrent use.
	sendIKE(local, remote netip.AddrPort, datagram []byte) error
	// lost is how many messages the sockets have dropped because they were not received in time.
	lost() uint64
	// sockets lists what is bound.
	sockets() []Socket
	// gso says how many segments and octets of them one message may have; 1 means one.
	gso() gsoLimits
	// describe says for status what is in use.
	describe() []Feature
	// close makes blocked receivers return an error and closes the sockets.
	close() error
}

// Socket is one bound socket.
type Socket struct {
	Kind  SocketKind
	Local netip.AddrPort // the port is 0 for SocketRaw
}

// SocketKind says what a socket carries.
type SocketKind uint8

// The kinds of sockets.
const (
	SocketIKE  SocketKind = iota // IKE messages as they are
	SocketNATT                   // IKE behind a marker of four zero octets, ESP in UDP, keepalives
	SocketRaw                    // IP protocol 50
)

// String names the kind as status does.
func (k SocketKind) String() string {
	switch k {
	case SocketIKE:
		return "ike"
	case SocketNATT:
		return "nat-t"
	case SocketRaw:
		return "esp"
	}
	return "unknown"
}

// gsoLimits bounds what one message may carry.
type gsoLimits struct {
	segments int // of equal length, the last may be shorter
	// sentinel asks for an octet of its own behind a run of equal segments, and to send short runs one by one: some
	// kernels corrupt runs whose segments are all of equal length.
	sentinel bool
}

// datagrams is one received message: datagrams back to back, each seg octets long, the last maybe shorter.
type datagrams struct {
	buf           []byte // with headroom in front of start and tailroom behind end
	start, end    int
	seg           int
	local, remote netip.AddrPort
	tos           uint8 // TOS or traffic class of the outer header; all of them have the same
	kind          SocketKind
}

// receiver reads one socket. Owned by one goroutine.
type receiver interface {
	// receive waits for at least one message and gives those that are there. They are the caller's to change until
	// the next call. An error is final.
	receive() ([]datagrams, error)
	// worker is the number of the worker whose device queue the packets go to.
	worker() int
}

// sender sends batches. Owned by one goroutine.
type sender interface {
	// send sends all messages in order and reports each packet that could not be sent to the batch.
	send(b *txBatch)
}

// route is a resolved path. It is immutable but for mtu.
type route struct {
	path   esp.Path
	socket int // index of the socket group at the wire end
	// mtu is the outer MTU that is believed of the path.
	mtu atomic.Int32

	addr    any    // the remote address in the end's form
	oob     []byte // control messages that pin the local address; the sender appends the TOS to a copy
	sockLen int    // octets of sockaddr in use
	sock    [28]byte
}

// outerHeader is the number of octets of IP and UDP header on the route.
func (r *route) outerHeader() int {
	n := 20
	if r.path.Remote.Addr().Is6() {
		n = 40
	}
	if r.path.UDP {
		n += 8
	}
	return n
}

// maxPayload is the largest UDP or IP payload of one message.
func (r *route) maxPayload() int {
	if r.path.Remote.Addr().Is6() {
		return 65535 - 8
	}
	return 65535 - 20 - 8
}
