package dataplane

import (
	"net/netip"
	"testing"
	"time"

	"esplanade/esp"
	"esplanade/tun"
)

// holeRig is a lab whose outbound loop sends segments of one TCP connection at times that the test says.
type holeRig struct {
	*lab
	ms int64
}

func newHoleRig(t *testing.T, mtu int) *holeRig {
	o := plainEnds
	o.config.BlackHoles = true
	return &holeRig{lab: narrow(t, o, mtu, ts4Local, ts4Remote)}
}

// send sends segment n of the connection with source port flow, so many milliseconds after the one before.
func (r *holeRig) send(after int64, flow uint16, n int, size int) {
	r.ms += after
	w := r.e.outLoops[0]
	w.begin()
	w.now = r.at()
	s := super(tcpSpec{sport: flow, dport: 2, seq: uint32(n * size), flags: tcpACK}.build(v4, fill(size, 1)), tun.VNetHdr{})
	w.packet(&s, false)
	w.flush()
	r.wire.take()
}

func (r *holeRig) at() int64 { return int64(time.Hour) + r.ms*int64(time.Millisecond) }

// hear has a packet come in.
func (r *holeRig) hear() { r.e.children[childA].hear(r.at()) }

// news is what the loop has found out; the MTU follows it.
func (r *holeRig) news() *mtuEvent {
	select {
	case n := <-r.e.mtuNews:
		r.e.updateMTU(n)
		return &n
	default:
		return nil
	}
}

func (r *holeRig) mtu() int { return int(r.e.children[childA].out.route.Load().mtu.Load()) }

// fillWindow sends new data until nothing is acknowledged any more.
func (r *holeRig) fillWindow(flow uint16, segments int) {
	for i := range segments {
		r.send(0, flow, i, 1300)
	}
}

// TestBlackHole: a segment that is sent again after ever longer pauses lowers the MTU, in steps; after some time the
// system's is tried again.
func TestBlackHole(t *testing.T) {
	r := newHoleRig(t, 1500)
	r.fillWindow(1, 40)
	for i, wait := range []int64{200, 400, 800} {
		if n := r.news(); n != nil {
			t.Fatalf("%+v after %d repetitions", n, i)
		}
		r.send(wait, 1, 0, 1300)
		r.hear()
	}
	if n := r.news(); n == nil || n.hole != 1500 || n.deaf {
		t.Fatalf("news: %+v", n)
	}
	if r.mtu() != 1400 {
		t.Fatalf("MTU %d", r.mtu())
	}
	// The connection goes on with smaller segments, which still vanish.
	for _, wait := range []int64{1600, 200, 400} {
		r.send(wait, 1, 0, 1250)
		r.hear()
	}
	if r.news(); r.mtu() != 1280 {
		t.Fatalf("MTU %d", r.mtu())
	}
	for _, wait := range []int64{1600, 200, 400} {
		r.send(wait, 1, 0, 1150)
		r.hear()
	}
	if r.news(); r.mtu() != MinPathMTU {
		t.Fatalf("MTU %d", r.mtu())
	}
	for _, wait := range []int64{1600, 200, 400, 800, 1600, 3200} {
		r.send(wait, 1, 0, 500)
		r.hear()
	}
	if n := r.news(); n != nil {
		t.Errorf("news: %+v, although there is nothing left to try", n)
	}
	// Neither the system nor a new SA makes it forget.
	r.e.updateMTU(mtuEvent{})
	if rt, err := r.e.route(r.e.children[childA].out.route.Load().path); err != nil || rt.mtu.Load() != MinPathMTU || r.mtu() != MinPathMTU {
		t.Errorf("a new route has MTU %d, the old one %d: %v", rt.mtu.Load(), r.mtu(), err)
	}
	// When the time has come the system's is tried again, and then the hole is forgotten or found again.
	h := r.e.holes[labB.Addr()]
	h.until = r.e.clock.now()
	r.e.holes[labB.Addr()] = h
	if r.e.fillHoles(); r.mtu() != 1500 {
		t.Errorf("MTU %d after the hold time", r.mtu())
	}
	r.e.updateMTU(mtuEvent{remote: labB.Addr(), hole: 1500})
	if h := r.e.holes[labB.Addr()]; h.hold != 2*holeHold || r.mtu() != 1400 {
		t.Errorf("found again: %+v, MTU %d", h, r.mtu())
	}
	h.until = r.e.clock.now() - int64(h.hold)
	r.e.holes[labB.Addr()] = h
	if r.e.fillHoles(); len(r.e.holes) != 0 {
		t.Errorf("holes: %v", r.e.holes)
	}
}

// TestNoBlackHole: what looks like one and isn't.
func TestNoBlackHole(t *testing.T) {
	for name, do := range map[string]func(r *holeRig){
		"sent again at once": func(r *holeRig) {
			for range 20 {
				r.send(20, 1, 0, 1300)
				r.hear()
			}
		},
		"other segments": func(r *holeRig) { // a path with much loss
			for i := range 30 {
				r.send(200, 1, i, 1300)
				r.hear()
			}
		},
		"new data in between": func(r *holeRig) { // the segment had arrived
			for i := range 20 {
				r.send(200, 1, 0, 1300)
				r.hear()
				for n := range 60 {
					r.send(0, 1, 40+60*i+n, 1300)
				}
			}
		},
		"another connection goes on": func(r *holeRig) {
			for i := range 20 {
				r.send(200, 1, 0, 1300)
				r.hear()
				for n := range 60 {
					r.send(1, 7, 60*i+n, 1300)
				}
			}
		},
		"small packets": func(r *holeRig) {
			r.fillSmall(9)
			for range 20 {
				r.send(200, 9, 0, 600)
				r.hear()
			}
		},
		"the path is down for a moment": func(r *holeRig) {
			for _, wait := range []int64{200, 400, 800, 1600} {
				r.send(wait, 1, 0, 1300)
			}
		},
	} {
		r := newHoleRig(t, 1500)
		r.fillWindow(1, 40)
		do(r)
		if n := r.news(); n != nil {
			t.Errorf("%s: %+v", name, n)
		}
	}
}

func (r *holeRig) fillSmall(flow uint16) {
	for i := range 40 {
		r.send(0, flow, i, 600)
	}
}

// TestDeafBlackHole: when nothing comes in either, it takes longer, and the last resort is not taken.
func TestDeafBlackHole(t *testing.T) {
	r := newHoleRig(t, 1500)
	r.fillWindow(1, 40)
	for range 40 {
		r.send(1000, 1, 0, min(1300, r.mtu()-150)) // as the hosts do that are told
		if n := r.news(); n != nil && !n.deaf {
			t.Errorf("%+v", n)
		}
	}
	if r.mtu() != ipv6MinMTU {
		t.Errorf("MTU %d", r.mtu())
	}
}

func TestHoleSteps(t *testing.T) {
	for _, c := range []struct {
		mtu      int
		v6, deaf bool
		want     int
	}{
		{9000, false, false, 1400}, {1400, false, false, 1280}, {1280, false, false, 576}, {576, false, false, 0},
		{1280, false, true, 0}, {1281, true, false, 1280}, {1280, true, false, 0}, {1500, true, true, 1400},
	} {
		if got := holeStep(c.mtu, c.v6, c.deaf); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// TestFloorOfIPv6: a Packet Too Big message with less than what IPv6 links carry is discarded, and nothing lowers the
// MTU below that.
func TestFloorOfIPv6(t *testing.T) {
	l := newLab(t, plainEnds)
	l.wire.mtu = 1500
	to := netip.MustParseAddrPort("[2001:db8::2]:4500")
	encr, integ := keys(t, gcm128(), "x")
	err := l.e.InstallOutbound(childA, policyA, childA, esp.OutboundConfig{SPI: 4096, Suite: gcm128(), EncrKey: encr, IntegKey: integ},
		pair(t, ts4Local, ts4Remote), esp.Path{Local: netip.MustParseAddrPort("[2001:db8::1]:4500"), Remote: to, UDP: true})
	if err != nil {
		t.Fatal(err)
	}
	rt := l.e.children[childA].out.route.Load()
	for _, c := range []struct{ icmp, system, want int }{{1200, 1500, 1500}, {1, 1500, 1500}, {1300, 1500, 1300}, {1280, 1500, 1280}, {0, 1000, 1280}} {
		l.wire.mtu = c.system
		l.e.updateMTU(mtuEvent{remote: to.Addr(), mtu: c.icmp})
		if got := int(rt.mtu.Load()); got != c.want {
			t.Errorf("%+v: MTU %d", c, got)
		}
	}
}

// TestMTUOfTheSystemIsFollowed: news of interfaces and routes make the engine ask again, not more often than once in
// mtuPause.
func TestMTUOfTheSystemIsFollowed(t *testing.T) {
	l := narrow(t, plainEnds, 1500, ts4Local, ts4Remote)
	ctx := t.Context()
	go l.e.watchMTU(ctx)
	l.e.mu.Lock()
	l.wire.mtu = 1420
	l.e.mu.Unlock()
	l.e.mtuChanged(netip.Addr{}, 0)
	waitFor(t, "the new MTU", func() bool { return l.e.children[childA].out.route.Load().mtu.Load() == 1420 })
}
