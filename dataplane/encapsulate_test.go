package dataplane

import (
	"testing"

	"esplanade/tun"
)

// TestFit looks at what becomes of packets around the limit of their path.
func TestFit(t *testing.T) {
	for _, c := range []struct {
		v6, df, portless bool
		longest, limit   int
		want             fitting
	}{
		{longest: 1400, limit: 1400, df: true, want: whole},
		{longest: 1401, limit: 1400, df: true, want: refuse},
		{longest: 1401, limit: 1400, df: true, portless: true, want: refuse},
		{longest: 1401, limit: 1400, portless: true, want: split},
		{longest: 1401, limit: 1400, want: whole}, // in fragments of the outer packet
		// IPv6 has no fragments on the way, but 1280 octets always fit.
		{v6: true, df: true, portless: true, longest: 1281, limit: 1200, want: refuse},
		{v6: true, df: true, portless: true, longest: 1280, limit: 1200, want: whole},
	} {
		if got := fit(&innerHeader{v6: c.v6, df: c.df}, c.longest, c.limit, c.portless); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

// TestCountersAreExact: of a super-packet with a segment that no datagram can hold and a short one, only the short one is
// sent and counted, with its own length.
func TestCountersAreExact(t *testing.T) {
	l := narrow(t, plainEnds, 600, "10.1.0.0/16[udp]", "10.2.0.0/16[udp/2]")
	const size, last = 65460, 40
	p := udpPacket(ipSpec{src: v4.src, dst: v4.dst}, 1, 2, fill(size+last, 1))
	v := tun.VNetHdr{Flags: tun.VNetNeedsCsum, GSOType: tun.GSOUDPL4, GSOSize: size, CsumStart: 20, CsumOffset: 6}
	if s := l.outSuper(super(p, v)); len(s) != 1 {
		t.Fatalf("%d messages; drops %v", len(s), dropsOf(l.e))
	}
	l.wantDrops("[out too_big:1]")
	c, _ := l.e.Counters(childA)
	if c.OutPackets != 1 || c.OutBytes != 28+last {
		t.Errorf("%d packets of %d octets are counted, want 1 of %d", c.OutPackets, c.OutBytes, 28+last)
	}
	// What sends nothing is no sign of life.
	l = narrow(t, plainEnds, 600, "10.1.0.0/16[udp]", "10.2.0.0/16[udp/2]")
	l.out(udpPacket(ipSpec{src: v4.src, dst: v4.dst}, 1, 2, fill(size, 1)))
	if c, _ := l.e.Counters(childA); c.OutPackets != 0 || !c.LastOut.IsZero() {
		t.Errorf("counters after nothing was sent: %+v", c)
	}
}

// TestUnknownMode: an SA whose mode the packet loop does not know carries nothing, in either direction.
func TestUnknownMode(t *testing.T) {
	a, b := labPair(t, plainEnds, pair(t, ts4Local, ts4Remote), gcm128())
	p := udpPacket(v4, 1, 2, fill(10, 1))
	sealed := a.out(p)
	a.e.children[childA].out.mode = 99
	if s := a.out(p); len(s) != 0 {
		t.Errorf("sent: %v", s)
	}
	a.wantDrops("[out seal:1]")
	b.e.children[childA].in.mode = 99
	if got := b.in(labA, sealed...); len(got) != 0 {
		t.Errorf("came in: %v", got)
	}
	b.wantDrops("[in next_header:1]")
}
