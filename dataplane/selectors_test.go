package dataplane

import "testing"

// The selectors of an installed child become others, in both directions and in the middle of its traffic: what was allowed is not
// any more, also for flows that were looked up before, and sequence numbers and counters go on.
func TestUpdateSelectors(t *testing.T) {
	before := pair(t, "10.1.0.5/32", "10.2.0.0/16")
	a, b := labPair(t, plainEnds, before, gcm128())
	from := func(src string) []byte {
		return udpPacket(ipSpec{src: src, dst: "10.2.0.9"}, 1, 2, fill(10, 1))
	}
	old, fresh := from("10.1.0.5"), from("10.1.0.6")
	if got := b.in(labA, a.out(old)...); len(got) != 1 {
		t.Fatalf("%d packets came in; drops %v %v", len(got), dropsOf(a.e), dropsOf(b.e))
	}
	late := a.out(old)
	after := pair(t, "10.1.0.6/32", "10.2.0.0/16")
	a.e.UpdateSelectors(childA, after)
	b.e.UpdateSelectors(childA, after.Swap())
	if s := a.out(old); len(s) != 0 {
		t.Errorf("%d messages for the old selectors", len(s))
	}
	if got := b.in(labA, a.out(fresh)...); len(got) != 1 {
		t.Errorf("%d packets came in; drops %v %v", len(got), dropsOf(a.e), dropsOf(b.e))
	}
	a.wantDrops("[out no_policy:1]")
	b.in(labA, late...)
	b.wantDrops("[in selectors:1]")
	if c, _ := a.e.Counters(childA); c.OutPackets != 3 {
		t.Errorf("%d packets counted", c.OutPackets)
	}
	// Once removed, nothing of either is left.
	a.e.RemoveOutbound(childA)
	if s := a.out(old, fresh); len(s) != 0 {
		t.Errorf("%d messages without an SA", len(s))
	}
	a.e.UpdateSelectors(childA, before)
	a.e.UpdateSelectors(99, before)
}
