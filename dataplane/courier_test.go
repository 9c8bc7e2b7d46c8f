package dataplane

import (
	"strconv"
	"testing"
)

// TestErrandsAreBounded: what the courier has to carry is bounded in octets, and what is too much is dropped and counted.
func TestErrandsAreBounded(t *testing.T) {
	l := newLab(t, plainEnds)
	const size = 1 << 20
	one := func() errand {
		return errand{kind: errandFailed, packets: []superPacket{{buf: make([]byte, size), start: headroom, end: headroom + 100, segments: 3}}}
	}
	const fit = maxErrandOctets / size
	for range fit + 2 {
		l.e.courier.hand(one())
	}
	if n := l.e.drops[len(l.e.outLoops)].n[DropOutWaitFull].Load(); n != 2*3 {
		t.Errorf("%d packets are dropped, want 6", n)
	}
	l.settle()
	if c := l.e.courier; len(c.errands) != 0 || c.octets != 0 {
		t.Errorf("%d errands of %d octets are left", len(c.errands), c.octets)
	}
	l.wantDrops("[out wait_failed:" + strconv.Itoa(fit*3) + " out wait_full:6]")
	// One alone may be larger.
	big := errand{kind: errandFailed, packets: []superPacket{{buf: make([]byte, maxErrandOctets+1), start: headroom, end: headroom + 100, segments: 1}}}
	l.e.courier.hand(big)
	if len(l.e.courier.errands) != 1 {
		t.Error("an errand alone is not taken")
	}
}
