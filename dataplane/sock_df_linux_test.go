package dataplane

import (
	"testing"

	"golang.org/x/sys/unix"

	"esplanade/esp"
	"esplanade/tun"
)

// TestRunsDontFragment: over IPv4 the sockets of ESP have Don't Fragment on everything, and give it up only for a packet that
// is larger than the path, which arrives all the same; IKE's socket and IPv6 are left to the kernel.
func TestRunsDontFragment(t *testing.T) {
	r := newLinuxEnds(t, linuxOptions{})
	mode := func(b *mmsgSocket) (m int) {
		level, opt := unix.IPPROTO_IP, unix.IP_MTU_DISCOVER
		if b.v6 {
			level, opt = unix.IPPROTO_IPV6, unix.IPV6_MTU_DISCOVER
		}
		if err := b.control(func(fd int) (err error) { m, err = unix.GetsockoptInt(fd, level, opt); return err }); err != nil {
			t.Fatal(err)
		}
		return m
	}
	want := func() {
		t.Helper()
		for _, b := range r.a.sockets.(*mmsgSockets).conns {
			w := unix.IP_PMTUDISC_DO
			if b.v6 || b.kind == SocketIKE {
				w = unix.IP_PMTUDISC_WANT
			}
			if m := mode(b); m != w {
				t.Errorf("%s socket %s: IP_MTU_DISCOVER is %d, want %d", b.kind, b.local, m, w)
			}
		}
	}
	want()
	// Selectors with ports: fragments of the inner packet would not match them, so the outer one is fragmented.
	r.connect(1, 1, "10.1.0.0/16[udp]", "10.2.0.0/16[udp/2]")
	r.a.updateMTU(mtuEvent{remote: r.midAddr().Addr(), mtu: 600})
	p := udpPacket(ipSpec{src: v4.src, dst: v4.dst}, 1, 2, fill(1000, 1))
	wire := r.out([]superPacket{super(p, tun.VNetHdr{})}, 1)
	checkSealed(t, wire, [][]byte{p})
	for _, b := range r.a.sockets.(*mmsgSockets).conns { // it has arrived before the loop has put things back
		if b.df {
			waitFor(t, "Don't Fragment again", func() bool { return mode(b) == unix.IP_PMTUDISC_DO })
		}
	}
	want()
	// And in the middle of it, the kernel was asked to let it be fragmented.
	c := r.a.sockets.(*mmsgSockets).conns[0]
	c.allowFragments()
	c.allowFragments() // of another worker
	c.forbidFragments()
	if m := mode(c); m != unix.IP_PMTUDISC_DONT {
		t.Errorf("IP_MTU_DISCOVER is %d", m)
	}
	c.forbidFragments()
	want()
	// A path that has become narrow since: the kernel refuses the packet once, and takes it then.
	s := r.a.sockets.sender(0).(*mmsgSender)
	real, refused := s.put, 0
	var m memory
	defer m.free()
	b := newTxBatch(&m, r.a.sockets.gso())
	b.onError = func(_ *txMessage, n int, err error) { t.Errorf("%d packets are not sent: %v", n, err) }
	s.put = func(fd uintptr) bool {
		if mode(s.conns[0]) == unix.IP_PMTUDISC_DO {
			refused++
			s.errno = unix.EMSGSIZE
			return true
		}
		return real(fd)
	}
	rt, err := r.a.sockets.route(esp.Path{Local: natt(r.a, false), Remote: r.midAddr(), UDP: true})
	if err != nil {
		t.Fatal(err)
	}
	rt.mtu.Store(1500)
	dst, joins := b.place(rt, 0, false, 1000)
	copy(dst, fill(1000, 7))
	b.commit(rt, 0, false, 1000, joins)
	s.send(b)
	if got := r.wire(); len(got) != 1000 || refused != 1 {
		t.Errorf("%d octets arrived, refused %d times", len(got), refused)
	}
}

// TestMTUFallsBeforeSending: a packet that fitted the path when it was sealed keeps Don't Fragment, also if the MTU is lowered
// before it is sent. One that was too large for the path then, and went all the same, does not have it.
func TestMTUFallsBeforeSending(t *testing.T) {
	r := newLinuxEnds(t, linuxOptions{})
	r.connect(1, 1, "10.1.0.0/16[udp]", "10.2.0.0/16[udp/2]")
	w := r.a.courier.loop // it has nothing to do but what the test does with it
	s := w.sender.(*mmsgSender)
	real, mode := s.put, 0
	s.put = func(fd uintptr) bool {
		var err error
		if mode, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MTU_DISCOVER); err != nil {
			t.Error(err)
		}
		return real(fd)
	}
	send := func(before, after int) int {
		t.Helper()
		// An ICMP message only lowers it.
		r.a.children[1].out.route.Load().mtu.Store(int32(before))
		r.a.children[1].fit(r.a.children[1].out.route.Load())
		w.begin()
		p := super(udpPacket(ipSpec{src: v4.src, dst: v4.dst}, 1, 2, fill(1000, 1)), tun.VNetHdr{})
		w.packet(&p, false)
		r.a.updateMTU(mtuEvent{remote: r.midAddr().Addr(), mtu: after})
		if got := int(r.a.children[1].out.route.Load().mtu.Load()); got != after {
			t.Fatalf("MTU %d, want %d", got, after)
		}
		w.sendBatch()
		r.wire()
		return mode
	}
	if m := send(1500, 600); m != unix.IP_PMTUDISC_DO {
		t.Errorf("sealed for 1500, sent when it was 600: IP_MTU_DISCOVER is %d", m)
	}
	if m := send(700, 600); m != unix.IP_PMTUDISC_DONT {
		t.Errorf("sealed for 700, sent when it was 600: IP_MTU_DISCOVER is %d", m)
	}
	if m := send(1500, 1400); m != unix.IP_PMTUDISC_DO {
		t.Errorf("sealed for 1500, sent when it was 1400: IP_MTU_DISCOVER is %d", m)
	}
	// Nor do the two leave in one run.
	rt := r.a.children[1].out.route.Load()
	_, joins := w.tx.place(rt, 0, false, 100)
	w.tx.commit(rt, 0, false, 100, joins)
	if _, joins := w.tx.place(rt, 0, true, 100); joins {
		t.Error("a packet that may be fragmented joins those that may not")
	}
}
