package dataplane

import (
	"net/netip"
	"testing"
)

// With 10,000 SAs a packet is found its SA in as many steps as with one: nothing is searched through.
func TestLookupStepsDoNotGrow(t *testing.T) {
	const many = 10000
	from, to := newLab(t, fastEnds), newLab(t, fastEnds)
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 2, byte(i >> 8), byte(i)}) }
	for i := range many {
		oneWay(t, from.e, to.e, uint64(i+1), uint64(i+1), pair(t, ts4Local, addr(i).String()+"/32"), gcm128(), labA, labB)
	}
	table := from.e.policies.Load()
	for i := range many {
		var h innerHeader
		if !h.parse(udpPacket(ipSpec{src: v4.src, dst: addr(i).String()}, 1, 2, nil)) {
			t.Fatal("not a packet")
		}
		// Out: the longest prefix has the rules of its own and of those that cover it, and of no other child.
		list, ok := table.table.Lookup(h.key.dst())
		if !ok || len(list.rules) != 1 {
			t.Fatalf("packet to %v: %v, rules to compare: %d", addr(i), ok, len(list.rules))
		}
		r := table.lookup(&h.key)
		if r == nil || r.sa == nil || r.sa.child.id != uint64(i+1) {
			t.Fatalf("packet to %v: rule %+v", addr(i), r)
		}
		// In: the SA is in the one place that its SPI names, whatever else there is.
		spi := r.sa.esp.SPI()
		place := spi & spiIndexMask
		sa := to.e.spis.leaves[place>>spiLeafBits].Load()[place&(spiLeafSize-1)].Load()
		if sa == nil || sa.spi != spi || sa.child.id != uint64(i+1) {
			t.Fatalf("SPI %#x: %+v", spi, sa)
		}
	}
	// What is given out is dense, so that the table is as large as the SAs are many.
	leaves := 0
	for i := range to.e.spis.leaves {
		if to.e.spis.leaves[i].Load() != nil {
			leaves++
		}
	}
	if want := (many + spiLeafSize - 1) / spiLeafSize; leaves != want {
		t.Errorf("%d leaves for %d SAs, want %d", leaves, many, want)
	}
}
