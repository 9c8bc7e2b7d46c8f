package tun

import (
	"sync"
	"sync/atomic"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/header"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

const (
	// netstackQueue is how many packets, or super-packets, wait for Read, and netstackBytes how many bytes of them: what a few
	// connections have under way. The stack is not made to wait when there are more: it may be sending from within our Write, in
	// the very goroutine that would have to Read. Like a network card, the queue drops.
	netstackQueue = 4096
	netstackBytes = 32 << 20
)

// netstackLink is the link endpoint of the stack: its network card. What the stack sends waits in a queue; what comes in is delivered by
// whoever writes it. Safe for concurrent use.
type netstackLink struct {
	mtu     atomic.Uint32
	super   atomic.Bool // the stack may send super-packets: see SuperDevice
	dropped atomic.Uint64
	wake    chan struct{} // has a token whenever there are packets

	mu     sync.RWMutex
	upward stack.NetworkDispatcher // nil while the link is not attached

	out     sync.Mutex
	queue   []*stack.PacketBuffer // a ring
	first   int
	waiting int
	bytes   int
	closed  bool
}

var (
	_ stack.LinkEndpoint = (*netstackLink)(nil)
	_ stack.GSOEndpoint  = (*netstackLink)(nil)
)

func newNetstackLink(mtu int) *netstackLink {
	l := &netstackLink{wake: make(chan struct{}, 1), queue: make([]*stack.PacketBuffer, netstackQueue)}
	l.mtu.Store(uint32(mtu))
	return l
}

// WritePackets implements stack.LinkWriter. It never waits.
func (l *netstackLink) WritePackets(list stack.PacketBufferList) (int, tcpip.Error) {
	packets := list.AsSlice()
	l.out.Lock()
	if l.closed {
		l.out.Unlock()
		return 0, &tcpip.ErrClosedForSend{}
	}
	for _, p := range packets {
		n := p.Size()
		if l.waiting == len(l.queue) || l.bytes+n > netstackBytes {
			l.dropped.Add(1)
			continue
		}
		l.queue[(l.first+l.waiting)%len(l.queue)] = p.IncRef()
		l.waiting++
		l.bytes += n
	}
	l.out.Unlock()
	select {
	case l.wake <- struct{}{}:
	default: // one token is enough: the reader takes what there is
	}
	return len(packets), nil
}

// take moves packets that wait to list, up to its capacity. It reports false when the link is closed.
func (l *netstackLink) take(list []*stack.PacketBuffer) ([]*stack.PacketBuffer, bool) {
	list = list[:0]
	l.out.Lock()
	defer l.out.Unlock()
	for l.waiting > 0 && len(list) < cap(list) {
		p := l.queue[l.first]
		l.queue[l.first] = nil
		l.first = (l.first + 1) % len(l.queue)
		l.waiting--
		l.bytes -= p.Size()
		list = append(list, p)
	}
	if l.waiting > 0 {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	return list, !l.closed
}

// deliver gives a packet that has come in to the stack, which takes a copy. It reports false for what is no IP packet.
func (l *netstackLink) deliver(packet []byte) bool {
	var protocol tcpip.NetworkProtocolNumber
	switch {
	case len(packet) == 0:
		return false
	case packet[0]>>4 == 4:
		protocol = header.IPv4ProtocolNumber
	case packet[0]>>4 == 6:
		protocol = header.IPv6ProtocolNumber
	default:
		return false
	}
	l.mu.RLock()
	up := l.upward
	l.mu.RUnlock()
	if up == nil {
		return true // as a card does that is down
	}
	p := stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(packet)})
	up.DeliverNetworkPacket(protocol, p)
	p.DecRef()
	return true
}

// shut drops what waits, and takes no more.
func (l *netstackLink) shut() {
	l.out.Lock()
	defer l.out.Unlock()
	l.closed = true
	for l.waiting > 0 {
		l.queue[l.first].DecRef()
		l.queue[l.first] = nil
		l.first = (l.first + 1) % len(l.queue)
		l.waiting--
	}
	l.bytes = 0
}

// SupportedGSO implements stack.GSOEndpoint: each connection asks when it is made.
func (l *netstackLink) SupportedGSO() stack.SupportedGSO {
	if l.super.Load() {
		return stack.HostGSOSupported
	}
	return stack.GSONotSupported
}

// GSOMaxSize implements stack.GSOEndpoint.
func (l *netstackLink) GSOMaxSize() uint32 { return netstackSuper }

// netstackSuper is the largest super-packet: an IP packet has no room for more.
const netstackSuper = 65535

// Attach implements stack.LinkEndpoint.
func (l *netstackLink) Attach(d stack.NetworkDispatcher) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.upward = d
}

// IsAttached implements stack.LinkEndpoint.
func (l *netstackLink) IsAttached() bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.upward != nil
}

// MTU implements stack.LinkEndpoint, as the methods below do: there is no link layer.
func (l *netstackLink) MTU() uint32                                  { return l.mtu.Load() }
func (l *netstackLink) SetMTU(mtu uint32)                            { l.mtu.Store(mtu) }
func (l *netstackLink) MaxHeaderLength() uint16                      { return 0 }
func (l *netstackLink) LinkAddress() tcpip.LinkAddress               { return "" }
func (l *netstackLink) SetLinkAddress(tcpip.LinkAddress)             {}
func (l *netstackLink) Capabilities() stack.LinkEndpointCapabilities { return stack.CapabilityNone }
func (l *netstackLink) Wait()                                        {}
func (l *netstackLink) ARPHardwareType() header.ARPHardwareType      { return header.ARPHardwareNone }
func (l *netstackLink) AddHeader(*stack.PacketBuffer)                {}
func (l *netstackLink) ParseHeader(*stack.PacketBuffer) bool         { return true }
func (l *netstackLink) Close()                                       {}
func (l *netstackLink) SetOnCloseAction(func())                      {}
