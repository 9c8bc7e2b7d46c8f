package dataplane

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"esplanade/esp"
	"esplanade/tun"
)

func TestOutboundThenInbound(t *testing.T) {
	for _, c := range []struct {
		name   string
		packet []byte
		ts     [2]string
	}{
		{"tcp v4", tcpSpec{sport: 1, dport: 2, flags: tcpACK}.build(v4, fill(100, 1)), [2]string{ts4Local, ts4Remote}},
		{"tcp v6", tcpSpec{sport: 1, dport: 2, flags: tcpACK}.build(v6, fill(100, 1)), [2]string{ts6Local, ts6Remote}},
		{"udp v4 empty", udpPacket(v4, 1, 2, nil), [2]string{ts4Local, ts4Remote}},
		{"udp v6", udpPacket(v6, 1, 2, fill(1000, 3)), [2]string{ts6Local, ts6Remote}},
		{"icmp", v4.build(protoICMP, []byte{8, 0, 0xf7, 0xff, 0, 0, 0, 0}), [2]string{ts4Local, ts4Remote}},
		{"protocol 99", v4.build(99, fill(3, 3)), [2]string{ts4Local, ts4Remote}},
		{"IP header alone", v4.build(59, nil), [2]string{ts4Local, ts4Remote}},
		{"options", ipSpec{src: v4.src, dst: v4.dst, options: []byte{0x94, 4, 0, 0}}.build(protoUDP, fill(8, 1)), [2]string{ts4Local, ts4Remote}},
		{"fragment", ipSpec{src: v4.src, dst: v4.dst, frag: 10, mf: true}.build(protoUDP, fill(80, 1)), [2]string{ts4Local, ts4Remote}},
		{"hop-by-hop", ipSpec{src: v6.src, dst: v6.dst, ext: make([]byte, 8)}.build(protoUDP, udpPacket(v6, 1, 2, fill(9, 1))[40:]), [2]string{ts6Local, ts6Remote}},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, b := labPair(t, plainEnds, pair(t, c.ts[0], c.ts[1]), gcm128())
			msgs := a.out(c.packet)
			if len(msgs) != 1 || msgs[0].n != 1 || msgs[0].to != labB {
				t.Fatalf("sent: %+v; drops %v", msgs, dropsOf(a.e))
			}
			if bytes.Contains(msgs[0].data, c.packet[20:]) && len(c.packet) > 24 {
				t.Error("sent in the clear")
			}
			got := b.in(labA, msgs...)
			if len(got) != 1 || !bytes.Equal(got[0].data, c.packet) || got[0].vnet != (tun.VNetHdr{}) {
				t.Fatalf("written: %+v, drops %v", got, dropsOf(b.e))
			}
			ca, _ := a.e.Counters(childA)
			cb, _ := b.e.Counters(childA)
			if ca.OutPackets != 1 || ca.OutBytes != uint64(len(c.packet)) || cb.InPackets != 1 || cb.InBytes != ca.OutBytes {
				t.Errorf("counters: %+v, %+v", ca, cb)
			}
			a.wantDrops("[]")
			b.wantDrops("[]")
		})
	}
}

func TestOutboundDrops(t *testing.T) {
	ts := pair(t, ts4Local, ts4Remote)
	ok := udpPacket(v4, 1, 2, fill(10, 1))
	t.Run("malformed", func(t *testing.T) {
		a, _ := labPair(t, plainEnds, ts, gcm128())
		short := bytes.Clone(ok)[:25]
		a.out(nil, []byte{0x45}, short, append([]byte{0x15}, ok[1:]...))
		a.wantDrops("[out malformed:4]")
	})
	t.Run("offload request that makes no sense", func(t *testing.T) {
		a, _ := labPair(t, plainEnds, ts, gcm128())
		tcp := tcpSpec{sport: 1, dport: 2, flags: tcpACK}.build(v4, fill(3000, 1))
		for _, v := range []tun.VNetHdr{
			{GSOType: tun.GSOUDPL4, GSOSize: 1000}, {GSOType: tun.GSOTCPv6, GSOSize: 1000},
			{GSOType: tun.GSOTCPv4}, {GSOType: 3, GSOSize: 1000},
			{Flags: tun.VNetNeedsCsum, CsumStart: 3030, CsumOffset: 16},
		} {
			a.outSuper(super(tcp, v))
		}
		a.wantDrops("[out malformed:5]")
	})
	t.Run("checksum outside", func(t *testing.T) {
		a, _ := labPair(t, plainEnds, ts, gcm128())
		a.outSuper(super(ok, tun.VNetHdr{Flags: tun.VNetNeedsCsum, CsumStart: 30, CsumOffset: 16}))
		a.wantDrops("[out malformed:1]")
	})
	t.Run("no policy", func(t *testing.T) {
		a, _ := labPair(t, plainEnds, ts, gcm128())
		if p, at, ok := a.e.LastStray(); ok {
			t.Errorf("before the first: %v, %s", p, at)
		}
		other := v4
		other.dst = "10.3.0.1"
		a.out(udpPacket(other, 1, 2, nil), udpPacket(v6, 1, 2, nil))
		other = v4
		other.src = "10.9.0.1"
		a.out(udpPacket(other, 1, 2, nil))
		a.wantDrops("[out no_policy:3]")
		if p, at, ok := a.e.LastStray(); !ok || at.IsZero() || p.String() != other.src+":1 > "+other.dst+":2 udp" {
			t.Errorf("the last: %v, %s, %v", p, at, ok)
		}
	})
	t.Run("what the system says on its link", func(t *testing.T) {
		a, _ := labPair(t, plainEnds, ts, gcm128())
		other := v4
		other.dst = "10.3.0.1"
		a.out(udpPacket(other, 1, 2, nil))
		for _, s := range []ipSpec{
			{src: "::", dst: "ff02::16"}, {src: "fe80::1", dst: "ff02::2"}, {src: "fe80::1", dst: "2001:db8::1"}, {src: "10.9.0.1", dst: "224.0.0.22"}, {src: "10.9.0.1", dst: "169.254.1.1"},
		} {
			a.out(udpPacket(s, 1, 2, nil))
		}
		a.wantDrops("[out multicast:5 out no_policy:1]")
		if p, _, ok := a.e.LastStray(); !ok || p.Dst.String() != other.dst {
			t.Errorf("the last packet that no policy selects: %v, %v", p, ok)
		}
		selected, _ := labPair(t, plainEnds, pair(t, "10.9.0.0/24", "224.0.0.0/4"), gcm128())
		if n := len(selected.out(udpPacket(ipSpec{src: "10.9.0.1", dst: "224.0.0.22"}, 1, 2, nil))); n != 1 {
			t.Errorf("%d multicast packets that a policy selects were sent", n)
		}
	})
	t.Run("exhausted", func(t *testing.T) {
		l := newLab(t, plainEnds)
		encr, integ := keys(t, gcm128(), "x")
		err := l.e.InstallOutbound(1, 1, 1, esp.OutboundConfig{SPI: 4096, Suite: gcm128(), EncrKey: encr, IntegKey: integ,
			Soft: esp.Limits{Packets: 2}, Hard: esp.Limits{Packets: 3}}, ts, esp.Path{Local: labA, Remote: labB, UDP: true})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(l.out(ok, ok, ok, ok, ok)); n != 3 {
			t.Errorf("%d sent", n)
		}
		l.wantDrops("[out exhausted:2]")
		if fmt.Sprint(l.rec.exhausting) != "[1]" {
			t.Errorf("Exhausting: %v", l.rec.exhausting)
		}
	})
	t.Run("send", func(t *testing.T) {
		a, _ := labPair(t, plainEnds, ts, gcm128())
		a.sockets.fail = errors.New("broken")
		a.out(ok)
		a.sockets.fail = errSendBuffer
		a.out(ok, ok)
		a.wantDrops("[out send:1 out send_buffer:2]")
	})
}

func TestDropNames(t *testing.T) {
	seen := make(map[string]bool)
	for _, r := range DropReasons() {
		k := r.Direction().String() + " " + r.String()
		if r.String() == "unknown" || seen[k] {
			t.Errorf("reason %d: %q", r, k)
		}
		seen[k] = true
	}
	if DropReason(200).String() != "unknown" || len(seen) != int(numDropReasons)-1 {
		t.Error("reasons")
	}
}

// TestPartialChecksum finishes checksums that the device left undone.
func TestPartialChecksum(t *testing.T) {
	for _, ip := range []ipSpec{v4, v6} {
		for _, n := range []int{0, 1, 2, 77, 1000} {
			local, remote := ts4Local, ts4Remote
			if ip.src == v6.src {
				local, remote = ts6Local, ts6Remote
			}
			a, b := labPair(t, plainEnds, pair(t, local, remote), gcm128())
			for _, c := range []struct {
				p  []byte
				at int
			}{
				{tcpSpec{sport: 1, dport: 2, flags: tcpACK}.build(ip, fill(n, 1)), 16},
				{udpPacket(ip, 1, 2, fill(n, 1)), 6},
			} {
				var h innerHeader
				if !h.parse(c.p) {
					t.Fatal("parse")
				}
				part := bytes.Clone(c.p)
				be.PutUint16(part[h.l4+c.at:], ^slowChecksum(ip.pseudo(h.protocol, len(part)-h.l4)))
				got := b.in(labA, a.outSuper(super(part, tun.VNetHdr{Flags: tun.VNetNeedsCsum,
					CsumStart: uint16(h.l4), CsumOffset: uint16(c.at)}))...)
				if len(got) != 1 || !bytes.Equal(got[0].data, c.p) {
					t.Errorf("protocol %d, %d octets: not the same", h.protocol, n)
				}
			}
		}
	}
}

// TestGrouping looks at how sealed packets are put together into messages.
func TestGrouping(t *testing.T) {
	ts := pair(t, ts4Local, ts4Remote)
	big, small := udpPacket(v4, 1, 2, fill(1000, 1)), udpPacket(v4, 3, 4, fill(100, 1))
	marked := v4
	marked.tos = ecnECT0
	ect := udpPacket(marked, 1, 2, fill(1000, 1))
	a, b := labPair(t, fastEnds, ts, gcm128())
	var shape []int
	msgs := a.out(big, big, small, big, small, small, ect, ect, big)
	for _, m := range msgs {
		shape = append(shape, m.n)
	}
	// A shorter packet ends a run; a longer one and another TOS begin one.
	if fmt.Sprint(shape) != "[3 2 1 2 1]" {
		t.Errorf("messages of %v packets", shape)
	}
	got := b.in(labA, msgs...)
	n := 0
	for _, w := range got {
		n += w.segments
	}
	if n != 9 {
		t.Errorf("%d packets came in; drops %v", n, dropsOf(b.e))
	}
	// More than one message may have.
	var many [][]byte
	for range 150 {
		many = append(many, small)
	}
	shape = nil
	for _, m := range a.out(many...) {
		shape = append(shape, m.n)
	}
	if fmt.Sprint(shape) != "[64 64 22]" {
		t.Errorf("messages of %v packets", shape)
	}
	many = nil
	for range 60 {
		many = append(many, udpPacket(v4, 1, 2, fill(1370, 1)))
	}
	for _, m := range a.out(many...) {
		if len(m.data) > 65507 {
			t.Errorf("a message of %d octets", len(m.data))
		}
	}
}

// TestBatchOverflow sends more in a batch than its arena has room for.
func TestBatchOverflow(t *testing.T) {
	a, b := labPair(t, plainEnds, pair(t, ts4Local, ts4Remote), gcm128())
	var many [][]byte
	for i := range 3 * txMessages {
		many = append(many, udpPacket(v4, uint16(i), 2, fill(1300, byte(i))))
	}
	msgs := a.out(many...)
	got := b.in(labA, msgs...)
	if len(msgs) != len(many) || len(got) != len(many) {
		t.Fatalf("%d sent, %d came in of %d", len(msgs), len(got), len(many))
	}
	for i := range got {
		if !bytes.Equal(got[i].data, many[i]) {
			t.Fatalf("packet %d is not the same", i)
		}
	}
}

func TestOuterTOS(t *testing.T) {
	for _, copyDSCP := range []bool{false, true} {
		o := plainEnds
		o.config.CopyDSCP = copyDSCP
		a, _ := labPair(t, o, pair(t, ts4Local, ts4Remote), gcm128())
		for tos := range 256 {
			ip := v4
			ip.tos = uint8(tos)
			m := a.out(udpPacket(ip, 1, 2, nil))
			want := uint8(tos) & 3
			if copyDSCP {
				want = uint8(tos)
			}
			if len(m) != 1 || m[0].tos != want {
				t.Fatalf("inner %02x: outer %02x, want %02x", tos, m[0].tos, want)
			}
		}
	}
}
