package tun

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"sync"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv4"
	"gvisor.dev/gvisor/pkg/tcpip/network/ipv6"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/icmp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
	"gvisor.dev/gvisor/pkg/tcpip/transport/udp"
)

// netstackBatch is how many packets a Read takes at most.
const netstackBatch = 128

// netstackNIC is the only interface of the stack.
const netstackNIC tcpip.NICID = 1

// SuperDevice is a [Device] that gives runs of segments of one TCP connection as one packet, so that they are looked at once.
type SuperDevice interface {
	Device
	// ReadSuper is Read with the header of each packet, which may be a super-packet of up to 64 KiB. The connections that are made
	// from the first call of UseSuperPackets on have such; Read may not be called afterwards.
	ReadSuper(bufs [][]byte, sizes []int, headers []VNetHdr, offset int) (int, error)
	UseSuperPackets()
}

// netstackDevice is a device whose host end is a stack in this process.
type netstackDevice struct {
	link    *netstackLink
	stack   *stack.Stack
	events  chan Event
	closing chan struct{}
	once    sync.Once

	batch []*stack.PacketBuffer // of the reader
	plain []VNetHdr
}

var _ SuperDevice = (*netstackDevice)(nil)

// NewNetstack gives a device that needs neither privileges nor /dev/net/tun: behind it is a TCP/IP stack in this
// process with the given addresses, and the Net dials and listens through it. Everything it sends comes out of Read. Close
// connections of the Net before the device.
func NewNetstack(addrs []netip.Addr, mtu int) (Device, *Net, error) {
	const op, name = "create", "netstack"
	bad := func(detail, fix string) error {
		return &DeviceError{Op: op, Name: name, Reason: ErrBadRequest, Detail: detail, Fix: fix}
	}
	if mtu < MinMTU || mtu > MaxMTU {
		return nil, nil, bad(fmt.Sprintf("mtu %d", mtu), fmt.Sprintf("set mtu to %d..%d", MinMTU, MaxMTU))
	}
	plain := make([]netip.Addr, len(addrs))
	for i, a := range addrs {
		p, err := plainAddr(a)
		if err != nil {
			return nil, nil, bad("address "+a.String(), "give it addresses such as 10.1.0.1 or 2001:db8::1")
		}
		plain[i] = p
	}
	link := newNetstackLink(mtu)
	s, err := newStack(link, plain)
	if err != nil {
		return nil, nil, &DeviceError{Op: op, Name: name, Reason: ErrSystem, Fix: "look at the error", Err: err}
	}
	d := &netstackDevice{
		link: link, stack: s, events: make(chan Event, 1), closing: make(chan struct{}),
		batch: make([]*stack.PacketBuffer, 0, netstackBatch), plain: make([]VNetHdr, netstackBatch),
	}
	d.events <- EventUp
	return d, &Net{s}, nil
}

// newStack makes a stack with one interface.
func newStack(link *netstackLink, addrs []netip.Addr) (*stack.Stack, error) {
	s := stack.New(stack.Options{
		NetworkProtocols:   []stack.NetworkProtocolFactory{ipv4.NewProtocol, ipv6.NewProtocol},
		TransportProtocols: []stack.TransportProtocolFactory{tcp.NewProtocol, udp.NewProtocol, icmp.NewProtocol4, icmp.NewProtocol6},
		HandleLocal:        true,
	})
	fail := func(what string, err tcpip.Error) (*stack.Stack, error) {
		s.Close()
		return nil, fmt.Errorf("%s: %s", what, err)
	}
	if what, err := tune(s); err != nil {
		return fail(what, err)
	}
	if err := s.CreateNIC(netstackNIC, link); err != nil {
		return fail("interface", err)
	}
	families := map[tcpip.NetworkProtocolNumber]tcpip.Subnet{ipv4.ProtocolNumber: header.IPv4EmptySubnet, ipv6.ProtocolNumber: header.IPv6EmptySubnet}
	for _, a := range addrs {
		p := tcpip.ProtocolAddress{Protocol: familyOf(a), AddressWithPrefix: tcpip.AddrFromSlice(a.AsSlice()).WithPrefix()}
		if err := s.AddProtocolAddress(netstackNIC, p, stack.AddressProperties{}); err != nil {
			return fail("address "+a.String(), err)
		}
		if all, ok := families[p.Protocol]; ok {
			s.AddRoute(tcpip.Route{Destination: all, NIC: netstackNIC})
			delete(families, p.Protocol)
		}
	}
	return s, nil
}

// netstackWindow is the most that a TCP connection may have under way, in bytes: what a path of 170 Mbit/s and 0.1 s takes. With more,
// connections whose bottleneck is this machine fill the buffers of its sockets, and its caches, and gain nothing.
const netstackWindow = 2 << 20

// tune sets what TCP does about losses and windows. What the stack has by itself lets one of two directions of a path without any loss
// starve:
//
//   - Its RACK (RFC 8985) takes segments for lost that are only late, and halves the window; most of its recoveries are spurious.
//     Without it losses are found by SACK (RFC 6675).
//   - Its CUBIC leaves slow start (HyStart) when some round trips take four milliseconds longer, as they do on a busy machine,
//     and then grows by 0.4 segments times the cube of the seconds. So it is NewReno, which leaves slow start at a loss.
//
// Buffers of receivers grow with what arrives, up to the window.
func tune(s *stack.Stack) (what string, err tcpip.Error) {
	recovery, sack := tcpip.TCPRecovery(0), tcpip.TCPSACKEnabled(true)
	congestion, moderate := tcpip.CongestionControlOption("reno"), tcpip.TCPModerateReceiveBufferOption(true)
	buffer := tcpip.TCPReceiveBufferSizeRangeOption{Min: tcp.MinBufferSize, Default: tcp.DefaultReceiveBufferSize, Max: netstackWindow}
	for _, o := range []struct {
		what  string
		value tcpip.SettableTransportProtocolOption
	}{
		{"loss recovery", &recovery}, {"SACK", &sack}, {"congestion control", &congestion}, {"buffer growth", &moderate}, {"buffers", &buffer},
	} {
		if err := s.SetTransportProtocolOption(tcp.ProtocolNumber, o.value); err != nil {
			return o.what, err
		}
	}
	return "", nil
}

func familyOf(a netip.Addr) tcpip.NetworkProtocolNumber {
	if a.Is4() {
		return ipv4.ProtocolNumber
	}
	return ipv6.ProtocolNumber
}

// UseSuperPackets implements [SuperDevice].
func (d *netstackDevice) UseSuperPackets() { d.link.super.Store(true) }

// Read waits for one packet and takes the others that wait with it.
func (d *netstackDevice) Read(bufs [][]byte, sizes []int, offset int) (int, error) {
	return d.ReadSuper(bufs, sizes, d.plain, offset)
}

// ReadSuper implements [SuperDevice].
func (d *netstackDevice) ReadSuper(bufs [][]byte, sizes []int, headers []VNetHdr, offset int) (int, error) {
	room := min(len(bufs), len(sizes), len(headers), netstackBatch)
	if room == 0 {
		return 0, nil
	}
	for {
		packets, open := d.link.take(d.batch[:0:room])
		if !open {
			return 0, os.ErrClosed
		}
		if len(packets) > 0 {
			return unload(packets, bufs, sizes, headers, offset)
		}
		select {
		case <-d.link.wake:
		case <-d.closing:
			return 0, os.ErrClosed
		}
	}
}

// unload copies packets to the buffers.
func unload(packets []*stack.PacketBuffer, bufs [][]byte, sizes []int, headers []VNetHdr, offset int) (n int, err error) {
	for i, p := range packets {
		packets[i] = nil
		if err == nil {
			if offset < 0 || offset > len(bufs[n]) || len(bufs[n])-offset < p.Size() {
				err = errShortBuffer
			} else {
				sizes[n], headers[n] = flatten(bufs[n][offset:], p), superHeader(p)
				n++
			}
		}
		p.DecRef()
	}
	return n, err
}

// flatten copies a packet.
func flatten(to []byte, p *stack.PacketBuffer) int {
	views, skip := p.AsViewList()
	n := 0
	for v := views.Front(); v != nil; v = v.Next() {
		b := v.AsSlice()
		if skip >= len(b) {
			skip -= len(b)
			continue
		}
		n += copy(to[n:], b[skip:])
		skip = 0
	}
	return n
}

// superHeader says what the stack has left to do of a packet: its checksum, and to cut it into segments.
func superHeader(p *stack.PacketBuffer) (h VNetHdr) {
	g := &p.GSOOptions
	if g.Type == stack.GSONone || !g.NeedsCsum {
		return h
	}
	network := len(p.NetworkHeader().Slice())
	h = VNetHdr{Flags: VNetNeedsCsum, CsumStart: uint16(network), CsumOffset: g.CsumOffset}
	if p.Data().Size() > int(g.MSS) {
		h.GSOType, h.GSOSize = GSOTCPv4, g.MSS
		if g.Type == stack.GSOTCPv6 {
			h.GSOType = GSOTCPv6
		}
		h.HdrLen = uint16(network + len(p.TransportHeader().Slice()))
	}
	return h
}

var errShortBuffer = errors.New("buffer too small for the packet")

// Write gives packets to the stack, which copies them. What is no IP packet is an error, and those behind it are not looked at.
func (d *netstackDevice) Write(bufs [][]byte, offset int) (int, error) {
	select {
	case <-d.closing:
		return 0, os.ErrClosed
	default:
	}
	for i, b := range bufs {
		if !d.link.deliver(b[offset:]) {
			return i, errNoIP
		}
	}
	return len(bufs), nil
}

var errNoIP = errors.New("not an IP packet")

// File implements [Device]: there is none.
func (d *netstackDevice) File() *os.File { return nil }

// Name implements [Device].
func (d *netstackDevice) Name() (string, error) { return "netstack", nil }

// MTU implements [Device].
func (d *netstackDevice) MTU() (int, error) { return int(d.link.MTU()), nil }

// Events implements [Device].
func (d *netstackDevice) Events() <-chan Event { return d.events }

// BatchSize implements [Device].
func (d *netstackDevice) BatchSize() int { return netstackBatch }

// Dropped counts packets the stack has sent while the queue was full.
func (d *netstackDevice) Dropped() uint64 { return d.link.dropped.Load() }

// Close ends the stack. It may be called again.
func (d *netstackDevice) Close() error {
	d.once.Do(func() {
		close(d.closing)
		d.stack.RemoveNIC(netstackNIC)
		d.stack.Close()
		d.link.shut()
		close(d.events)
	})
	return nil
}
