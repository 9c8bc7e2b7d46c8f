package dataplane

import (
	"net/netip"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// ipSpec describes an inner packet to be made.
type ipSpec struct {
	src, dst string
	tos      uint8
	ttl      uint8 // 0: 64
	id       uint16
	df       bool
	frag     uint16 // offset in units of 8
	mf       bool
	options  []byte // IPv4
	ext      []byte // IPv6 extension headers, the first of type extType
	extType  uint8
	flow     uint32
}

// build makes an IP packet around an upper-layer one.
func (s ipSpec) build(protocol uint8, l4 []byte) []byte {
	src, dst := netip.MustParseAddr(s.src), netip.MustParseAddr(s.dst)
	ttl := s.ttl
	if ttl == 0 {
		ttl = 64
	}
	if src.Is4() {
		hl := 20 + len(s.options)
		b := make([]byte, hl, hl+len(l4))
		b[0], b[1], b[8], b[9] = 4<<4|byte(hl/4), s.tos, ttl, protocol
		be.PutUint16(b[2:], uint16(hl+len(l4)))
		be.PutUint16(b[4:], s.id)
		f := s.frag
		if s.df {
			f |= flagIPv4DF
		}
		if s.mf {
			f |= flagIPv4MF
		}
		be.PutUint16(b[6:], f)
		copy(b[12:], src.AsSlice())
		copy(b[16:], dst.AsSlice())
		copy(b[20:], s.options)
		be.PutUint16(b[10:], slowChecksum(b))
		return append(b, l4...)
	}
	b := make([]byte, 40, 40+len(s.ext)+len(l4))
	be.PutUint32(b, 6<<28|uint32(s.tos)<<20|s.flow)
	be.PutUint16(b[4:], uint16(len(s.ext)+len(l4)))
	b[6], b[7] = protocol, ttl
	copy(b[8:], src.AsSlice())
	copy(b[24:], dst.AsSlice())
	if len(s.ext) > 0 {
		b[6] = s.extType
		e := append([]byte(nil), s.ext...)
		e[0] = protocol
		b = append(b, e...)
	}
	return append(b, l4...)
}

// slowChecksum is the Internet checksum as RFC 1071 writes it down.
func slowChecksum(b []byte) uint16 {
	var s uint32
	for i := 0; i < len(b); i += 2 {
		if i+1 < len(b) {
			s += uint32(b[i])<<8 | uint32(b[i+1])
		} else {
			s += uint32(b[i]) << 8
		}
	}
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}

// pseudo is the pseudo-header of both IP versions, which sums up to the same.
func (s ipSpec) pseudo(protocol uint8, n int) []byte {
	p := append(netip.MustParseAddr(s.src).AsSlice(), netip.MustParseAddr(s.dst).AsSlice()...)
	return append(p, byte(n>>24), byte(n>>16), byte(n>>8), byte(n), 0, 0, 0, protocol)
}

// tcpSpec describes a TCP segment.
type tcpSpec struct {
	sport, dport uint16
	seq, ack     uint32
	flags        uint8
	window       uint16
	urgent       uint16
	options      []byte
}

func (t tcpSpec) build(ip ipSpec, payload []byte) []byte {
	hl := 20 + len(t.options)
	b := make([]byte, hl, hl+len(payload))
	be.PutUint16(b, t.sport)
	be.PutUint16(b[2:], t.dport)
	be.PutUint32(b[4:], t.seq)
	be.PutUint32(b[8:], t.ack)
	b[12], b[13] = byte(hl/4)<<4, t.flags
	be.PutUint16(b[14:], t.window)
	be.PutUint16(b[18:], t.urgent)
	copy(b[20:], t.options)
	b = append(b, payload...)
	be.PutUint16(b[16:], slowChecksum(append(ip.pseudo(protoTCP, len(b)), b...)))
	return ip.build(protoTCP, b)
}

func udpPacket(ip ipSpec, sport, dport uint16, payload []byte) []byte {
	b := make([]byte, 8, 8+len(payload))
	be.PutUint16(b, sport)
	be.PutUint16(b[2:], dport)
	be.PutUint16(b[4:], uint16(8+len(payload)))
	b = append(b, payload...)
	c := slowChecksum(append(ip.pseudo(protoUDP, len(b)), b...))
	if c == 0 {
		c = 0xffff
	}
	be.PutUint16(b[6:], c)
	return ip.build(protoUDP, b)
}

// v4 and v6 are the hosts of most tests.
var (
	v4 = ipSpec{src: "10.1.0.5", dst: "10.2.0.9", df: true}
	v6 = ipSpec{src: "fd01::5", dst: "fd02::9"}
)

const (
	ts4Local, ts4Remote = "10.1.0.0/16", "10.2.0.0/16"
	ts6Local, ts6Remote = "fd01::/64", "fd02::/64"
)

func fill(n int, seed byte) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)*7 + seed
	}
	return b
}

// wantSound lets another implementation, gopacket, decode a packet and check its checksums.
func wantSound(t testing.TB, b []byte) gopacket.Packet {
	t.Helper()
	first := gopacket.Decoder(layers.LayerTypeIPv4)
	if b[0]>>4 == 6 {
		first = layers.LayerTypeIPv6
	}
	p := gopacket.NewPacket(b, first, gopacket.DecodeOptions{DecodeStreamsAsDatagrams: true})
	if e := p.ErrorLayer(); e != nil {
		t.Fatalf("gopacket: %v in % x", e.Error(), b[:min(len(b), 80)])
	}
	if b[0]>>4 == 4 {
		if c := slowChecksum(b[:int(b[0]&15)*4]); c != 0 {
			t.Errorf("IPv4 checksum: off by %04x", c)
		}
	}
	var h innerHeader
	if !h.parse(b) {
		t.Fatal("not a packet")
	}
	if h.length != len(b) {
		t.Errorf("%d octets, the header says %d", len(b), h.length)
	}
	if h.fragment || h.l4 >= h.length {
		return p
	}
	pseudo := append(h.key.src().AsSlice(), h.key.dst().AsSlice()...)
	l4 := b[h.l4:]
	pseudo = append(pseudo, 0, 0, byte(len(l4)>>8), byte(len(l4)), 0, 0, 0, h.protocol)
	switch h.protocol {
	case protoTCP, protoICMPv6:
	case protoUDP:
		if be.Uint16(l4[6:]) == 0 {
			return p
		}
	case protoICMP:
		pseudo = nil
	default:
		return p
	}
	if c := slowChecksum(append(pseudo, l4...)); c != 0 {
		t.Errorf("checksum of protocol %d: off by %04x", h.protocol, c)
	}
	return p
}
