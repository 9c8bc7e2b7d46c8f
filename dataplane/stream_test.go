package dataplane

import (
	"bytes"
	"math/rand/v2"

	"esplanade/tun"
)

// stream makes random traffic of several flows.
type stream struct {
	r     *rand.Rand
	flows []*streamFlow
}

type streamFlow struct {
	ip   ipSpec
	tcp  tcpSpec
	udp  bool
	size int // usual payload
}

func newStream(seed uint64) *stream {
	s := &stream{r: rand.New(rand.NewPCG(seed, 1))}
	for i := range 2 + s.r.IntN(5) {
		f := &streamFlow{ip: v4, udp: s.r.IntN(3) == 0, size: []int{1, 40, 500, 1200, 1326}[s.r.IntN(5)]}
		if s.r.IntN(2) == 0 {
			f.ip = v6
			f.ip.flow = uint32(s.r.IntN(3))
		} else if s.r.IntN(3) == 0 {
			f.ip.df = false
		}
		f.ip.id = uint16(s.r.Uint32())
		f.tcp = tcpSpec{sport: uint16(1000 + i), dport: uint16(s.r.IntN(2)), seq: s.r.Uint32(), ack: 7, flags: tcpACK, window: 500}
		if s.r.IntN(2) == 0 {
			f.tcp.options = append([]byte{1, 1, 8, 10}, fill(8, byte(i))...)
		}
		s.flows = append(s.flows, f)
	}
	return s
}

// next gives a super-packet, and the packets that it stands for.
func (s *stream) next() (superPacket, [][]byte) {
	r := s.r
	f := s.flows[r.IntN(len(s.flows))]
	if r.IntN(4) != 0 {
		f = s.flows[0] // long runs of one flow
	}
	odd := func(n int) bool { return r.IntN(n) == 0 }
	ip, tcp, n := f.ip, f.tcp, f.size
	switch {
	case odd(25):
		ip.tos = uint8(r.IntN(256))
	case odd(25):
		ip.ttl = uint8(60 + r.IntN(5))
	case odd(40) && ip.src == v4.src:
		ip.options = []byte{0x94, 4, 0, 0}
	case odd(40) && ip.src == v6.src:
		ip.ext, ip.extType = make([]byte, 8), protoDestOpts
	}
	switch {
	case odd(12):
		n = r.IntN(f.size + 1)
	case odd(30):
		n = 0
	}
	payload := func(n int) []byte { return fill(n, byte(r.Uint32())) }
	if odd(30) {
		return s.strange(ip)
	}
	super1 := odd(3) && n > 0 // a super-packet of several segments
	if f.udp {
		total := n
		if super1 {
			total = n*(1+r.IntN(20)) + r.IntN(n)
		}
		total = min(total, 60000)
		p := udpPacket(ip, tcp.sport, tcp.dport, payload(total))
		f.advanceID(total, n, super1)
		return s.finish(p, n, super1)
	}
	if odd(15) {
		tcp.flags |= []uint8{tcpPSH, tcpFIN, tcpURG, tcpECE, tcpCWR, tcpPSH | tcpFIN}[r.IntN(6)]
	}
	switch {
	case odd(40):
		f.tcp.ack++
	case odd(40):
		f.tcp.window++
	case odd(40):
		tcp.seq -= uint32(r.IntN(3000)) // a retransmission
	case odd(60):
		tcp.urgent = 9
	}
	total := n
	if super1 {
		total = min(n*(1+r.IntN(44))+r.IntN(n), 60000)
	}
	p := tcp.build(ip, payload(total))
	f.tcp.seq += uint32(total)
	f.advanceID(total, n, super1)
	return s.finish(p, n, super1)
}

// advanceID counts the IPv4 identification up, in most flows.
func (f *streamFlow) advanceID(total, n int, super bool) {
	k := 1
	if super {
		k = max(1, (total+n-1)/n)
	}
	f.ip.id += uint16(k)
}

// finish makes the super-packet, sometimes with a checksum left undone or wrong.
func (s *stream) finish(p []byte, size int, isSuper bool) (superPacket, [][]byte) {
	if isSuper {
		v := vnetFor(p, size)
		if v.GSOType != tun.GSOUDPL4 && s.r.IntN(8) == 0 {
			v.GSOType |= tun.GSOECN
		}
		return super(p, v), referenceSegments(p, v)
	}
	var h innerHeader
	if !h.parse(p) {
		panic("finish: not a packet")
	}
	at := h.l4 + 16
	if h.protocol == protoUDP {
		at = h.l4 + 6
	}
	switch s.r.IntN(20) {
	case 0: // left undone
		part := bytes.Clone(p)
		v := tun.VNetHdr{Flags: tun.VNetNeedsCsum, CsumStart: uint16(h.l4), CsumOffset: uint16(at - h.l4)}
		be.PutUint16(part[at:], fold(pseudoHeader(p, h.v6, h.protocol, len(p)-h.l4)))
		return super(part, v), [][]byte{p}
	case 1: // corrupt before it came here: it has to stay so
		p[len(p)-1] ^= 0x40
	case 2:
		if h.protocol == protoUDP && !h.v6 {
			p[at], p[at+1] = 0, 0
		}
	}
	return super(p, tun.VNetHdr{}), [][]byte{p}
}

// strange makes packets that are neither TCP nor whole.
func (s *stream) strange(ip ipSpec) (superPacket, [][]byte) {
	var p []byte
	ip.ext, ip.options = nil, nil
	switch s.r.IntN(9) {
	case 0:
		p = ip.build(99, fill(s.r.IntN(100), 1))
	case 1:
		p = ip.build(protoTCP, fill(s.r.IntN(25), 1)) // cut off or garbage
	case 2:
		p = ip.build(protoUDP, fill(s.r.IntN(12), 1))
	case 3:
		if ip.src == v4.src {
			ip.frag, ip.mf, ip.df = uint16(s.r.IntN(3)*10), true, false
		} else {
			ip.ext, ip.extType = []byte{0, 0, 0, byte(s.r.IntN(3))<<3 | 1, 1, 2, 3, 4}, protoFragment
		}
		p = ip.build(protoUDP, fill(80, 1))
	case 4: // nothing behind the IP header
		p = ip.build(protoTCP, nil)
	case 5: // SYN, RST, and flags that nobody sends
		p = tcpSpec{sport: s.flows[0].tcp.sport, dport: s.flows[0].tcp.dport, flags: uint8(s.r.Uint32()), options: []byte{2, 4, 5, 0x7e}}.build(ip, nil)
	case 6: // the UDP length says less than the IP length
		p = udpPacket(ip, s.flows[0].tcp.sport, 9, fill(50, 1))
		be.PutUint16(p[len(p)-54:], 30)
	case 7: // a TCP header that says it is longer than the packet
		p = tcpSpec{sport: s.flows[0].tcp.sport, dport: s.flows[0].tcp.dport, flags: tcpACK}.build(ip, fill(10, 1))
		p[len(p)-18] = 0xf0
	default:
		if ip.src == v4.src {
			p = ip.build(protoICMP, []byte{8, 0, 1, 2, 3, 4, 5, 6})
		} else {
			p = ip.build(protoICMPv6, []byte{128, 0, 1, 2, 3, 4, 5, 6})
		}
	}
	return super(p, tun.VNetHdr{}), [][]byte{p}
}
