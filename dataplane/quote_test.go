package dataplane

import (
	"bytes"
	"fmt"
	"net/netip"
	"testing"

	"esplanade/esp"
	"esplanade/ike/selector"
)

// icmpSpec is an ICMP error about a packet.
func icmpSpec(ip ipSpec, kind, code uint8, quote []byte) []byte {
	return ip.build(icmpProtocol(ip), append([]byte{kind, code, 0, 0, 0, 0, 2, 0x58}, quote...))
}

func icmpProtocol(ip ipSpec) uint8 {
	if netip.MustParseAddr(ip.src).Is6() {
		return protoICMPv6
	}
	return protoICMP
}

// errorLab has two peers: one with the networks 10.2.0.0/16 and fd02::/64, and one with a more specific network in the
// first peer's.
func errorLab(t *testing.T) (spdLab, *rawSA, *rawSA) {
	l := spdLab{newLab(t, plainEnds)}
	l.e.nattPort, l.e.ikePort = 4500, 500
	hub := selector.Pair{Local: pair(t, "10.1.0.0/16", "10.2.0.0/16").Local, Remote: pair(t, "10.1.0.0/16", "10.2.0.0/16").Remote}
	hub.Local = append(hub.Local, pair(t, "fd01::/64", "fd02::/64").Local...)
	hub.Remote = append(hub.Remote, pair(t, "fd01::/64", "fd02::/64").Remote...)
	hub.Local = append(hub.Local, pair(t, "192.0.2.2/32", "192.0.2.3/32").Local...)
	hub.Remote = append(hub.Remote, pair(t, "192.0.2.2/32", "192.0.2.3/32").Remote...)
	branch := pair(t, "10.1.0.0/16", "10.2.3.0/24")
	l.e.SetPolicy(1, selector.Policy{Pair: hub, Order: 1})
	l.e.SetPolicy(2, selector.Policy{Pair: branch, Order: 2})
	encr, integ := keys(t, gcm128(), "x")
	raw := func(id uint64, ts selector.Pair, remote netip.AddrPort) *rawSA {
		path := esp.Path{Local: labB, Remote: remote, UDP: true}
		if err := l.e.InstallOutbound(id, id, id, esp.OutboundConfig{SPI: 4096, Suite: gcm128(), EncrKey: encr, IntegKey: integ}, ts, path); err != nil {
			t.Fatal(err)
		}
		spi, err := l.e.AllocateSPI()
		if err != nil {
			t.Fatal(err)
		}
		if err := l.e.InstallInbound(id, id, esp.InboundConfig{SPI: spi, Suite: gcm128(), EncrKey: encr, IntegKey: integ}, ts, path); err != nil {
			t.Fatal(err)
		}
		o, err := esp.NewOutbound(esp.OutboundConfig{SPI: spi, Suite: gcm128(), EncrKey: encr, IntegKey: integ})
		if err != nil {
			t.Fatal(err)
		}
		return &rawSA{t: t, esp: o}
	}
	return l, raw(1, hub, labA), raw(2, branch, netip.MustParseAddrPort("192.0.2.3:4500"))
}

// An ICMP error that comes out of a tunnel is let through if the packet that it encloses is one that the tunnel carries, and
// only then.
func TestErrorsFromTunnels(t *testing.T) {
	var (
		back  = ipSpec{src: "10.2.0.9", dst: "10.1.0.5"}
		back6 = ipSpec{src: "fd02::9", dst: "fd01::5"}
		out   = ipSpec{src: "10.1.0.5", dst: "10.2.0.9", df: true}
		out6  = ipSpec{src: "fd01::5", dst: "fd02::9"}
		udp   = udpPacket(out, 1000, 53, fill(40, 1))
		udp6  = udpPacket(out6, 1000, 53, fill(40, 1))
	)
	to := func(ip ipSpec, src, dst string) ipSpec {
		if src != "" {
			ip.src = src
		}
		if dst != "" {
			ip.dst = dst
		}
		return ip
	}
	tcp := tcpSpec{sport: 80, dport: 443, flags: tcpACK}
	hop := make([]byte, 8)
	fragHdr := []byte{0, 0, 0, 1, 0, 0, 0, 9}
	atomic := make([]byte, 8)
	later := out
	later.frag = 10
	for _, c := range []struct {
		name   string
		packet []byte
		ok     bool
	}{
		{"about a packet of the tunnel", icmpSpec(back, 3, 4, udp), true},
		{"IPv6", icmpSpec(back6, 2, 0, udp6), true},
		{"IPv6 with an extension header before", icmpSpec(ipSpec{src: back6.src, dst: back6.dst, ext: hop}, 1, 0, udp6), true},
		{"IPv6 with extension headers inside", icmpSpec(back6, 3, 0, ipSpec{src: out6.src, dst: out6.dst, ext: hop}.build(protoUDP, udp6[40:])), true},
		{"time exceeded", icmpSpec(back, 11, 0, udp), true},
		{"quoted as RFC 792 has it", icmpSpec(back, 3, 1, udp[:28]), true},
		{"quoted to the end of the IP header", icmpSpec(back, 3, 1, udp[:20]), true},
		{"about a later fragment", icmpSpec(back, 11, 1, later.build(protoUDP, fill(8, 1))), true},
		{"about an echo request", icmpSpec(back, 3, 1, out.build(protoICMP, []byte{8, 0, 0, 0, 0, 1, 0, 1})), true},
		{"of a router outside", icmpSpec(to(back, "172.16.0.1", ""), 3, 4, udp), true},
		{"of a router outside, IPv6", icmpSpec(to(back6, "2001:db8::1", ""), 2, 0, udp6), true},
		{"an echo reply", back.build(protoICMP, []byte{0, 0, 0, 0, 0, 1, 0, 1}), true},
		{"an ICMPv6 echo reply", back6.build(protoICMPv6, []byte{129, 0, 0, 0, 0, 1, 0, 1}), true},
		{"ICMP of the other version", back.build(protoICMPv6, []byte{1, 0, 0, 0, 0, 1, 0, 1}), true},

		{"about another host's packet", icmpSpec(back, 3, 4, udpPacket(to(out, "10.1.0.6", ""), 1, 2, nil)), false},
		{"about a packet to elsewhere", icmpSpec(back, 3, 4, udpPacket(to(out, "", "8.8.8.8"), 1, 2, nil)), false},
		{"about a packet from elsewhere", icmpSpec(to(back, "", "10.1.0.5"), 3, 4, udpPacket(to(out, "198.51.100.1", ""), 1, 2, nil)), false},
		{"about the peer's own packet", icmpSpec(back, 3, 4, udpPacket(back, 1, 2, nil)), false},
		{"about a packet of another peer's tunnel", icmpSpec(back, 3, 4, udpPacket(to(out, "", "10.2.3.9"), 1, 2, nil)), false},
		{"from another peer's network about its own", icmpSpec(to(back, "10.2.3.9", ""), 3, 4, udp), true},
		{"IPv6, about a packet to elsewhere", icmpSpec(back6, 2, 0, udpPacket(to(out6, "", "fd09::9"), 1, 2, nil)), false},
		{"IPv6, about a packet to elsewhere behind an extension header", icmpSpec(back6, 2, 0,
			ipSpec{src: out6.src, dst: "fd09::9", ext: hop}.build(protoUDP, udp6[40:])), false},
		{"a redirect", icmpSpec(back, 5, 1, udpPacket(to(out, "", "8.8.8.8"), 1, 2, nil)), false},
		{"source quench", icmpSpec(back, 4, 0, udpPacket(to(out, "", "8.8.8.8"), 1, 2, nil)), false},
		{"parameter problem", icmpSpec(back, 12, 0, udpPacket(to(out, "", "8.8.8.8"), 1, 2, nil)), false},
		{"an ICMPv6 error of no known type", icmpSpec(back6, 127, 0, udpPacket(to(out6, "", "fd09::9"), 1, 2, nil)), false},
		{"no quote", icmpSpec(back, 3, 4, nil), false},
		{"half a header", back.build(protoICMP, []byte{3, 4, 0, 0}), false},
		{"quote cut in the IP header", icmpSpec(back, 3, 4, udp[:19]), false},
		{"quote cut in the options", icmpSpec(back, 3, 4, ipSpec{src: out.src, dst: out.dst, options: make([]byte, 8)}.build(protoUDP, nil)[:24]), false},
		{"IPv6 quote cut in the header", icmpSpec(back6, 2, 0, udp6[:39]), false},
		{"IPv6 quote cut in an extension header", icmpSpec(back6, 2, 0, ipSpec{src: out6.src, dst: out6.dst, ext: hop}.build(protoUDP, nil)[:44]), false},
		{"quote of the other IP version", icmpSpec(back, 3, 4, udp6), false},
		{"about an error", icmpSpec(back, 3, 4, icmpSpec(out, 3, 4, udpPacket(back, 1, 2, nil))), false},
		{"IPv6, about an error", icmpSpec(back6, 1, 4, icmpSpec(out6, 2, 0, udpPacket(back6, 1, 2, nil))), false},
		{"in fragments, the quote in a later one", icmpSpec(to(ipSpec{mf: true}, back.src, back.dst), 3, 4, nil), false},
		{"in fragments", icmpSpec(to(ipSpec{mf: true}, back.src, back.dst), 3, 4, udp), false},
		{"IPv6 in fragments", icmpSpec(ipSpec{src: back6.src, dst: back6.dst, ext: fragHdr, extType: protoFragment}, 2, 0, udp6), false},
		{"IPv6 in one fragment", icmpSpec(ipSpec{src: back6.src, dst: back6.dst, ext: atomic, extType: protoFragment}, 2, 0, udp6), true},
		{"of a router outside, about a packet to elsewhere", icmpSpec(to(back, "172.16.0.1", ""), 3, 4, udpPacket(to(out, "", "8.8.8.8"), 1, 2, nil)), false},
		{"of a router outside, to elsewhere", icmpSpec(to(back, "172.16.0.1", "10.99.0.1"), 3, 4, udp), false},
		{"of a router outside, to elsewhere about elsewhere", icmpSpec(to(back, "172.16.0.1", "10.99.0.1"), 3, 4, udpPacket(to(out, "10.99.0.1", ""), 1, 2, nil)), false},
		{"of this side's own network", icmpSpec(to(back, "10.1.0.1", ""), 3, 4, udp), false},
		{"of no router", icmpSpec(to(back, "224.0.0.1", ""), 3, 4, udp), false},
		{"of loopback", icmpSpec(to(back, "127.0.0.1", ""), 3, 4, udp), false},
		// What the gateways send each other is not in the tunnel, although the selectors have their addresses.
		{"about ESP in UDP", icmpSpec(to(back, "192.0.2.3", "192.0.2.2"), 3, 4, udpPacket(to(out, "192.0.2.2", "192.0.2.3"), 4500, 4500, nil)), false},
		{"about ESP", icmpSpec(to(back, "192.0.2.3", "192.0.2.2"), 3, 4, to(out, "192.0.2.2", "192.0.2.3").build(protoESP, fill(8, 1))), false},
		{"about UDP without ports", icmpSpec(to(back, "192.0.2.3", "192.0.2.2"), 3, 4, udpPacket(to(out, "192.0.2.2", "192.0.2.3"), 4500, 4500, nil)[:20]), false},
		{"about something else between the gateways", icmpSpec(to(back, "192.0.2.3", "192.0.2.2"), 3, 4, tcp.build(to(out, "192.0.2.2", "192.0.2.3"), nil)), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, hub, _ := errorLab(t)
			next := uint8(protoIPv4)
			if c.packet[0]>>4 == 6 {
				next = protoIPv6
			}
			for range 2 { // the second time the flow may be known
				got := l.in(labA, hub.seal(c.packet, next))
				if ok := len(got) == 1 && bytes.Equal(got[0].data, c.packet); ok != c.ok {
					t.Errorf("written: %v; drops %v", got, dropsOf(l.e))
				}
			}
			if want := "[in icmp_error:2]"; !c.ok {
				l.wantDrops(want)
			}
		})
	}
	t.Run("the other peer", func(t *testing.T) {
		l, _, branch := errorLab(t)
		p := icmpSpec(to(back, "10.2.3.9", ""), 3, 4, udpPacket(to(out, "", "10.2.3.9"), 1, 2, nil))
		if n := len(l.in(netip.MustParseAddrPort("192.0.2.3:4500"), branch.seal(p, 4))); n != 1 {
			t.Errorf("an error about the tunnel's own packet was dropped: %v", dropsOf(l.e))
		}
		p = icmpSpec(to(back, "10.2.3.9", ""), 3, 4, udp)
		if n := len(l.in(netip.MustParseAddrPort("192.0.2.3:4500"), branch.seal(p, 4))); n != 0 {
			t.Error("an error about the other tunnel's packet was let through")
		}
	})
	t.Run("allocations", func(t *testing.T) {
		l, _, _ := errorLab(t)
		w := l.e.inLoops[0]
		w.begin()
		p := icmpSpec(to(back, "172.16.0.1", ""), 3, 4, udp)
		if !w.header.parse(p) {
			t.Fatal("not a packet")
		}
		sa := l.e.children[1].in
		if n := testing.AllocsPerRun(100, func() { w.errorFits(sa, p) }); n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}

// Ports count as far as they are quoted.
func TestErrorsFromTunnelsWithPorts(t *testing.T) {
	l := spdLab{newLab(t, plainEnds)}
	ts := pair(t, "10.1.0.0/16", "10.2.0.0/16[udp/53]")
	p := peer(t, l.lab, childA, [2]string{"10.1.0.0/16", "10.2.0.0/16[udp/53]"}, gcm128())
	l.e.SetPolicy(1, selector.Policy{Pair: ts})
	l.install(childA, 1, childA, "10.1.0.0/16", "10.2.0.0/16[udp/53]")
	back := ipSpec{src: "10.2.0.9", dst: "10.1.0.5"}
	for i, c := range []struct {
		quote []byte
		ok    bool
	}{
		{udpPacket(ipSpec{src: "10.1.0.5", dst: "10.2.0.9"}, 1000, 53, nil), true},
		{udpPacket(ipSpec{src: "10.1.0.5", dst: "10.2.0.9"}, 1000, 54, nil), false},
		{udpPacket(ipSpec{src: "10.1.0.5", dst: "10.2.0.9"}, 1000, 53, nil)[:22], false},
		{tcpSpec{sport: 1000, dport: 53}.build(ipSpec{src: "10.1.0.5", dst: "10.2.0.9"}, nil), false},
	} {
		if got := l.in(labA, p.seal(icmpSpec(back, 3, 4, c.quote), 4)); (len(got) == 1) != c.ok {
			t.Errorf("%d: %v; drops %v", i, got, dropsOf(l.e))
		}
	}
}

// TestErrorsBySelectorsOfICMP: where ICMP is a child of its own, the errors about the packets of the others come by that one: "If an
// SA exists that accommodates an outbound ICMP error message, then the message is mapped to the SA". Errors about another peer's
// packets do not. https://www.rfc-editor.org/rfc/rfc4301#section-6.2
func TestErrorsBySelectorsOfICMP(t *testing.T) {
	l := spdLab{newLab(t, plainEnds)}
	icmp := [2]string{"10.1.0.0/16[icmp]", "10.2.0.0/16[icmp]"}
	p := peer(t, l.lab, childA, icmp, gcm128())
	l.e.SetPolicy(1, selector.Policy{Pair: pair(t, icmp[0], icmp[1]), Order: 1})
	l.e.SetPolicy(2, selector.Policy{Pair: pair(t, "10.1.0.0/16[tcp]", "10.2.0.0/16[tcp]"), Order: 2})
	l.e.SetPolicy(3, selector.Policy{Pair: pair(t, "10.1.0.0/16[udp]", "10.2.0.0/16[udp]"), Order: 3})
	encr, integ := keys(t, gcm128(), "x")
	for i, remote := range []netip.AddrPort{labA, labA, netip.MustParseAddrPort("192.0.2.3:4500")} {
		of := []string{"icmp", "tcp", "udp"}[i]
		id := childA + uint64(i)
		if err := l.e.InstallOutbound(id, uint64(i+1), id, esp.OutboundConfig{SPI: 4096, Suite: gcm128(), EncrKey: encr, IntegKey: integ},
			pair(t, "10.1.0.0/16["+of+"]", "10.2.0.0/16["+of+"]"), esp.Path{Local: labB, Remote: remote, UDP: true}); err != nil {
			t.Fatal(err)
		}
	}
	out := ipSpec{src: "10.1.0.5", dst: "10.2.0.9"}
	for _, c := range []struct {
		name, from string
		quote      []byte
		ok         bool
	}{
		{"of the child for TCP", "10.2.0.1", tcpSpec{sport: 1000, dport: 53}.build(out, nil), true},
		{"of a router outside, which only its own child lets through", "172.16.0.1", tcpSpec{sport: 1000, dport: 53}.build(out, nil), false},
		{"of another peer's child", "10.2.0.1", udpPacket(out, 1000, 53, nil), false},
	} {
		if got := l.in(labA, p.seal(icmpSpec(ipSpec{src: c.from, dst: out.src}, 3, 4, c.quote), 4)); (len(got) == 1) != c.ok {
			t.Errorf("%s: %v; drops %v", c.name, got, dropsOf(l.e))
		}
	}
}

// An ICMP error of a router on this side that is outside of the selectors goes to where the packet came from.
func TestErrorsIntoTunnels(t *testing.T) {
	for _, c := range []struct {
		name   string
		packet []byte
		want   string
	}{
		{"of a router outside", icmpSpec(ipSpec{src: "172.16.0.1", dst: "10.2.0.9"}, 3, 4, udpPacket(ipSpec{src: "10.2.0.9", dst: "10.1.0.5"}, 1, 2, nil)), "[]"},
		{"IPv6", icmpSpec(ipSpec{src: "2001:db8::1", dst: "fd02::9"}, 2, 0, udpPacket(ipSpec{src: "fd02::9", dst: "fd01::5"}, 1, 2, nil)), "[]"},
		{"about another packet", icmpSpec(ipSpec{src: "172.16.0.1", dst: "10.2.0.9"}, 3, 4, udpPacket(ipSpec{src: "10.2.0.9", dst: "10.9.0.5"}, 1, 2, nil)), "[out no_policy:1]"},
		{"to another host", icmpSpec(ipSpec{src: "172.16.0.1", dst: "10.2.0.8"}, 3, 4, udpPacket(ipSpec{src: "10.2.0.9", dst: "10.1.0.5"}, 1, 2, nil)), "[out no_policy:1]"},
		{"no error", ipSpec{src: "172.16.0.1", dst: "10.2.0.9"}.build(protoICMP, append([]byte{8, 0, 0, 0, 0, 0, 0, 0}, udpPacket(ipSpec{src: "10.2.0.9", dst: "10.1.0.5"}, 1, 2, nil)...)), "[out no_policy:1]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, _, _ := errorLab(t)
			sent := l.out(c.packet)
			if (len(sent) == 1) != (c.want == "[]") {
				t.Errorf("sent: %v", sent)
			}
			l.wantDrops(c.want)
			if len(sent) == 1 && sent[0].to != labA {
				t.Error(fmt.Sprint("sent to ", sent[0].to))
			}
		})
	}
}
