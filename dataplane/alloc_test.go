package dataplane

import (
	"bytes"
	"testing"

	"esplanade/tun"
)

// TestNoAllocations: neither direction allocates, whatever kind of packet goes through.
func TestNoAllocations(t *testing.T) {
	for _, o := range []labOptions{plainEnds, fastEnds} {
		a, b := labPair(t, o, pair(t, ts4Local, ts4Remote), gcm128())
		a.e.sockets.(*memSockets).discard = true
		b.dev.discard = true
		plain := udpPacket(v4, 1, 2, fill(1000, 1))
		syn := tcpSpec{sport: 1, dport: 2, flags: tcpSYN, options: []byte{2, 4, 0x20, 0}}.build(v4, nil)
		noPolicy := udpPacket(ipSpec{src: "10.7.0.1", dst: "10.8.0.1"}, 1, 2, nil)
		big := tcpSpec{sport: 1, dport: 2, flags: tcpACK}.build(v4, fill(60000, 1))
		noDF := udpPacket(ipSpec{src: v4.src, dst: v4.dst}, 1, 2, fill(4000, 1))
		packets := []superPacket{super(plain, tun.VNetHdr{}), super(syn, tun.VNetHdr{}), super(noPolicy, tun.VNetHdr{}),
			super(big, vnetFor(big, 1300)), super(noDF, tun.VNetHdr{}), super([]byte{1}, tun.VNetHdr{})}
		fresh := make([]superPacket, len(packets))
		bufs := make([][]byte, len(packets))
		for i := range bufs {
			bufs[i] = make([]byte, packetSlot)
		}
		w := a.e.outLoops[0]
		allocs := testing.AllocsPerRun(50, func() {
			w.begin()
			for i := range packets {
				copy(bufs[i], packets[i].buf)
				fresh[i] = packets[i]
				fresh[i].buf = bufs[i]
				w.packet(&fresh[i], false)
			}
			w.sendBatch()
		})
		if allocs != 0 {
			t.Errorf("out: %v allocations", allocs)
		}
		if c, _ := a.e.Counters(childA); c.OutPackets < 50*50 {
			t.Errorf("only %d packets went out", c.OutPackets)
		}

		// Inbound, each run with packets of its own.
		a.e.sockets.(*memSockets).discard = false
		const runs = 20
		var batches [][]datagrams
		for range runs + 2 {
			var batch []datagrams
			for _, m := range a.outSuper(super(plain, tun.VNetHdr{}), super(big, vnetFor(big, 1300)), super(syn, tun.VNetHdr{})) {
				for _, p := range [][]byte{m.data, bytes.Repeat([]byte{9}, 100), {0xff}, {0}} {
					buf := make([]byte, packetSlot)
					n := copy(buf[headroom:], p)
					d := datagrams{buf: buf, start: headroom, end: headroom + n, local: labB, remote: labA, kind: SocketNATT}
					if m.n > 1 && len(p) > 100 {
						d.seg = m.seg
					}
					batch = append(batch, d)
				}
			}
			batches = append(batches, batch)
		}
		in, i := b.e.inLoops[0], 0
		in.begin()
		in.each(&batches[0][0]) // InboundActive is recorded once
		i++
		allocs = testing.AllocsPerRun(runs, func() {
			in.begin()
			for k := range batches[i] {
				in.each(&batches[i][k])
			}
			if err := in.end(); err != nil {
				t.Fatal(err)
			}
			i++
		})
		if allocs != 0 {
			t.Errorf("in: %v allocations", allocs)
		}
		if c, _ := b.e.Counters(childA); c.InPackets < runs*48 {
			t.Errorf("only %d packets came in; drops %v", c.InPackets, dropsOf(b.e))
		}
	}
}
