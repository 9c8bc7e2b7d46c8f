package dataplane

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"esplanade/esp"
	"esplanade/tun"
)

// The fast path (super-packets from the device, runs on the wire, runs merged for the device) against a reference that
// knows packets only: what goes in, cut into packets in the plainest way, is what has to come out, except for what the
// wire has lost, in the same order within each flow.

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
	if testing.Short() || raceEnabled {
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
		p, _, next, _, err := in.Open(new(esp.Scratch), bytes.Clone(w))
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
