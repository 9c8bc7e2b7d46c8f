package news

import (
	"net/netip"
	"slices"
	"sync"
	"testing"

	"esplanade/ike/selector"
)

func woken(b *Box) bool {
	select {
	case <-b.Wake():
		return true
	default:
		return false
	}
}

func packet(dst string) selector.Packet {
	return selector.Packet{Src: netip.MustParseAddr("10.1.0.1"), Dst: netip.MustParseAddr(dst), Protocol: 17}
}

// News of a kind about one CHILD SA or policy replace each other, those of different kinds do not, and all come in the
// order of the first.
func TestNewsCoalesce(t *testing.T) {
	b := NewBox()
	if woken(b) || len(b.Take(nil, 10)) != 0 {
		t.Fatal("a new box has news")
	}
	here, there := netip.MustParseAddrPort("192.0.2.1:4500"), netip.MustParseAddrPort("192.0.2.1:61234")
	b.Exhausting(7)
	b.Acquire(7, packet("10.2.0.1"))
	b.Moved(8, here)
	for range 3 {
		b.Active(7)
		b.Acquire(7, packet("10.2.0.2"))
		b.Moved(8, there)
	}
	want := []Item{
		{Child: 7, Active: true, Exhausting: true},
		{Policy: 7, Packet: packet("10.2.0.1")},
		{Child: 8, Moved: there},
	}
	if !woken(b) {
		t.Error("nobody was woken")
	}
	if got := b.Take(nil, 10); !slices.Equal(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if woken(b) || len(b.Take(nil, 10)) != 0 || len(b.items) != 0 {
		t.Error("what was taken is still there")
	}
	// What comes after an item was taken is new.
	b.Exhausting(7)
	if got := b.Take(nil, 10); len(got) != 1 || got[0] != (Item{Child: 7, Exhausting: true}) || !woken(b) {
		t.Errorf("after it was taken: %+v", got)
	}
}

// What does not fit into a batch wakes the loop again, and nothing comes twice or out of order.
func TestNewsInBatches(t *testing.T) {
	b := NewBox()
	const children, batch = 1000, 64
	for id := range uint64(children) {
		b.Active(id + 1)
	}
	var got []Item
	for rounds := 0; woken(b); rounds++ {
		if rounds > children/batch+1 {
			t.Fatal("woken for ever")
		}
		got = b.Take(got, batch)
	}
	for i, n := range got {
		if n.Child != uint64(i+1) {
			t.Fatalf("item %d is about child %d", i, n.Child)
		}
	}
	if len(got) != children {
		t.Errorf("%d of %d items", len(got), children)
	}
}

// However many packet loops put news in while the event loop takes them, the loop sees the last of each child and sleeps
// only when there is nothing left.
func TestNewsFromManyLoops(t *testing.T) {
	b := NewBox()
	const loops, children, rounds = 4, 50, 200
	var wg sync.WaitGroup
	last := netip.AddrPortFrom(netip.IPv6Loopback(), rounds)
	for l := range uint64(loops) {
		wg.Go(func() {
			for r := range uint16(rounds) {
				for c := range uint64(children) {
					b.Moved(1+l*children+c, netip.AddrPortFrom(netip.IPv6Loopback(), r+1))
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	seen := map[uint64]netip.AddrPort{}
	take := func() {
		for _, n := range b.Take(nil, 16) {
			seen[n.Child] = n.Moved
		}
	}
	for running := true; running; {
		select {
		case <-b.Wake():
			take()
		case <-done:
			running = false
		}
	}
	for woken(b) {
		take()
	}
	for id := uint64(1); id <= loops*children; id++ {
		if seen[id] != last {
			t.Errorf("child %d: the last news are lost, got %v", id, seen[id])
		}
	}
}
