package dataplane

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"esplanade/esp"
	"esplanade/tun"
)

// The fast path (super-packets from the device, runs on the wire, runs merged for the device) against a reference that
// knows packets only: what goes in, cut into packets in the plainest way, is what has to come out, except for what the
// wire has lost, in the same order within each flow.

// stream makes random traffic of several flows.
type stream struct {
	r     *rand.Rand
	flows []*streamFlow
}

type streamFlow struct {
	ip    ipSpec
	tcp   tcpSpec
	udp   bool
	size  int // usual payload
	quiet bool
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

// flowOf names the flow whose order must be kept. The identification of packets that must not be fragmented has no
// meaning (RFC 6864 section 4.1), so merging may change it.
func flowOf(t *testing.T, p []byte) (string, []byte) {
	var h innerHeader
	if !h.parse(p) {
		t.Fatalf("came out: % x", p[:min(len(p), 40)])
	}
	p = bytes.Clone(p)
	if !h.v6 && h.df && !h.fragment {
		be.PutUint16(p[4:], 0)
		setIPv4Checksum(p)
	}
	return fmt.Sprint(h.key), p
}

// twoEnds is what the differential test sends its packets through: from the device of one engine to the wire, and from
// the wire to the device of another.
type twoEnds interface {
	engines() (a, b *Engine)
	// out carries super-packets and gives what is on the wire, which should be n packets.
	out(supers []superPacket, n int) [][]byte
	// in carries messages, of which n packets should come out, and gives what is written to the device.
	in(msgs []sent, n int) []written
}

// labEnds are two labs.
type labEnds struct {
	t    *testing.T
	a, b *lab
}

func newLabEnds(t *testing.T) twoEnds {
	o := fastEnds
	o.config.MSSClamp = -1
	l := &labEnds{t, newLab(t, o), newLab(t, o)}
	for i, ts := range [][2]string{{ts4Local, ts4Remote}, {ts6Local, ts6Remote}} {
		connect(t, l.a.e, l.b.e, uint64(i+1), uint64(i+1), pair(t, ts[0], ts[1]), gcm128(), labA, labB)
	}
	return l
}

func (l *labEnds) engines() (a, b *Engine) { return l.a.e, l.b.e }

func (l *labEnds) out(supers []superPacket, _ int) (wire [][]byte) {
	for _, m := range l.a.outSuper(supers...) {
		if len(m.packets()) != m.n {
			l.t.Fatalf("%d packets in a message of %d", len(m.packets()), m.n)
		}
		wire = append(wire, m.packets()...)
	}
	return wire
}

func (l *labEnds) in(msgs []sent, _ int) []written { return l.b.in(labA, msgs...) }

func TestFastPathAgainstReference(t *testing.T) {
	seeds := uint64(150)
	if testing.Short() {
		seeds = 20
	}
	differential(t, 0, seeds, 1<<30, newLabEnds)
}

// differential runs a number of seeds; a batch has at most octets of packets.
func differential(t *testing.T, from, to uint64, octets int, ends func(t *testing.T) twoEnds) {
	merged := 0
	for seed := from; seed < to; seed++ {
		merged += runDifferential(t, seed, octets, ends(t))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if merged == 0 {
		t.Error("nothing was merged")
	}
}

// onWire is a datagram with the inner packet that has to come out of it, nil if there is none.
type onWire struct{ data, want []byte }

// faultyWire loses, doubles, reorders and corrupts datagrams, and puts others between them.
func faultyWire(r *rand.Rand, wire, want [][]byte) (stream []onWire) {
	for i, w := range wire {
		x := onWire{bytes.Clone(w), want[i]}
		switch r.IntN(40) {
		case 0:
			continue
		case 1:
			stream = append(stream, x, onWire{bytes.Clone(w), nil})
			continue
		case 2:
			x.data[r.IntN(len(x.data))] ^= 1 << r.IntN(8)
			x.want = nil
		case 3:
			x = onWire{fill(r.IntN(60), 1), nil}
		case 4:
			stream = append(stream, onWire{[]byte{0xff}, nil})
		}
		stream = append(stream, x)
		if r.IntN(40) == 0 && len(stream) > 1 {
			i := len(stream) - 1
			stream[i], stream[i-1] = stream[i-1], stream[i]
		}
	}
	return stream
}

// decapsulated is the packet as it comes out of a tunnel whose outer header had this TOS, nil if it doesn't: the table
// of figure 4 in https://www.rfc-editor.org/rfc/rfc6040#section-4.2, written down as it is there.
func decapsulated(p []byte, outer uint8) []byte {
	const dropped = 0xff
	v6 := p[0]>>4 == 6
	inner := p[1] & 3
	if v6 {
		inner = p[1] >> 4 & 3
	}
	ecn := map[uint8][4]uint8{ // by inner, then by outer in the order of the values: Not-ECT, ECT(1), ECT(0), CE
		0: {0, 0, 0, dropped},
		2: {2, 1, 2, 3},
		1: {1, 1, 1, 3},
		3: {3, 3, 3, 3},
	}[inner][outer&3]
	switch {
	case ecn == dropped:
		return nil
	case ecn == inner:
		return p
	}
	p = bytes.Clone(p)
	if v6 {
		p[1] = p[1]&^0x30 | ecn<<4
		return p
	}
	p[1] = p[1]&^3 | ecn
	hl := int(p[0]&15) * 4
	p[10], p[11] = 0, 0
	be.PutUint16(p[10:], slowChecksum(p[:hl]))
	return p
}

// runs makes messages of datagrams: runs of equal length, as UDP_GRO gives them, with one TOS each. It says which inner
// packets have to come out.
func runs(r *rand.Rand, stream []onWire) (msgs []sent, want [][]byte) {
	for i := 0; i < len(stream); {
		m := sent{seg: len(stream[i].data)}
		if r.IntN(8) == 0 {
			m.tos = uint8(r.IntN(4))
		}
		limit := 1 + r.IntN(64)
		for i < len(stream) && m.n < limit && len(stream[i].data) <= m.seg && len(m.data)+m.seg < 65000 {
			n := len(stream[i].data)
			if n == 0 && m.n > 0 {
				break // no run ends with an empty datagram
			}
			m.data = append(m.data, stream[i].data...)
			m.n++
			if p := stream[i].want; p != nil {
				if p = decapsulated(p, m.tos); p != nil {
					want = append(want, p)
				}
			}
			i++
			if n < m.seg || n == 0 {
				break
			}
		}
		msgs = append(msgs, m)
	}
	return msgs, want
}

// byFlow sorts packets by what must stay in order.
func byFlow(t *testing.T, packets [][]byte) map[string][][]byte {
	m := make(map[string][][]byte)
	for _, p := range packets {
		k, p := flowOf(t, p)
		m[k] = append(m[k], p)
	}
	return m
}

func runDifferential(t *testing.T, seed uint64, octets int, ends twoEnds) (merged int) {
	a, b := ends.engines()
	s := newStream(seed)
	r := rand.New(rand.NewPCG(seed, 2))
	for range 6 {
		// Out: each packet sealed under the next sequence number of its SA.
		var supers []superPacket
		var in [][]byte
		size := 0
		for range 1 + r.IntN(40) {
			p, ps := s.next()
			if size += len(p.bytes()); size > octets && len(supers) > 0 {
				break
			}
			supers = append(supers, p)
			in = append(in, ps...)
		}
		wire := ends.out(supers, len(in))
		if len(wire) != len(in) {
			t.Fatalf("%d packets on the wire, %d went in; drops %v", len(wire), len(in), dropsOf(a))
		}
		checkSealed(t, wire, in)

		// In: what the wire makes of it.
		msgs, want := runs(r, faultyWire(r, wire, in))
		var out [][]byte
		for _, w := range ends.in(msgs, len(want)) {
			ps := referenceSegments(w.data, w.vnet)
			if len(ps) != w.segments {
				t.Fatalf("a super-packet of %d counts as %d", len(ps), w.segments)
			}
			if w.segments > 1 {
				merged++
				checkMerged(t, w)
			}
			out = append(out, ps...)
		}
		expect, got := byFlow(t, want), byFlow(t, out)
		for k, ps := range expect {
			if len(got[k]) != len(ps) {
				t.Errorf("flow %s: %d packets came out, want %d; drops %v", k, len(got[k]), len(ps), dropsOf(b))
				continue
			}
			for i := range ps {
				if !bytes.Equal(got[k][i], ps[i]) {
					t.Errorf("flow %s, packet %d of %d:\n% x\n% x", k, i, len(ps), got[k][i][:min(90, len(got[k][i]))], ps[i][:min(90, len(ps[i]))])
					break
				}
			}
		}
		for k := range got {
			if expect[k] == nil {
				t.Errorf("flow %s came out and did not go in", k)
			}
		}
	}
	if d := dropsOf(a); len(d) != 0 {
		t.Errorf("drops on the way out: %v", d)
	}
	return merged
}

// checkSealed opens what is on the wire, one packet at a time, with SAs of its own.
func checkSealed(t *testing.T, wire, want [][]byte) {
	t.Helper()
	open := make(map[uint32]*esp.Inbound)
	for i, w := range wire {
		spi := be.Uint32(w)
		in := open[spi]
		if in == nil {
			encr, integ := keys(t, gcm128(), fmt.Sprintf("%08x", spi))
			var err error
			if in, err = esp.NewInbound(esp.InboundConfig{SPI: spi, Suite: gcm128(), EncrKey: encr, IntegKey: integ}); err != nil {
				t.Fatal(err)
			}
			open[spi] = in
		}
		p, next, _, err := in.Open(new(esp.Scratch), bytes.Clone(w))
		if err == nil {
			p, err = esp.TrimInner(p, next)
		}
		if err != nil || !bytes.Equal(p, want[i]) {
			t.Fatalf("packet %d on the wire: %v\n% x\n% x", i, err, p[:min(len(p), 80)], want[i][:min(len(want[i]), 80)])
		}
	}
}

// checkMerged looks at the super-packet as the kernel does.
func checkMerged(t *testing.T, w written) {
	t.Helper()
	var h innerHeader
	v := w.vnet
	if !h.parse(w.data) || h.length != len(w.data) || v.Flags != tun.VNetNeedsCsum || int(v.CsumStart) != h.l4 ||
		int(v.HdrLen) <= h.l4 || v.GSOSize == 0 {
		t.Errorf("super-packet %+v of %d octets", v, len(w.data))
		return
	}
	at := h.l4 + int(v.CsumOffset)
	if be.Uint16(w.data[at:]) != fold(pseudoHeader(w.data, h.v6, h.protocol, len(w.data)-h.l4)) {
		t.Error("the checksum field is not the pseudo-header's sum")
	}
	if !h.v6 && slowChecksum(w.data[:h.l4]) != 0 {
		t.Error("IPv4 checksum")
	}
}

// TestMergeInterleaved: several flows in one receive buffer, which takes lane buffers.
func TestMergeInterleaved(t *testing.T) {
	for flows := 1; flows <= maxLanes+3; flows++ {
		o := fastEnds
		a, b := labPair(t, o, pair(t, ts4Local, ts4Remote), gcm128())
		var in [][]byte
		for i := range 30 {
			for f := range flows {
				in = append(in, tcpSpec{sport: uint16(f), dport: 2, seq: uint32(i * 100), flags: tcpACK}.build(v4, fill(100, byte(i))))
			}
		}
		// One message after the other, each a run of at most 64.
		written := b.in(labA, a.out(in...)...)
		want := flows
		if flows > maxLanes {
			want = maxLanes + 30*(flows-maxLanes)
		}
		if len(written) > want+2*flows {
			t.Errorf("%d flows of 30 packets: %d writes", flows, len(written))
		}
		got := make(map[string][][]byte)
		for _, w := range written {
			for _, p := range referenceSegments(w.data, w.vnet) {
				k, p := flowOf(t, p)
				got[k] = append(got[k], p)
			}
		}
		for i, p := range in {
			k, p := flowOf(t, p)
			if !bytes.Equal(got[k][i/flows], p) {
				t.Fatalf("%d flows: packet %d differs", flows, i)
			}
		}
	}
}

// TestMergeKeepsFragmentsInOrder: a fragment shows no ports, and may belong to a flow that is being merged.
func TestMergeKeepsFragmentsInOrder(t *testing.T) {
	a, b := labPair(t, fastEnds, pair(t, ts4Local, ts4Remote), gcm128())
	p := func(i int) []byte {
		return tcpSpec{sport: 1, dport: 2, seq: uint32(i * 100), flags: tcpACK}.build(v4, fill(100, byte(i)))
	}
	frag := ipSpec{src: v4.src, dst: v4.dst, frag: 3}.build(protoTCP, fill(100, 9))
	var order []string
	for _, w := range b.in(labA, a.out(p(0), p(1), frag, p(2), p(3))...) {
		order = append(order, fmt.Sprint(w.segments))
	}
	if !slices.Equal(order, []string{"2", "1", "2"}) {
		t.Errorf("runs of %v packets", order)
	}
}

// TestMergeSwitches: each kind only where the device takes it.
func TestMergeSwitches(t *testing.T) {
	tcp := func(i int) []byte {
		return tcpSpec{sport: 1, dport: 2, seq: uint32(i * 100), flags: tcpACK}.build(v4, fill(100, byte(i)))
	}
	udp := udpPacket(v4, 1, 2, fill(100, 1))
	for _, c := range []struct {
		m    mergeSet
		want int
	}{{mergeSet{}, 4}, {mergeSet{tcp: true}, 3}, {mergeSet{udp: true}, 3}, {mergeSet{true, true}, 2}} {
		o := fastEnds
		o.merges = c.m
		a, b := labPair(t, o, pair(t, ts4Local, ts4Remote), gcm128())
		if got := b.in(labA, a.out(tcp(0), tcp(1), udp, udp)...); len(got) != c.want {
			t.Errorf("%+v: %d writes, want %d", c.m, len(got), c.want)
		}
	}
	// A wrong checksum is not made right; with trust it is not looked at.
	for _, trust := range []bool{false, true} {
		o := fastEnds
		o.config.TrustInnerChecksums = trust
		a, b := labPair(t, o, pair(t, ts4Local, ts4Remote), gcm128())
		bad := tcp(1)
		bad[60] ^= 1
		got := b.in(labA, a.out(tcp(0), bad, tcp(2))...)
		if want := map[bool]int{false: 3, true: 1}[trust]; len(got) != want {
			t.Errorf("trust %v: %d writes, want %d", trust, len(got), want)
		}
	}
}
