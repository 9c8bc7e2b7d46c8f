package dataplane

import (
	"net/netip"
	"testing"
)

// gather takes all news and sorts them by path.
func gather(l *mtuNews) (map[netip.Addr]pathNews, bool) {
	m := map[netip.Addr]pathNews{}
	events, all := l.take()
	for _, n := range events {
		p := m[n.remote]
		switch {
		case n.hole != nil:
			p.hole = n.hole
		case n.mtu == 0:
			p.ask = true
		default:
			p.limit = n.mtu
		}
		m[n.remote] = p
	}
	return m, all
}

// TestMTUNewsAreNotForgotten: while nobody looks, news of each kind and path are kept, and those for which there is no room
// make the engine ask for all paths.
func TestMTUNewsAreNotForgotten(t *testing.T) {
	l := newMTUNews()
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}) }
	hole := &holeReport{}
	for i := range maxMTUNews {
		for _, mtu := range []int{1400, 1300, 0, 1350} {
			l.add(mtuEvent{remote: addr(i), mtu: mtu})
		}
		l.add(mtuEvent{remote: addr(i), hole: hole})
	}
	l.add(mtuEvent{remote: addr(maxMTUNews), hole: hole}) // comes again by itself
	got, all := gather(l)
	if len(got) != maxMTUNews || all {
		t.Fatalf("news of %d paths, want %d; all: %v", len(got), maxMTUNews, all)
	}
	for a, p := range got {
		if p != (pathNews{ask: true, limit: 1300, hole: hole}) {
			t.Errorf("%v: %+v", a, p)
		}
	}
	if got, all := gather(l); len(got) != 0 || all {
		t.Errorf("news that were taken are still there: %v, %v", got, all)
	}

	for i := range maxMTUNews + 1 {
		l.add(mtuEvent{remote: addr(i), mtu: 1400})
	}
	if got, all := gather(l); len(got) != maxMTUNews || !all {
		t.Errorf("news of %d paths, and not all are asked for", len(got))
	}
	l.add(mtuEvent{})
	l.add(mtuEvent{remote: addr(1), mtu: 1400})
	if got, all := gather(l); len(got) != 1 || !all {
		t.Errorf("a change of the system is forgotten: %v, %v", got, all)
	}
	select {
	case <-l.wake:
	default:
		t.Error("nobody was woken")
	}
}
