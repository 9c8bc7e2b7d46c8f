package dataplane

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"esplanade/tun"
)

// carrier takes packets of some children through two engines that have many: the way of BenchmarkThrough.
type carrier struct {
	b        *testing.B
	from, to *lab
	relay    *relay
	template superPacket
	to4      [][4]byte // where packets go in turn
	sums     []uint16  // and the checksums of their headers
	batch    []superPacket
	next     int
}

// newCarrier installs children, of which some are active: they are all over the tables.
func newCarrier(b *testing.B, installed, active, size int) *carrier {
	b.Helper()
	c := &carrier{b: b, batch: make([]superPacket, benchBatch)}
	c.from, c.to, c.relay = benchLabs(b, installed)
	for i := range c.batch {
		c.batch[i].buf = make([]byte, packetSlot)
	}
	const stride = 7919 // a prime: each child once
	for i := range active {
		addr := benchNet(i * stride % installed)
		p := udpPacket(ipSpec{src: v4.src, dst: addr.String()}, 1, 2, fill(size-ipv4MinHeader-udpHeader, 1))
		c.to4, c.sums = append(c.to4, addr.As4()), append(c.sums, be.Uint16(p[10:]))
		be.PutUint16(p[ipv4MinHeader+6:], 0) // no UDP checksum, which is of the address too
		if i == 0 {
			c.template = super(p, tun.VNetHdr{})
		}
	}
	return c
}

// round carries a batch.
func (c *carrier) round() {
	out, in := c.from.e.outLoops[0], c.to.e.inLoops[0]
	c.relay.msgs = c.relay.msgs[:0]
	out.begin()
	for i := range c.batch {
		buf := c.batch[i].buf
		c.batch[i] = c.template
		c.batch[i].buf = buf
		p := buf[c.template.start:c.template.end]
		copy(p, c.template.bytes())
		*(*[4]byte)(p[16:]) = c.to4[c.next]
		be.PutUint16(p[10:], c.sums[c.next])
		if c.next++; c.next == len(c.to4) {
			c.next = 0
		}
		out.packet(&c.batch[i], false)
	}
	out.sendBatch()
	in.begin()
	for i := range c.relay.msgs {
		in.each(&c.relay.msgs[i])
	}
	if err := in.end(); err != nil {
		c.b.Fatal(err)
	}
}

// nanoseconds is what a packet takes, over some batches after a few that don't count.
func (c *carrier) nanoseconds(warm, rounds int) float64 {
	for range warm {
		c.round()
	}
	start := time.Now()
	for range rounds {
		c.round()
	}
	return float64(time.Since(start)) / float64(rounds*benchBatch)
}

// BenchmarkInstalled compares what a packet costs with few and with 10,000 SAs installed, in one process and in turn. An
// operation is a round of all cases; what they take is in metrics: nanoseconds for a packet at least and by median, and by
// median and quartiles the ratio to the case beside it in the same round. `go run ./bench sas` makes a table of it.
func BenchmarkInstalled(b *testing.B) {
	const (
		many   = 10000
		warm   = 24
		rounds = 200
	)
	for _, size := range []int{64, 1400} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			cases := []struct{ active, installed, beside int }{{1, 1, 0}, {1, many, 0}, {100, 100, 2}, {100, many, 2}, {many, many, 2}}
			var carriers []*carrier
			for _, c := range cases {
				x := newCarrier(b, c.installed, c.active, size)
				x.nanoseconds(0, (c.active+benchBatch-1)/benchBatch) // each child's first packet is reported to the handler
				carriers = append(carriers, x)
			}
			took := make([][]float64, len(cases))
			b.ResetTimer()
			for i := range b.N {
				// Nobody always follows the same.
				for k := range cases {
					k = (k + i) % len(cases)
					took[k] = append(took[k], carriers[k].nanoseconds(warm, rounds))
				}
			}
			b.StopTimer()
			for k, c := range cases {
				name := fmt.Sprintf("%d/%d", c.active, c.installed)
				ratios := make([]float64, b.N)
				for i := range ratios {
					ratios[i] = took[k][i] / took[c.beside][i]
				}
				slices.Sort(took[k])
				slices.Sort(ratios)
				b.ReportMetric(took[k][0], name+":least-ns")
				b.ReportMetric(took[k][b.N/2], name+":median-ns")
				b.ReportMetric(ratios[b.N/4], name+":ratio-q1")
				b.ReportMetric(ratios[b.N/2], name+":ratio-median")
				b.ReportMetric(ratios[b.N*3/4], name+":ratio-q3")
				x := carriers[k]
				for end, e := range map[string]*Engine{"from": x.from.e, "to": x.to.e} {
					if d := dropsOf(e); len(d) > 0 {
						b.Errorf("%s, %s: dropped %v", name, end, d)
					}
				}
			}
		})
	}
}
