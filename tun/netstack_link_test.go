package tun

import (
	"net/netip"
	"testing"

	"gvisor.dev/gvisor/pkg/buffer"
	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
	"gvisor.dev/gvisor/pkg/tcpip/transport/tcp"
)

// packetsOf makes a list of n packets of a size.
func packetsOf(n, size int) (list stack.PacketBufferList) {
	for range n {
		list.PushBack(stack.NewPacketBuffer(stack.PacketBufferOptions{Payload: buffer.MakeWithData(make([]byte, size))}))
	}
	return list
}

// TestNetstackQueueIsBounded: by packets and by bytes. What does not fit is dropped and counted, and there is room again when something
// was read.
func TestNetstackQueueIsBounded(t *testing.T) {
	const large = 65000
	for _, c := range []struct{ size, fit int }{{40, netstackQueue}, {large, netstackBytes / large}} {
		l := newNetstackLink(1400)
		list := packetsOf(c.fit+3, c.size)
		if n, err := l.WritePackets(list); n != c.fit+3 || err != nil {
			t.Fatalf("%d written, %v", n, err)
		}
		if got := l.dropped.Load(); got != 3 || l.waiting != c.fit || l.bytes != c.fit*c.size {
			t.Errorf("packets of %d: %d dropped, %d wait, %d bytes", c.size, got, l.waiting, l.bytes)
		}
		taken, open := l.take(make([]*stack.PacketBuffer, 0, 2))
		if len(taken) != 2 || !open || len(l.wake) != 1 {
			t.Errorf("%d taken, open: %v, awake: %d", len(taken), open, len(l.wake))
		}
		l.WritePackets(packetsOf(3, c.size))
		if got := l.dropped.Load(); got != 4 {
			t.Errorf("%d dropped", got)
		}
		l.shut()
		if _, open := l.take(taken); open || l.waiting != 0 || l.bytes != 0 {
			t.Errorf("after the end: open %v, %d wait, %d bytes", open, l.waiting, l.bytes)
		}
		if _, err := l.WritePackets(packetsOf(1, c.size)); err == nil {
			t.Error("packets are taken after the end")
		}
	}
}

// sink takes what comes in.
type sink struct{ packets int }

func (s *sink) DeliverNetworkPacket(tcpip.NetworkProtocolNumber, *stack.PacketBuffer) { s.packets++ }
func (s *sink) DeliverLinkPacket(tcpip.NetworkProtocolNumber, *stack.PacketBuffer)    {}

// TestNetstackAllocates: neither way of a packet through the link allocates, once the pools are filled.
func TestNetstackAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector empties pools")
	}
	l := newNetstackLink(1400)
	s := &sink{}
	l.Attach(s)
	d := &netstackDevice{link: l, batch: make([]*stack.PacketBuffer, 0, netstackBatch), plain: make([]VNetHdr, netstackBatch)}
	list := packetsOf(64, 1400)
	bufs, sizes := make([][]byte, 64), make([]int, 64)
	for i := range bufs {
		bufs[i] = make([]byte, 1500)
	}
	out := func() {
		if _, err := l.WritePackets(list); err != nil {
			t.Fatal(err)
		}
		if n, err := d.Read(bufs, sizes, 0); n != 64 || err != nil {
			t.Fatalf("%d read: %v", n, err)
		}
	}
	in := make([]byte, 1400)
	in[0] = 0x45
	if n := testing.AllocsPerRun(200, out); n > 1 { // a garbage collection may empty a pool meanwhile
		t.Errorf("%v allocations for 64 packets out", n)
	}
	if n := testing.AllocsPerRun(200, func() {
		for range 64 {
			l.deliver(in)
		}
	}); n > 2 {
		t.Errorf("%v allocations for 64 packets in", n)
	}
	if s.packets == 0 {
		t.Error("nothing was delivered")
	}
}

// TestNetstackIsTuned: what the stack has by itself takes late segments for lost.
func TestNetstackIsTuned(t *testing.T) {
	d, _, err := NewNetstack([]netip.Addr{netip.MustParseAddr("10.1.0.1")}, 1400)
	mustNot(t, err)
	defer d.Close()
	s := d.(*netstackDevice).stack
	var recovery tcpip.TCPRecovery
	var sack tcpip.TCPSACKEnabled
	var congestion tcpip.CongestionControlOption
	var window tcpip.TCPReceiveBufferSizeRangeOption
	for _, o := range []tcpip.GettableTransportProtocolOption{&recovery, &sack, &congestion, &window} {
		if err := s.TransportProtocolOption(tcp.ProtocolNumber, o); err != nil {
			t.Fatal(err)
		}
	}
	if recovery != 0 || !bool(sack) || congestion != "reno" || window.Max != netstackWindow {
		t.Errorf("recovery %v, SACK %v, %s, buffers %+v", recovery, sack, congestion, window)
	}
}
