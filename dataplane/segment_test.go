package dataplane

import (
	"bytes"
	"fmt"
	"testing"

	"esplanade/tun"
)

// referenceSegments cuts a super-packet in the plainest way.
func referenceSegments(p []byte, v tun.VNetHdr) [][]byte {
	if v.GSOType == tun.GSONone {
		return [][]byte{p}
	}
	l4 := int(v.CsumStart)
	hl := l4 + 8
	if v.GSOType&^tun.GSOECN != tun.GSOUDPL4 {
		hl = l4 + int(p[l4+12]>>4)*4
	}
	hdr, payload := p[:hl], p[hl:]
	var out [][]byte
	for i := 0; i == 0 || len(payload) > 0; i++ {
		n := min(len(payload), int(v.GSOSize))
		s := append(bytes.Clone(hdr), payload[:n]...)
		payload = payload[n:]
		src, dst := s[12:16], s[16:20]
		if s[0]>>4 == 4 {
			be.PutUint16(s[2:], uint16(len(s)))
			be.PutUint16(s[4:], be.Uint16(hdr[4:])+uint16(i))
			s[10], s[11] = 0, 0
			be.PutUint16(s[10:], slowChecksum(s[:l4]))
		} else {
			be.PutUint16(s[4:], uint16(len(s)-40))
			src, dst = s[8:24], s[24:40]
		}
		t := s[l4:]
		proto, at := uint8(protoUDP), 6
		if v.GSOType&^tun.GSOECN != tun.GSOUDPL4 {
			proto, at = protoTCP, 16
			be.PutUint32(t[4:], be.Uint32(hdr[l4+4:])+uint32(i)*uint32(v.GSOSize))
			if i > 0 {
				t[13] &^= tcpCWR
			}
			if len(payload) > 0 {
				t[13] &^= tcpFIN | tcpPSH
			}
		} else {
			be.PutUint16(t[4:], uint16(len(t)))
		}
		t[at], t[at+1] = 0, 0
		ph := append(append(bytes.Clone(src), dst...), 0, 0, byte(len(t)>>8), byte(len(t)), 0, 0, 0, proto)
		c := slowChecksum(append(ph, t...))
		if proto == protoUDP && c == 0 {
			c = 0xffff
		}
		be.PutUint16(t[at:], c)
		out = append(out, s)
	}
	return out
}

// vnetFor makes the virtio header for a packet that is a super-packet of segments of size octets.
func vnetFor(p []byte, size int) tun.VNetHdr {
	var h innerHeader
	if !h.parse(p) {
		panic("vnetFor: not a packet")
	}
	v := tun.VNetHdr{Flags: tun.VNetNeedsCsum, GSOType: tun.GSOTCPv4, GSOSize: uint16(size),
		CsumStart: uint16(h.l4), CsumOffset: 16, HdrLen: 9999}
	if h.v6 {
		v.GSOType = tun.GSOTCPv6
	}
	if h.protocol == protoUDP {
		v.GSOType, v.CsumOffset = tun.GSOUDPL4, 6
	}
	return v
}

func TestSegments(t *testing.T) {
	opts := append([]byte{1, 1, 8, 10}, fill(8, 9)...)
	for _, ip := range []ipSpec{v4, v6, {src: "10.1.0.5", dst: "10.2.0.9", options: []byte{0x94, 4, 0, 0}, id: 65530},
		{src: "fd01::5", dst: "fd02::9", ext: make([]byte, 16), extType: protoDestOpts, flow: 77}} {
		if len(ip.ext) > 0 {
			ip.ext[1] = 1
		}
		for _, n := range []int{0, 1, 7, 99, 100, 101, 1000, 5001} {
			for _, size := range []int{1, 3, 100, 1000, 6000} {
				if n > 1000 && size < 100 {
					continue
				}
				tcp := func(flags uint8, o []byte) []byte {
					return tcpSpec{sport: 1, dport: 2, seq: 0xfffffff0, ack: 5, flags: flags, window: 77, options: o}.build(ip, fill(n, 1))
				}
				for i, p := range [][]byte{
					tcp(tcpACK, nil), tcp(tcpACK|tcpPSH|tcpFIN, opts), tcp(tcpACK|tcpCWR|tcpECE, opts),
					udpPacket(ip, 1, 2, fill(n, 3)),
				} {
					v := vnetFor(p, size)
					s := super(p, v)
					var h innerHeader
					if !h.parse(s.bytes()) {
						t.Fatal("parse")
					}
					var g segmenter
					if !g.begin(&s, &h) {
						t.Fatal("begin")
					}
					want := referenceSegments(p, v)
					if g.count() != len(want) || g.longest() != len(want[0]) {
						t.Fatalf("count %d of %d, longest %d", g.count(), len(want), g.longest())
					}
					for k, w := range want {
						got, ok := g.next()
						if !ok || !bytes.Equal(got, w) {
							t.Fatalf("%s n=%d size=%d packet %d: segment %d differs\n% x\n% x", ip.src, n, size, i, k, got, w)
						}
						if cap(got) < len(got)+tailroom {
							t.Fatalf("no room behind segment %d", k)
						}
						if size >= 100 {
							wantSound(t, got)
						}
						copy(got, fill(len(got), 0xee)) // it is sealed: its memory is free
					}
					if _, ok := g.next(); ok {
						t.Fatal("one segment too many")
					}
				}
			}
		}
	}
}

func TestChecksum(t *testing.T) {
	b := fill(300, 5)
	for from := 0; from < 4; from += 2 {
		for n := range 200 {
			p := b[from : from+n]
			if got, want := ^fold(sum(p, 0)), slowChecksum(p); got != want {
				t.Fatalf("%d octets: %04x, want %04x", n, got, want)
			}
		}
	}
	ones := bytes.Repeat([]byte{0xff}, 65536)
	for _, n := range []int{0, 1, 2, 3, 63, 64, 65, 1000, 65535, 65536} {
		if got, want := ^fold(sum(ones[:n], 0)), slowChecksum(ones[:n]); got != want {
			t.Fatalf("%d octets of 0xff: %04x, want %04x", n, got, want)
		}
		if got, want := ^fold(sum(ones[:n], ^uint64(0))), slowChecksum(ones[:n]); n > 1 && got != want {
			t.Fatalf("%d octets with a full accumulator: %04x, want %04x", n, got, want)
		}
	}
}

func FuzzChecksum(f *testing.F) {
	f.Add([]byte{1, 2, 3}, uint16(4), uint16(9))
	f.Fuzz(func(t *testing.T, b []byte, w, x uint16) {
		if got, want := ^fold(sum(b, word(w))), slowChecksum(append([]byte{byte(w >> 8), byte(w)}, b...)); got != want {
			t.Errorf("%04x, want %04x", got, want)
		}
		if len(b) < 2 {
			return
		}
		// An incremental update gives what a new sum gives, but for the two forms of zero.
		c := slowChecksum(b)
		old := be.Uint16(b)
		be.PutUint16(b, x)
		got, want := updateChecksum(c, old, x), slowChecksum(b)
		if got != want && fmt.Sprint(got^want) != "65535" {
			t.Errorf("update: %04x, want %04x", got, want)
		}
	})
}
