package dataplane

import (
	"testing"

	"esplanade/tun"
)

// What goes through an SA in the batch during which it is removed is counted: the packets that one gateway seals are those
// that the other opens, also across a rekeying.
func TestCountsOfTheLastBatch(t *testing.T) {
	a, b := labPair(t, plainEnds, pair(t, ts4Local, ts4Remote), gcm128())
	packet := udpPacket(v4, 1, 2, fill(10, 1))
	msgs := a.out(packet)
	out := a.e.outLoops[0]
	out.begin()
	a.e.RemoveOutbound(childA)
	s := super(packet, tun.VNetHdr{})
	out.packet(&s, false)
	out.sendBatch()
	if c, ok := a.e.Counters(childA); !ok || c.OutPackets != 2 || c.OutBytes != 2*uint64(len(packet)) {
		t.Errorf("sealed: %+v, %v", c, ok)
	}
	msgs = append(msgs, a.taken()...)

	in := b.e.inLoops[0]
	in.begin()
	for _, m := range msgs {
		buf := make([]byte, packetSlot)
		n := copy(buf[headroom:], m.data)
		in.each(&datagrams{buf: buf, start: headroom, end: headroom + n, local: labB, remote: labA, kind: SocketNATT})
	}
	b.e.RemoveInbound(childA)
	if err := in.end(); err != nil {
		t.Fatal(err)
	}
	if c, ok := b.e.Counters(childA); !ok || c.InPackets != 2 || c.InBytes != 2*uint64(len(packet)) {
		t.Errorf("opened: %+v, %v", c, ok)
	}
	a.wantDrops("[]")
	b.wantDrops("[]")
}
