package dataplane

import (
	"net/netip"
	"testing"
)

// ESP with an SPI that nobody has is reported once in a while for each source, however much there is of it and wherever it says it
// comes from.
func TestUnknownSPIs(t *testing.T) {
	l := newLab(t, plainEnds)
	esp := func(spi uint32) sent {
		b := fill(40, 1)
		be.PutUint32(b, spi)
		return sent{data: b, n: 1}
	}
	other := netip.MustParseAddrPort("198.51.100.9:1024")
	l.in(labA, esp(0x1000), esp(0x2000), esp(7))
	l.in(other, esp(7))
	l.in(other, esp(0x3000))
	want := []unknownSPI{{labA, 0x1000}, {other, 0x3000}}
	if len(l.rec.unknown) != 2 || l.rec.unknown[0] != want[0] || l.rec.unknown[1] != want[1] {
		t.Errorf("reported: %v, want %v", l.rec.unknown, want)
	}
	for i := range 10000 {
		l.in(netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 4500), esp(0x4000))
	}
	if n := len(l.rec.unknown); n > 4*waywardSlots { // of a few seconds at most, on a slow machine
		t.Errorf("%d reports for 10000 forged sources", n)
	}
	w := wayward{}
	a := netip.MustParseAddr("2001:db8::1")
	for _, c := range []struct {
		at   int64
		want bool
	}{{1, true}, {2, false}, {int64(WaywardInterval), false}, {int64(WaywardInterval) + 1, true}} {
		if got := w.due(a, c.at); got != c.want {
			t.Errorf("at %d: %v", c.at, got)
		}
	}
}
