package dataplane

import (
	"net/netip"

	"esplanade/esp"
)

// socketEnd is the sockets. Its implementations: x/net's batches (any OS, tests), raw recvmmsg and sendmmsg (Linux).
type socketEnd interface {
	// receivers gives all receivers; each is run by a goroutine.
	receivers() []receiver
	// sender makes a sender for the goroutine that has this worker's number.
	sender(worker int) sender
	// route resolves a path: which socket, which addresses in the system's form.
	route(p esp.Path) (*route, error)
	// pathMTU asks the system what it knows of the route's MTU; 0: nothing.
	pathMTU(r *route) int
	// sendIKE sends one datagram, as it is, and does not wait. Safe for concurrent use.
	sendIKE(local, remote netip.AddrPort, datagram []byte) error
	// lost is how many messages the sockets have dropped because they were not received in time.
	lost() uint64
	// sockets lists what is bound.
	bound() []Socket
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

// socketEvents is what a socket end tells the engine besides datagrams.
type socketEvents interface {
	// unreachable says that something sent to remote has caused an ICMP error.
	unreachable(local, remote netip.AddrPort, err error)
	// mtuChanged says that packets to remote are known to be limited to mtu octets, or that it should be asked for (0).
	mtuChanged(remote netip.Addr, mtu int)
}

// newSocketEnd chooses the socket end: raw system calls on sockets of the system where there are such.
func newSocketEnd(c Config, m *memory, ev socketEvents) (socketEnd, error) {
	if !c.Features.NoRawIO && c.Sockets.ListenPacket == nil {
		if w, ok, err := newMmsgSockets(c, m, ev); ok || err != nil {
			return w, err
		}
	}
	return newPortableSockets(c, m, ev)
}
