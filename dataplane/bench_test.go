package dataplane

import (
	"fmt"
	"net/netip"
	"testing"

	"esplanade/tun"
)

// relay is a wire that hands each message to the other engine, copied once as a kernel would.
type relay struct {
	memSockets
	slots [][]byte
	msgs  []datagrams
}

func (r *relay) sender(int) sender { return r }

func (r *relay) send(b *txBatch) {
	for i := range b.msgs {
		x := &b.msgs[i]
		if len(r.msgs) == len(r.slots) {
			r.slots = append(r.slots, make([]byte, packetSlot))
		}
		buf := r.slots[len(r.msgs)]
		n := copy(buf[headroom:], b.bytes(x))
		d := datagrams{buf: buf, start: headroom, end: headroom + n, local: labB, remote: labA, kind: SocketNATT}
		if x.n > 1 {
			d.seg = x.seg
		}
		r.msgs = append(r.msgs, d)
	}
}

// benchLabs are two engines with a child for each of some networks, and what leaves the first is in the relay.
func benchLabs(b *testing.B, children int) (from, to *lab, r *relay) {
	b.Helper()
	from, to = newLab(b, fastEnds), newLab(b, fastEnds)
	r = &relay{memSockets: memSockets{limits: fastEnds.gso, mtu: 1500}}
	from.e.outLoops[0].sender = r
	to.dev.discard = true
	for i := range children {
		ts := pair(b, ts4Local, benchNet(i).String()+"/32")
		oneWay(b, from.e, to.e, uint64(i+1), uint64(i+1), ts, gcm128(), labA, labB)
	}
	return from, to, r
}

func benchNet(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 2, byte(i >> 8), byte(i)}) }

// benchTraffic is what is measured: a super-packet of TCP and single packets of UDP.
func benchTraffic() []struct {
	name   string
	packet func(dst string) superPacket
	count  int // packets on the wire
} {
	spec := func(dst string) ipSpec { return ipSpec{src: v4.src, dst: dst} }
	one := func(size int) func(dst string) superPacket {
		return func(dst string) superPacket {
			return super(udpPacket(spec(dst), 1, 2, fill(size-ipv4MinHeader-udpHeader, 1)), tun.VNetHdr{})
		}
	}
	const segment, segments = 1354, 45
	return []struct {
		name   string
		packet func(dst string) superPacket
		count  int
	}{
		{"tso", func(dst string) superPacket {
			p := tcpSpec{sport: 1, dport: 2, flags: tcpACK}.build(spec(dst), fill(segment*segments, 1))
			return super(p, vnetFor(p, segment))
		}, segments},
		{"64", one(64), 1},
		{"1400", one(1400), 1},
	}
}

// benchBatch is how many super-packets are read at a time.
const benchBatch = 8

// BenchmarkOut is the way from the device to the wire, without either: parse, select, segment, checksum, seal. An operation
// is one packet on the wire.
func BenchmarkOut(b *testing.B) { benchWay(b, false) }

// BenchmarkThrough is the way through both engines: BenchmarkOut, a copy for the wire, and then look up, check the window,
// open, verify, merge. An operation is one packet on the wire.
func BenchmarkThrough(b *testing.B) { benchWay(b, true) }

func benchWay(b *testing.B, through bool) {
	for _, traffic := range benchTraffic() {
		for _, children := range []int{1, 100, 10000} {
			b.Run(fmt.Sprintf("%s/sas=%d", traffic.name, children), func(b *testing.B) {
				from, to, r := benchLabs(b, children)
				// The packets go to children all over the table, a stride apart, so that neighbours share no cache line. There
				// are as many of them whatever the number of children, so that only the table differs.
				const stride = 7919
				fresh := make([]superPacket, 512/min(traffic.count, 8))
				for i := range fresh {
					fresh[i] = traffic.packet(benchNet(i * stride % children).String())
				}
				batch := make([]superPacket, benchBatch)
				for i := range batch {
					batch[i].buf = make([]byte, packetSlot)
				}
				out, in := from.e.outLoops[0], to.e.inLoops[0]
				next := 0
				b.SetBytes(int64(fresh[0].end-fresh[0].start) / int64(traffic.count))
				b.ReportAllocs()
				round := func() {
					r.msgs = r.msgs[:0]
					out.begin()
					for i := range batch {
						p := &fresh[next]
						if next++; next == len(fresh) {
							next = 0
						}
						buf := batch[i].buf
						copy(buf[p.start:p.end], p.bytes())
						batch[i] = *p
						batch[i].buf = buf
						out.packet(&batch[i], false)
					}
					out.sendBatch()
					if !through {
						return
					}
					in.begin()
					for i := range r.msgs {
						in.each(&r.msgs[i])
					}
					if err := in.end(); err != nil {
						b.Fatal(err)
					}
				}
				round() // each child's first packet is reported to the handler
				done := 0
				b.ResetTimer()
				for done < b.N {
					round()
					done += benchBatch * traffic.count
				}
				b.StopTimer()
				for name, e := range map[string]*Engine{"from": from.e, "to": to.e} {
					if d := dropsOf(e); len(d) > 0 {
						b.Errorf("%s dropped %v", name, d)
					}
				}
			})
		}
	}
}

// BenchmarkSum is the Internet checksum.
func BenchmarkSum(b *testing.B) {
	for _, n := range []int{20, 64, 1400} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			p := fill(n, 1)
			b.SetBytes(int64(n))
			b.ReportAllocs()
			acc := uint64(0)
			for b.Loop() {
				acc = sum(p, acc&0xffff)
			}
		})
	}
}

// BenchmarkSegment stamps the headers of all packets of a super-packet and sums up their payloads. An operation is a packet.
func BenchmarkSegment(b *testing.B) {
	traffic := benchTraffic()[0]
	fresh := traffic.packet("10.2.0.0")
	s := fresh
	s.buf = make([]byte, packetSlot)
	var h innerHeader
	var g segmenter
	b.SetBytes(int64(fresh.end-fresh.start) / int64(traffic.count))
	b.ReportAllocs()
	for n := 0; n < b.N; n += traffic.count {
		copy(s.buf[s.start:s.end], fresh.bytes())
		if !h.parse(s.bytes()) || !g.begin(&s, &h) {
			b.Fatal("not a super-packet")
		}
		count := 0
		for _, ok := g.next(); ok; _, ok = g.next() {
			count++
		}
		if count != traffic.count {
			b.Fatalf("%d packets instead of %d", count, traffic.count)
		}
	}
}

// BenchmarkCoalesce verifies the checksums of the packets of a run and makes a super-packet of them. An operation is a packet.
func BenchmarkCoalesce(b *testing.B) {
	l := newLab(b, fastEnds)
	l.dev.discard = true
	traffic := benchTraffic()[0]
	s := traffic.packet("10.2.0.0")
	var h innerHeader
	var g segmenter
	if !h.parse(s.bytes()) || !g.begin(&s, &h) {
		b.Fatal("not a super-packet")
	}
	var packets [][]byte
	for p, ok := g.next(); ok; p, ok = g.next() {
		packets = append(packets, append([]byte(nil), p...))
	}
	c := newCoalescer(&l.e.memory, l.dev, fastEnds.merges, false, &dropCounters{})
	buf := make([]byte, packetSlot)
	b.SetBytes(int64(len(packets[0])))
	b.ReportAllocs()
	for n := 0; n < b.N; n += len(packets) {
		// One after the other in one buffer with room between them, as they lie after they were opened in place.
		at := headroom
		for _, p := range packets {
			end := at + copy(buf[at:], p)
			if !h.parse(buf[at:end]) {
				b.Fatal("not a packet")
			}
			c.add(buf, at, end, &h)
			at = end + 48
		}
		if len(c.items) != 1 {
			b.Fatalf("%d super-packets", len(c.items))
		}
		if err := c.flush(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPolicyLookup is the search for the rule of a flow that the cache does not have.
func BenchmarkPolicyLookup(b *testing.B) {
	for _, n := range []int{1, 100, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			from, _, _ := benchLabs(b, n)
			keys := make([]flowKey, n)
			for i := range keys {
				var h innerHeader
				if !h.parse(udpPacket(ipSpec{src: v4.src, dst: benchNet(i * 7919 % n).String()}, 1, 2, nil)) {
					b.Fatal("not a packet")
				}
				keys[i] = h.key
			}
			t := from.e.policies.Load()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if t.lookup(&keys[i]) == nil {
					b.Fatal("no rule")
				}
				if i++; i == n {
					i = 0
				}
			}
		})
	}
}

// BenchmarkSPILookup is the search for the SA of an inbound packet.
func BenchmarkSPILookup(b *testing.B) {
	for _, n := range []int{1, 100, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			_, to, _ := benchLabs(b, n)
			var spis []uint32
			for _, spi := range to.e.spis.used {
				spis = append(spis, spi)
			}
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if to.e.spis.lookup(spis[i]) == nil {
					b.Fatal("no SA")
				}
				if i++; i == len(spis) {
					i = 0
				}
			}
		})
	}
}
