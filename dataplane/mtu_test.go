package dataplane

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/gopacket/layers"

	"esplanade/esp"
)

// narrow makes a lab whose path takes mtu octets, with an outbound SA.
func narrow(t *testing.T, o labOptions, mtu int, local, remote string) *lab {
	t.Helper()
	l := newLab(t, o)
	l.sockets.mtu = mtu
	encr, integ := keys(t, gcm128(), "x")
	err := l.e.InstallOutbound(childA, policyA, childA, esp.OutboundConfig{SPI: 4096, Suite: gcm128(), EncrKey: encr, IntegKey: integ},
		pair(t, local, remote), esp.Path{Local: labA, Remote: labB, UDP: true})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestTooBigV4(t *testing.T) {
	l := narrow(t, plainEnds, 1400, ts4Local, ts4Remote)
	inner := int(l.e.children[childA].inner.Load())
	fits := udpPacket(v4, 1, 2, fill(inner-28, 1))
	s := l.out(fits)
	if len(s) != 1 || len(s[0].data) > 1400-28 || len(s[0].data) < 1400-28-3 {
		t.Fatalf("the largest packet that fits: %d octets sent", len(s[0].data))
	}
	big := udpPacket(v4, 1, 2, fill(inner-27, 1))
	if s := l.out(big); len(s) != 0 {
		t.Fatal("sent")
	}
	l.wantDrops("[out too_big:1]")
	if len(l.dev.written) != 1 {
		t.Fatalf("%d answers", len(l.dev.written))
	}
	p := wantSound(t, l.dev.written[0].data)
	icmp, _ := p.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4)
	ip, _ := p.Layer(layers.LayerTypeIPv4).(*layers.IPv4)
	if icmp == nil || icmp.TypeCode != layers.CreateICMPv4TypeCode(3, 4) || icmp.Id != 0 || int(icmp.Seq) != inner {
		t.Errorf("answer: %v", icmp)
	}
	if ip.SrcIP.String() != v4.dst || ip.DstIP.String() != v4.src || !bytes.HasPrefix(big, icmp.Payload) || len(icmp.Payload) < 28 {
		t.Errorf("answer: %v", ip)
	}
	if len(l.dev.written[0].data) != icmpv4Quote {
		t.Errorf("%d octets", len(l.dev.written[0].data))
	}
}

func TestTooBigV6(t *testing.T) {
	for _, mtu := range []int{1400, 1300} {
		l := narrow(t, plainEnds, mtu, ts6Local, ts6Remote)
		inner := int(l.e.children[childA].inner.Load())
		s := l.out(udpPacket(v6, 1, 2, fill(1280-48, 1)))
		if len(s) != 1 {
			t.Fatal("1280 octets have to get through")
		}
		big := udpPacket(v6, 1, 2, fill(max(inner, 1280)-47, 1))
		if s := l.out(big); len(s) != 0 {
			t.Fatal("sent")
		}
		l.wantDrops("[out too_big:1]")
		p := wantSound(t, l.dev.written[0].data)
		icmp, _ := p.Layer(layers.LayerTypeICMPv6).(*layers.ICMPv6)
		if icmp == nil || icmp.TypeCode != layers.CreateICMPv6TypeCode(2, 0) {
			t.Fatalf("answer: %v", p)
		}
		if got := int(be.Uint32(icmp.Payload)); got != max(inner, 1280) {
			t.Errorf("MTU %d, inner %d", got, inner)
		}
		if !bytes.HasPrefix(big, icmp.Payload[4:]) || len(l.dev.written[0].data) > 1280 {
			t.Error("quote")
		}
	}
}

func TestTooBigGSO(t *testing.T) {
	l := narrow(t, fastEnds, 1400, ts4Local, ts4Remote)
	p := tcpSpec{sport: 1, dport: 2, flags: tcpACK}.build(v4, fill(14000, 1))
	if s := l.outSuper(super(p, vnetFor(p, 1400))); len(s) != 0 {
		t.Fatal("sent")
	}
	l.wantDrops("[out too_big:10]")
	if len(l.dev.written) != 1 {
		t.Errorf("%d answers", len(l.dev.written))
	}
	if s := l.outSuper(super(p, vnetFor(p, 1298))); len(s) == 0 {
		t.Error("segments that fit were not sent")
	}
}

// TestNoAnswer: what ICMP errors must not be sent about.
func TestNoAnswer(t *testing.T) {
	l := narrow(t, plainEnds, 600, "0.0.0.0/0", "0.0.0.0/0")
	frag, multicast, from := v4, v4, v4
	frag.frag, multicast.dst, from.src = 10, "239.0.0.1", "0.0.0.0"
	l.out(frag.build(protoUDP, fill(1000, 1)), udpPacket(multicast, 1, 2, fill(1000, 1)), udpPacket(from, 1, 2, fill(1000, 1)),
		v4.build(protoICMP, append([]byte{3, 1}, fill(1000, 1)...)))
	if len(l.dev.written) != 0 {
		t.Errorf("%d answers", len(l.dev.written))
	}
	l.wantDrops("[out too_big:4]")
	var many [][]byte
	for range 1000 {
		many = append(many, udpPacket(v4, 1, 2, fill(1000, 1)))
	}
	l.out(many...)
	if n := len(l.dev.written); n != icmpBurst {
		t.Errorf("%d answers at once", n)
	}
}

func TestFragmentsBeforeESP(t *testing.T) {
	for _, opt := range [][]byte{nil, {0x94, 4, 0, 0, 7, 7, 4, 0, 0, 0, 0, 0}} {
		a, b := newLab(t, fastEnds), newLab(t, plainEnds)
		a.sockets.mtu = 600
		connect(t, a.e, b.e, childA, policyA, pair(t, ts4Local, ts4Remote), gcm128(), labA, labB)
		limit := int(a.e.children[childA].inner.Load())
		ip := ipSpec{src: v4.src, dst: v4.dst, id: 777, options: opt}
		for _, n := range []int{limit - 28, 700, 1500, 4000} {
			if n == limit-28 && opt != nil {
				continue
			}
			p := udpPacket(ip, 1, 2, fill(n, 1))
			var frags [][]byte
			for _, w := range b.in(labA, a.out(p)...) {
				if len(w.data) > limit {
					t.Errorf("a fragment of %d octets", len(w.data))
				}
				frags = append(frags, w.data)
			}
			if got := reassemble(t, frags); !bytes.Equal(got, p[20+len(opt):]) {
				t.Errorf("%d octets: not the same after reassembly of %d", n, len(frags))
			}
			if len(frags) > 1 && len(opt) > 0 && (frags[0][0] != p[0] || frags[1][0]&15 != 6) {
				t.Error("options in fragments")
			}
		}
		a.wantDrops("[]")
		b.wantDrops("[]")
	}
	// Fragments of a fragment.
	a, b := newLab(t, fastEnds), newLab(t, plainEnds)
	a.sockets.mtu = 600
	connect(t, a.e, b.e, childA, policyA, pair(t, ts4Local, ts4Remote), gcm128(), labA, labB)
	ip := ipSpec{src: v4.src, dst: v4.dst, id: 777, frag: 50, mf: true}
	got := b.in(labA, a.out(ip.build(protoUDP, fill(800, 1)))...)
	if len(got) != 2 || be.Uint16(got[0].data[6:]) != flagIPv4MF|50 || be.Uint16(got[1].data[6:])&flagIPv4MF == 0 {
		t.Errorf("fragments of a fragment: %d", len(got))
	}
	// A TCP super-packet without DF.
	noDF := ipSpec{src: v4.src, dst: v4.dst, id: 1}
	p := tcpSpec{sport: 1, dport: 2, flags: tcpACK}.build(noDF, fill(3000, 1))
	v := vnetFor(p, 1000)
	var frags [][]byte
	for _, w := range b.in(labA, a.outSuper(super(p, v))...) {
		frags = append(frags, w.data)
	}
	var whole []byte
	for _, s := range referenceSegments(p, v) {
		whole = append(whole, s[20:]...)
	}
	if len(frags) != 6 {
		t.Fatalf("%d fragments", len(frags))
	}
	var got2 []byte
	for i := 0; i < 6; i += 2 {
		got2 = append(got2, reassemble(t, frags[i:i+2])...)
	}
	if !bytes.Equal(got2, whole) {
		t.Error("the segments' fragments are not the segments")
	}
}

// reassemble puts the payload of ordered fragments together.
func reassemble(t *testing.T, frags [][]byte) []byte {
	t.Helper()
	var out []byte
	for i, f := range frags {
		hl := int(f[0]&15) * 4
		if slowChecksum(f[:hl]) != 0 || int(be.Uint16(f[2:])) != len(f) || be.Uint16(f[4:]) != be.Uint16(frags[0][4:]) {
			t.Errorf("fragment %d: header % x", i, f[:hl])
		}
		off := be.Uint16(f[6:])
		if int(off&maskIPv4Offset)*8 != len(out) || (off&flagIPv4MF != 0) != (i < len(frags)-1) {
			t.Errorf("fragment %d: offset %04x at %d", i, off, len(out))
		}
		out = append(out, f[hl:]...)
	}
	return out
}

// TestPortSelectorsAreNotFragmented: the receiver could not match the fragments.
func TestPortSelectorsAreNotFragmented(t *testing.T) {
	l := narrow(t, plainEnds, 600, "10.1.0.0/16[udp]", "10.2.0.0/16[udp/2]")
	ip := ipSpec{src: v4.src, dst: v4.dst}
	if s := l.out(udpPacket(ip, 1, 2, fill(1000, 1))); len(s) != 1 || len(s[0].data) < 1000 {
		t.Error("not sent whole")
	}
}

func TestMTUChanges(t *testing.T) {
	l := narrow(t, plainEnds, 1500, ts4Local, ts4Remote)
	rt := l.e.children[childA].out.route.Load()
	inner := l.e.children[childA].inner.Load()
	for _, c := range []struct {
		news  mtuEvent
		known int // to the system
		want  int32
	}{
		{mtuEvent{remote: labA.Addr(), mtu: 1000}, 1500, 1500}, // another host
		{mtuEvent{remote: labB.Addr(), mtu: 1400}, 1500, 1400},
		{mtuEvent{remote: labB.Addr(), mtu: 1450}, 1500, 1400}, // an ICMP message does not raise it
		{mtuEvent{remote: labB.Addr(), mtu: 20}, 1500, MinPathMTU},
		{mtuEvent{remote: labB.Addr(), mtu: 0}, 1300, 1300}, // the system is asked
		{mtuEvent{}, 1500, 1500},
		{mtuEvent{}, 0, 1500},
	} {
		l.sockets.mtu = c.known
		l.e.updateMTU(c.news)
		if got := rt.mtu.Load(); got != c.want {
			t.Errorf("%+v: MTU %d, want %d", c.news, got, c.want)
		}
	}
	if got := l.e.children[childA].inner.Load(); got != inner {
		t.Errorf("inner MTU %d, want %d again", got, inner)
	}
	l.sockets.fail = errors.New("x")
	l.e.UpdatePath(childA, esp.Path{Local: labA, Remote: labA, UDP: true})
	if got := l.e.children[childA].out.route.Load().path.Remote; got != labA {
		t.Errorf("path to %v", got)
	}
}

func TestClampMSS(t *testing.T) {
	mss := func(n uint16) []byte { return []byte{2, 4, byte(n >> 8), byte(n)} }
	for _, ip := range []ipSpec{v4, v6} {
		local, remote, next := ts4Local, ts4Remote, uint8(4)
		hdr := 40
		if ip.src == v6.src {
			local, remote, next, hdr = ts6Local, ts6Remote, protoIPv6, 60
		}
		for _, c := range []struct {
			clamp int
			flags uint8
			opts  []byte
			want  int // MSS, 0: unchanged
		}{
			{0, tcpSYN, mss(1460), 1406 - hdr},
			{0, tcpSYN | tcpACK, mss(1460), 1406 - hdr},
			{0, tcpACK, mss(1460), 0},
			{0, tcpSYN, mss(500), 0},
			{0, tcpSYN, append([]byte{1, 1, 4, 2}, mss(9000)...), 1406 - hdr},
			{0, tcpSYN, append([]byte{1, 3, 3, 7, 1}, append(mss(9000), 1, 1, 1)...), 1406 - hdr}, // at an odd offset
			{0, tcpSYN, append([]byte{0, 0, 0, 0}, mss(9000)...), 0},
			{0, tcpSYN, []byte{2, 3, 9, 0}, 0},
			{0, tcpSYN, []byte{2, 0, 9, 0}, 0},
			{0, tcpSYN, []byte{1, 1, 1, 2}, 0},
			{0, tcpSYN, []byte{1, 1, 2, 9}, 0},
			{0, tcpSYN, nil, 0},
			{1000, tcpSYN, mss(1460), 1000 - (hdr - 40)},
			{-1, tcpSYN, mss(1460), 0},
		} {
			o := plainEnds
			o.config.MSSClamp = c.clamp
			p := tcpSpec{sport: 1, dport: 2, flags: c.flags, options: c.opts}.build(ip, nil)
			want := p
			if c.want != 0 {
				i := bytes.LastIndex(c.opts, []byte{2, 4})
				opts := bytes.Clone(c.opts)
				be.PutUint16(opts[i+2:], uint16(c.want))
				want = tcpSpec{sport: 1, dport: 2, flags: c.flags, options: opts}.build(ip, nil)
			}
			a, b := labPair(t, o, pair(t, local, remote), gcm128())
			// On the way out …
			b.e.config.MSSClamp = -1
			got := b.in(labA, a.out(bytes.Clone(p))...)
			if len(got) != 1 || !bytes.Equal(got[0].data, want) {
				t.Errorf("out: options % x: % x, want % x", c.opts, got[0].data, want)
			}
			// … and on the way in alone.
			l := newLab(t, o)
			q := peer(t, l, childA, [2]string{remote, local}, gcm128())
			got = l.in(labA, q.seal(p, next))
			if len(got) != 1 || !bytes.Equal(got[0].data, want) {
				t.Errorf("in: options % x: % x, want % x", c.opts, got[0].data, want)
			}
			if c.want != 0 {
				wantSound(t, got[0].data)
			}
		}
	}
}

func TestClampMSSToThePath(t *testing.T) {
	// The path is narrower than the device.
	l := narrow(t, plainEnds, 1000, ts4Local, ts4Remote)
	inner := int(l.e.children[childA].inner.Load())
	if got := l.e.mss(inner, false); got != inner-40 {
		t.Errorf("MSS %d for an inner MTU of %d", got, inner)
	}
	if got := l.e.mssInbound(l.e.children[childA], true); got != inner-60 {
		t.Errorf("inbound IPv6 MSS %d for an inner MTU of %d", got, inner)
	}
	if got := mssFor(100, false); got != minMSS {
		t.Errorf("the smallest MSS is %d", got)
	}
}
