package dataplane

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

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
