package dataplane

import (
	"fmt"
	"testing"

	"esplanade/esp"
	"esplanade/ike/selector"
)

// neighbour is the key of a packet like the one that at gives for 0, and with the same place in the flow cache.
func neighbour(t *testing.T, packet func(n int) []byte) (first, second []byte) {
	t.Helper()
	key := func(b []byte) flowKey {
		var h innerHeader
		if !h.parse(b) {
			t.Fatal("not a packet")
		}
		return h.key
	}
	first = packet(0)
	k := key(first)
	for n := 1; n < 1<<20; n++ {
		b := packet(n)
		if x := key(b); x.hash()&(flowCacheSize-1) == k.hash()&(flowCacheSize-1) {
			if x == k {
				t.Fatalf("packet %d has the same key", n)
			}
			return first, b
		}
	}
	t.Fatal("no two packets with one place in the cache")
	return nil, nil
}

// flowFields are pairs of packets that differ in one field of the flow's key. What differs in nothing else takes another SA by
// the selectors of the field.
func flowFields(t *testing.T) map[string]struct{ one, two []byte } {
	ip := func(s ipSpec, change func(*ipSpec)) ipSpec { change(&s); return s }
	tcp := func(s ipSpec, sport, dport uint16) []byte { return tcpSpec{sport: sport, dport: dport}.build(s, nil) }
	host4 := func(net string, n int) string { return fmt.Sprintf("%s.%d.%d", net, n>>8&0xff, n&0xff) }
	out := map[string]struct{ one, two []byte }{}
	for name, packet := range map[string]func(n int) []byte{
		"source":      func(n int) []byte { return udpPacket(ip(v4, func(s *ipSpec) { s.src = host4("10.1", n) }), 1, 2, nil) },
		"destination": func(n int) []byte { return udpPacket(ip(v4, func(s *ipSpec) { s.dst = host4("10.2", n) }), 1, 2, nil) },
		"protocol": func(n int) []byte { // 140 to 252 are unassigned: no ports are seen
			return ip(v4, func(s *ipSpec) { s.dst = host4("10.2", n/2) }).build(uint8(200+n%2), fill(20, 1))
		},
		"source port":      func(n int) []byte { return tcp(v4, uint16(n), 2) },
		"destination port": func(n int) []byte { return tcp(v4, 1, uint16(n)) },
		"source network of IPv6": func(n int) []byte {
			return udpPacket(ip(v6, func(s *ipSpec) { s.src = fmt.Sprintf("fd01:0:%x:%x::5", n>>16, n&0xffff) }), 1, 2, nil)
		},
		"source host of IPv6": func(n int) []byte {
			return udpPacket(ip(v6, func(s *ipSpec) { s.src = fmt.Sprintf("fd01::%x:%x", n>>16, n&0xffff) }), 1, 2, nil)
		},
		"destination network of IPv6": func(n int) []byte {
			return udpPacket(ip(v6, func(s *ipSpec) { s.dst = fmt.Sprintf("fd02:0:%x:%x::9", n>>16, n&0xffff) }), 1, 2, nil)
		},
		"destination host of IPv6": func(n int) []byte {
			return udpPacket(ip(v6, func(s *ipSpec) { s.dst = fmt.Sprintf("fd02::%x:%x", n>>16, n&0xffff) }), 1, 2, nil)
		},
	} {
		one, two := neighbour(t, packet)
		out[name] = struct{ one, two []byte }{one, two}
	}
	return out
}

// only is the pair of selectors, as l has them, for a packet's flow and no other one.
func only(t *testing.T, b []byte) [2]string {
	t.Helper()
	var h innerHeader
	if !h.parse(b) {
		t.Fatal("not a packet")
	}
	p := h.key.packet()
	suffix := func(port uint16) string {
		if !p.HasPorts {
			return fmt.Sprintf("[%d]", p.Protocol)
		}
		return fmt.Sprintf("[%d/%d]", p.Protocol, port)
	}
	bits := p.Src.BitLen()
	return [2]string{fmt.Sprintf("%s/%d%s", p.Src, bits, suffix(p.SrcPort)), fmt.Sprintf("%s/%d%s", p.Dst, bits, suffix(p.DstPort))}
}

// Two flows with one place in the cache are two flows, whichever field of the key makes the difference: each packet is sent by the
// SA of its own flow, in any order, and one whose flow has none is not sent.
func TestFlowsOfOnePlaceOutbound(t *testing.T) {
	for name, f := range flowFields(t) {
		t.Run(name, func(t *testing.T) {
			l, peerEnd := newLab(t, plainEnds), newLab(t, plainEnds)
			ts := only(t, f.one)
			oneWay(t, l.e, peerEnd.e, 1, 1, pair(t, ts[0], ts[1]), gcm128(), labA, labB)
			for range 2 {
				if n := len(l.out(f.one)); n != 1 {
					t.Errorf("%d of the flow's packet were sent", n)
				}
				if n := len(l.out(f.two)); n != 0 {
					t.Errorf("%d of the other flow's packet were sent", n)
				}
			}
			l.wantDrops("[out no_policy:2]")
			ts = only(t, f.two)
			oneWay(t, l.e, peerEnd.e, 2, 2, pair(t, ts[0], ts[1]), gcm128(), labA, labB)
			spi := func(b []byte) uint32 {
				s := l.out(b)
				if len(s) != 1 {
					t.Fatalf("%d sent", len(s))
				}
				return be.Uint32(s[0].data)
			}
			one, two := spi(f.one), spi(f.two)
			if one == two || spi(f.one) != one || spi(f.two) != two {
				t.Errorf("SPI %08x and %08x", one, two)
			}
		})
	}
}

// The same of packets that come out of an SA: what was let through once lets nothing else through, neither by the flow nor by the
// SA.
func TestFlowsOfOnePlaceInbound(t *testing.T) {
	next := func(b []byte) uint8 {
		if b[0]>>4 == 6 {
			return protoIPv6
		}
		return protoIPv4
	}
	for name, f := range flowFields(t) {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, plainEnds)
			ts := only(t, f.one) // the packets travel from the peer: its side comes second
			p := peer(t, l, 1, [2]string{ts[1], ts[0]}, gcm128())
			other := peer(t, l, 2, [2]string{"192.168.0.0/16", "192.168.0.0/16"}, gcm128())
			for range 2 {
				if n := len(l.in(labA, p.seal(f.one, next(f.one)))); n != 1 {
					t.Errorf("%d of the flow's packet were written", n)
				}
				if n := len(l.in(labA, p.seal(f.two, next(f.two)))); n != 0 {
					t.Errorf("%d of the other flow's packet were written", n)
				}
				if n := len(l.in(labA, other.seal(f.one, next(f.one)))); n != 0 {
					t.Errorf("%d were written that another SA must not carry", n)
				}
			}
			l.wantDrops("[in selectors:4]")
		})
	}
}

// One side of the selectors is not enough, in either direction.
func TestBothSidesOfTheSelectors(t *testing.T) {
	for name, c := range map[string]struct {
		src, dst string
		ok       bool
	}{
		"both":        {"10.1.0.5", "10.2.0.9", true},
		"source":      {"10.1.0.5", "10.3.0.9", false},
		"destination": {"10.3.0.5", "10.2.0.9", false},
		"neither":     {"10.3.0.5", "10.4.0.9", false},
		"swapped":     {"10.2.0.9", "10.1.0.5", false},
	} {
		t.Run(name, func(t *testing.T) {
			want := 0
			if c.ok {
				want = 1
			}
			packet := udpPacket(ipSpec{src: c.src, dst: c.dst}, 1, 2, nil)
			out := newLab(t, plainEnds)
			encr, integ := keys(t, gcm128(), name)
			if err := out.e.InstallOutbound(1, 1, 1, esp.OutboundConfig{SPI: 0x1000, Suite: gcm128(), EncrKey: encr, IntegKey: integ},
				pair(t, ts4Local, ts4Remote), esp.Path{Local: labA, Remote: labB, UDP: true}); err != nil {
				t.Fatal(err)
			}
			if n := len(out.out(packet)); n != want {
				t.Errorf("%d sent", n)
			}
			in := newLab(t, plainEnds)
			p := peer(t, in, 1, ts4In, gcm128())
			if n := len(in.in(labA, p.seal(packet, protoIPv4))); n != want {
				t.Errorf("%d written", n)
			}
		})
	}
}

// The key of a packet depends on the packet alone: one header value serves for all packets of a loop.
func TestFlowKeyIsOfOnePacket(t *testing.T) {
	for name, b := range map[string][]byte{
		"IPv4": udpPacket(v4, 1, 2, nil), "IPv4 without ports": v4.build(99, nil), "IPv6": udpPacket(v6, 1, 2, nil), "IPv6 without ports": v6.build(99, nil),
	} {
		var fresh innerHeader
		if !fresh.parse(b) {
			t.Fatal(name)
		}
		for other, before := range map[string][]byte{"IPv4": tcpSpec{sport: 80, dport: 443}.build(v4, nil), "IPv6": tcpSpec{sport: 80, dport: 443}.build(v6, nil)} {
			var h innerHeader
			if !h.parse(before) || !h.parse(b) || h != fresh {
				t.Errorf("%s behind %s: %+v, want %+v", name, other, h, fresh)
			}
		}
	}
}

// What the ESP trailer says of the version is what the packet has to be.
func TestNextHeaderAgainstVersion(t *testing.T) {
	four, six := udpPacket(v4, 1, 2, nil), udpPacket(v6, 1, 2, nil)
	for name, c := range map[string]struct {
		packet []byte
		next   uint8
		ok     bool
	}{
		"IPv4": {four, protoIPv4, true}, "IPv6": {six, protoIPv6, true},
		"IPv4 called IPv6": {four, protoIPv6, false}, "IPv6 called IPv4": {six, protoIPv4, false},
	} {
		l := newLab(t, plainEnds)
		p := peer(t, l, 1, [2]string{"0.0.0.0/0", "0.0.0.0/0"}, gcm128())
		sa := l.e.spis.lookup(p.esp.SPI())
		all := selector.Pair{Local: append(pair(t, "::/0", "::/0").Local, pair(t, "0.0.0.0/0", "0.0.0.0/0").Local...)}
		all.Remote = all.Local
		sa.ts.Store(&all)
		w := l.e.inLoops[0]
		w.begin()
		w.sa = sa
		buf := make([]byte, packetSlot)
		copy(buf[headroom:], c.packet)
		d := datagrams{buf: buf, start: headroom, end: headroom + len(c.packet), local: labB, remote: labA, kind: SocketNATT}
		w.inner(sa, &d, headroom, buf[headroom:headroom+len(c.packet)], c.next)
		if err := w.end(); err != nil {
			t.Fatal(err)
		}
		if got := len(l.dev.written) == 1; got != c.ok {
			t.Errorf("%s: written is %v", name, got)
		}
		want := "[]"
		if !c.ok {
			want = "[in malformed:1]"
		}
		l.wantDrops(want)
	}
}
