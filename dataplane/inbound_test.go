package dataplane

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"esplanade/esp"
)

// rawSA is an outbound SA outside of any engine: the tests play a peer with it.
type rawSA struct {
	t    testing.TB
	esp  *esp.Outbound
	work esp.Scratch
}

// peer installs an inbound SA in l and gives the peer's end of it.
func peer(t testing.TB, l *lab, id uint64, ts [2]string, s esp.Suite) *rawSA {
	t.Helper()
	spi, err := l.e.AllocateSPI()
	if err != nil {
		t.Fatal(err)
	}
	encr, integ := keys(t, s, fmt.Sprint(spi))
	if err := l.e.InstallInbound(id, id, esp.InboundConfig{SPI: spi, Suite: s, EncrKey: encr, IntegKey: integ},
		pair(t, ts[0], ts[1]), esp.Path{Local: labB, Remote: labA, UDP: true}); err != nil {
		t.Fatal(err)
	}
	o, err := esp.NewOutbound(esp.OutboundConfig{SPI: spi, Suite: s, EncrKey: encr, IntegKey: integ})
	if err != nil {
		t.Fatal(err)
	}
	return &rawSA{t: t, esp: o}
}

// seal makes a datagram of any payload.
func (r *rawSA) seal(payload []byte, next uint8) sent {
	r.t.Helper()
	seq, err := r.esp.Reserve(1)
	if err != nil {
		r.t.Fatal(err)
	}
	dst := make([]byte, len(payload)+r.esp.Overhead(len(payload)))
	src := append(make([]byte, 0, len(payload)+esp.TrailerRoom), payload...)
	if cap(src) < len(src)+esp.TrailerRoom {
		r.t.Fatal("no room")
	}
	n, err := r.esp.Seal(&r.work, dst, src, next, seq)
	if err != nil {
		r.t.Fatal(err)
	}
	return sent{data: dst[:n], seg: n, n: 1}
}

var ts4In = [2]string{ts4Remote, ts4Local} // of the receiving gateway

func TestInboundDrops(t *testing.T) {
	ok := udpPacket(v4, 1, 2, fill(20, 1))
	for _, c := range []struct {
		name string
		msg  func(p *rawSA) sent
		want string
	}{
		{"good", func(p *rawSA) sent { return p.seal(ok, 4) }, "[]"},
		{"TFC padding", func(p *rawSA) sent { return p.seal(append(bytes.Clone(ok), fill(77, 1)...), 4) }, "[]"},
		{"keepalive", func(*rawSA) sent { return sent{data: []byte{0xff}} }, "[]"},
		{"dummy", func(p *rawSA) sent { return p.seal(fill(20, 1), protoNoNext) }, "[]"},
		{"empty", func(*rawSA) sent { return sent{} }, "[in short:1]"},
		{"other octet", func(*rawSA) sent { return sent{data: []byte{0xfe}} }, "[in short:1]"},
		{"three octets", func(*rawSA) sent { return sent{data: []byte{0, 0, 0}} }, "[in short:1]"},
		{"SPI alone", func(p *rawSA) sent { return sent{data: p.seal(ok, 4).data[:4]} }, "[in short:1]"},
		{"cut", func(p *rawSA) sent { return sent{data: p.seal(ok, 4).data[:30]} }, "[in short:1]"},
		{"unknown SPI", func(p *rawSA) sent {
			m := p.seal(ok, 4)
			m.data[0] ^= 0x80
			return m
		}, "[in unknown_spi:1]"},
		{"ICV", func(p *rawSA) sent {
			m := p.seal(ok, 4)
			m.data[len(m.data)-1] ^= 1
			return m
		}, "[in icv:1]"},
		{"garbage inside", func(p *rawSA) sent { return p.seal(fill(60, 1), 4) }, "[in malformed:1]"},
		{"nothing inside", func(p *rawSA) sent { return p.seal(nil, 4) }, "[in malformed:1]"},
		{"inner packet cut", func(p *rawSA) sent { return p.seal(ok[:40], 4) }, "[in malformed:1]"},
		{"next header says 6", func(p *rawSA) sent { return p.seal(ok, protoIPv6) }, "[in malformed:1]"},
		{"next header TCP", func(p *rawSA) sent { return p.seal(ok, protoTCP) }, "[in next_header:1]"},
		{"selectors", func(p *rawSA) sent {
			x := v4
			x.src = "10.9.0.1"
			return p.seal(udpPacket(x, 1, 2, nil), 4)
		}, "[in selectors:1]"},
		{"other family", func(p *rawSA) sent { return p.seal(udpPacket(v6, 1, 2, nil), protoIPv6) }, "[in selectors:1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLab(t, plainEnds)
			got := l.in(labA, c.msg(peer(t, l, childA, ts4In, gcm128())))
			l.wantDrops(c.want)
			delivered := c.name == "good" || c.name == "TFC padding"
			if delivered != (len(got) == 1) || delivered && !bytes.Equal(got[0].data, ok) {
				t.Errorf("written: %+v", got)
			}
		})
	}
}

func TestInboundReplay(t *testing.T) {
	l := newLab(t, plainEnds)
	p := peer(t, l, childA, ts4In, gcm128())
	m := p.seal(udpPacket(v4, 1, 2, nil), 4)
	again := sent{data: bytes.Clone(m.data), seg: m.seg, n: 1}
	if n := len(l.in(labA, m, again)); n != 1 {
		t.Errorf("%d written", n)
	}
	l.wantDrops("[in replay:1]")
}

// TestInboundRun receives datagrams of several kinds as one UDP_GRO message.
func TestInboundRun(t *testing.T) {
	l := newLab(t, plainEnds)
	p, q := peer(t, l, 1, ts4In, gcm128()), peer(t, l, 2, ts4In, gcm128())
	ok := udpPacket(v4, 1, 2, fill(60, 1))
	size := len(p.seal(ok, 4).data)
	ike := append(make([]byte, 4), fill(size-4, 8)...)
	var run []byte
	for _, d := range [][]byte{p.seal(ok, 4).data, ike, q.seal(ok, 4).data, p.seal(ok, 4).data, {0xff}} {
		run = append(run, d...)
	}
	if n := len(l.in(labA, sent{data: run, seg: size, n: 5})); n != 3 {
		t.Errorf("%d written", n)
	}
	l.wantDrops("[]")
	if len(l.rec.ike) != 1 || l.rec.ike[0] != (ikeMessage{labB, labA, string(fill(size-4, 8))}) {
		t.Errorf("IKE: %v", l.rec.ike)
	}
	c1, _ := l.e.Counters(1)
	c2, _ := l.e.Counters(2)
	if c1.InPackets != 2 || c2.InPackets != 1 || c1.InBytes != 2*uint64(len(ok)) {
		t.Errorf("%+v %+v", c1, c2)
	}
	if fmt.Sprint(l.rec.active) != "[1 2]" {
		t.Errorf("InboundActive: %v", l.rec.active)
	}
}

func TestInboundSelectorsOfPorts(t *testing.T) {
	l := newLab(t, plainEnds)
	p := peer(t, l, childA, [2]string{"10.2.0.0/16[udp/53]", "10.1.0.0/16[udp]"}, gcm128())
	frag := ipSpec{src: v4.src, dst: v4.dst, frag: 100}
	l.in(labA, p.seal(udpPacket(v4, 9, 53, nil), 4))
	l.wantDrops("[]")
	l.in(labA, p.seal(udpPacket(v4, 9, 54, nil), 4), p.seal(tcpSpec{dport: 53}.build(v4, nil), 4), p.seal(frag.build(protoUDP, fill(8, 1)), 4))
	l.wantDrops("[in selectors:3]")
	// The flow cache forgets what an SA that is gone let through.
	l.e.RemoveInbound(childA)
	q := peer(t, l, childA, [2]string{"10.2.0.0/16[udp/99]", "10.1.0.0/16"}, gcm128())
	l.in(labA, q.seal(udpPacket(v4, 9, 53, nil), 4))
	l.wantDrops("[in selectors:4]")
}

func TestPeerMoved(t *testing.T) {
	l := newLab(t, plainEnds)
	p := peer(t, l, childA, ts4In, gcm128())
	ok := udpPacket(v4, 1, 2, nil)
	moved := netip.MustParseAddrPort("198.51.100.9:1024")
	old := p.seal(ok, 4)
	l.in(labA, p.seal(ok, 4))
	// An older packet held back by somebody, and a forged one, tell nothing.
	l.in(moved, old)
	forged := p.seal(ok, 4)
	forged.data[20] ^= 1
	l.in(moved, forged)
	if len(l.rec.moved) != 0 {
		t.Fatalf("PeerMoved: %v", l.rec.moved)
	}
	// A packet from elsewhere is no evidence that the path in use works. https://www.rfc-editor.org/rfc/rfc4555#section-3.12
	c, _ := l.e.Counters(childA)
	here := c.LastOnPath
	l.in(moved, p.seal(ok, 4), p.seal(ok, 4))
	if len(l.rec.moved) != 1 || l.rec.moved[0] != (movedPeer{childA, moved}) {
		t.Errorf("PeerMoved: %v", l.rec.moved)
	}
	if c, _ = l.e.Counters(childA); here.IsZero() || c.LastOnPath != here || !c.LastIn.After(here) {
		t.Errorf("a packet from elsewhere counts as one on the path: %s, %s", here, c.LastOnPath)
	}
	l.e.UpdatePath(childA, esp.Path{Local: labB, Remote: moved, UDP: true})
	l.in(moved, p.seal(ok, 4))
	if c, _ = l.e.Counters(childA); !c.LastOnPath.After(here) {
		t.Error("a packet on the new path does not count")
	}
	if len(l.rec.moved) != 1 {
		t.Errorf("PeerMoved after UpdatePath: %v", l.rec.moved)
	}
}

func TestDecapECN(t *testing.T) {
	// RFC 6040, figure 4: the outer field across, the inner one down; -1 is a drop.
	const n, e0, e1, ce = ecnNotECT, ecnECT0, ecnECT1, ecnCE
	fields := []uint8{n, e0, e1, ce}
	want := [4][4]int{
		{n, n, n, -1},
		{e0, e0, e1, ce},
		{e1, e1, e1, ce},
		{ce, ce, ce, ce},
	}
	for i, in := range fields {
		for o, out := range fields {
			for _, s := range []ipSpec{v4, v6} {
				l := newLab(t, plainEnds)
				ts, next := ts4In, uint8(4)
				if s.src == v6.src {
					ts, next = [2]string{ts6Remote, ts6Local}, protoIPv6
				}
				p := peer(t, l, childA, ts, gcm128())
				s.tos = 0xb8 | in
				m := p.seal(udpPacket(s, 1, 2, fill(5, 1)), next)
				m.tos = 0x40 | out
				got := l.in(labA, m)
				if want[i][o] < 0 {
					l.wantDrops("[in ecn:1]")
					continue
				}
				s.tos = 0xb8 | uint8(want[i][o])
				if len(got) != 1 || !bytes.Equal(got[0].data, udpPacket(s, 1, 2, fill(5, 1))) {
					t.Errorf("inner %d, outer %d: % x", in, out, got[0].data[:20])
				}
			}
		}
	}
}

func TestDeviceRefuses(t *testing.T) {
	l := newLab(t, plainEnds)
	p := peer(t, l, childA, ts4In, gcm128())
	l.dev.refuse = func(s *superPacket) bool { return s.bytes()[21] == 7 }
	l.in(labA, p.seal(udpPacket(v4, 7, 2, nil), 4), p.seal(udpPacket(v4, 8, 2, nil), 4))
	l.wantDrops("[in device:1]")
}

// TestEveryPrefixOfADatagram receives every prefix of a good datagram: none but the whole gets through.
func TestEveryPrefixOfADatagram(t *testing.T) {
	for _, s := range []esp.Suite{gcm128(), {Encr: encrAESCBC, KeyBits: 128, Integ: integSHA256}, {Encr: encrNull, Integ: integSHA256}, {Encr: encrChaCha, ESN: true}} {
		l := newLab(t, plainEnds)
		p := peer(t, l, childA, ts4In, s)
		whole := p.seal(udpPacket(v4, 1, 2, fill(30, 1)), 4).data
		for n := range whole {
			if got := l.in(labA, sent{data: bytes.Clone(whole[:n])}); len(got) != 0 {
				t.Fatalf("%v: %d of %d octets got through", s, n, len(whole))
			}
		}
		if len(l.in(labA, sent{data: whole})) != 1 {
			t.Errorf("%v: the whole datagram did not", s)
		}
	}
}

func FuzzDatagram(f *testing.F) {
	l := newLab(f, fastEnds)
	p := peer(f, l, childA, ts4In, esp.Suite{Encr: encrNull, Integ: integSHA256})
	f.Add(p.seal(udpPacket(v4, 1, 2, fill(30, 1)), 4).data, uint16(0), uint8(0))
	f.Add([]byte{0, 0, 0, 0, 1}, uint16(0), uint8(3))
	f.Add([]byte{0xff}, uint16(1), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, seg uint16, tos uint8) {
		if len(b) > maxPacket {
			return
		}
		l.t, p.t = t, t
		l.in(labA, sent{data: bytes.Clone(b), seg: int(seg), n: 2, tos: tos})
		// The same as the payload of an authentic packet.
		if len(b) < 60000 {
			for _, w := range l.in(labA, p.seal(b, b2u(len(b) > 0 && b[0]>>4 == 6)*37+4)) {
				var h innerHeader
				if !h.parse(w.data) || h.length != len(w.data) {
					t.Errorf("written: % x", w.data)
				}
			}
		}
	})
}

func b2u(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}
