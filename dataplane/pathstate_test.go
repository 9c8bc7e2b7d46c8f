package dataplane

import "testing"

// TestPathState: what is known of a path, and why, as long as it is so.
func TestPathState(t *testing.T) {
	r := newHoleRig(t, 1500)
	state := func() PathState {
		t.Helper()
		s, ok := r.e.PathState(childA)
		if !ok || s.Inner != int(r.e.children[childA].inner.Load()) || s.Since.IsZero() != !(s.BlackHole || s.TooBig) {
			t.Fatalf("%+v, %v", s, ok)
		}
		return s
	}
	want := func(when string, mtu int, hole, told bool) PathState {
		t.Helper()
		s := state()
		if s.MTU != mtu || s.BlackHole != hole || s.TooBig != told {
			t.Errorf("%s: %+v; want MTU %d, black hole %v, told %v", when, s, mtu, hole, told)
		}
		return s
	}
	want("at the beginning", 1500, false, false)
	if _, ok := r.e.PathState(childA + 1); ok {
		t.Error("there is a path without an SA")
	}

	// A black hole is there from when it is found, not while it is searched for, until a larger MTU is tried.
	r.hear()
	r.fillWindow(1, 10)
	r.stall(1)
	r.news()
	want("during the search", 1400, false, false)
	r.later()
	r.acked(1, 600)
	r.later()
	s := want("after the search", 1280, true, false)
	if s.Was != 1500 {
		t.Errorf("found: %+v", s)
	}
	raise := func() {
		h := r.e.holes[labB.Addr()]
		h.until = r.e.clock.now()
		r.e.holes[labB.Addr()] = h
		r.e.fillHoles()
	}
	raise()
	want("when more is tried", 1500, false, false)
	r.ms += holeStale.Milliseconds()
	r.stall(1)
	r.news()
	r.acked(1, 600)
	r.later()
	if again := want("found again", 1400, true, false); again.Since != s.Since || again.Was != 1500 {
		t.Errorf("found again: %+v, at first %+v", again, s)
	}
	raise()

	// What an ICMP message says holds until the system knows better.
	r.e.updateMTU(mtuEvent{remote: labB.Addr(), mtu: 1450})
	want("told", 1450, false, true)
	r.sockets.mtu = 1450
	r.e.updateMTU(mtuEvent{})
	want("and the system says the same", 1450, false, true)
	r.sockets.mtu = 1420
	r.e.updateMTU(mtuEvent{remote: labB.Addr()})
	want("an interface of this host is narrower", 1420, false, false)
	r.e.updateMTU(mtuEvent{remote: labB.Addr(), mtu: 1420})
	want("told what was asked before", 1420, false, true)
	r.sockets.mtu = 1500
	r.e.updateMTU(mtuEvent{})
	want("the path is wide again", 1500, false, false)
	if len(r.e.told) != 0 {
		t.Errorf("kept: %v", r.e.told)
	}
	r.e.updateMTU(mtuEvent{remote: labB.Addr(), mtu: 1400})
	r.sockets.mtu = 1400
	r.e.fillHoles()
	want("a while later", 1400, false, true)
	r.e.RemoveOutbound(childA)
	if r.e.fillHoles(); len(r.e.told) != 0 {
		t.Errorf("kept of a path that no SA takes: %v", r.e.told)
	}
}
