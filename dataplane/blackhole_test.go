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
	ms     int64
	laters int64
}

func newHoleRig(t *testing.T, mtu int) *holeRig {
	o := plainEnds
	o.config.BlackHoles = true
	return &holeRig{lab: narrow(t, o, mtu, ts4Local, ts4Remote)}
}

// send sends segment n of the connection with source port flow, so many milliseconds after the one before.
func (r *holeRig) send(after int64, flow uint16, n int, size int) {
	r.sendAt(after, flow, uint32(n*size), size)
}

func (r *holeRig) sendAt(after int64, flow uint16, seq uint32, size int) {
	r.ms += after
	w := r.e.outLoops[0]
	w.begin()
	w.now = r.at()
	s := super(tcpSpec{sport: flow, dport: 2, seq: seq, flags: tcpACK}.build(v4, fill(size, 1)), tun.VNetHdr{})
	w.packet(&s, false)
	w.sendBatch()
	r.sockets.take()
}

// acked has the other host acknowledge what comes before seq.
func (r *holeRig) acked(flow uint16, seq uint32) {
	list := r.e.watches.Load()
	if list == nil {
		r.t.Fatal("no acknowledgement is waited for")
	}
	var h innerHeader
	b := tcpSpec{sport: 2, dport: flow, ack: seq, flags: tcpACK}.build(ipSpec{src: v4.dst, dst: v4.src}, nil)
	if !h.parse(b) {
		r.t.Fatal("parse")
	}
	for _, x := range *list {
		x.acknowledged(b, &h)
	}
}

// later lets the searches look again after their steps had their time.
func (r *holeRig) later() {
	r.laters++
	r.settle()
	r.dev.written = nil
	r.e.searchHoles(r.e.clock.now() + r.laters*int64(holeWaitMost))
}

// told is the MTU that the last ICMP error told the sender of a segment.
func (r *holeRig) told() int {
	r.settle()
	if len(r.dev.written) == 0 {
		return 0
	}
	p := r.dev.written[len(r.dev.written)-1].data
	r.dev.written = nil
	wantSound(r.t, p)
	return int(be.Uint16(p[26:]))
}

// stall has a connection send a segment again and again.
func (r *holeRig) stall(flow uint16) {
	for _, wait := range []int64{200, 400, 800} {
		r.send(wait, flow, 0, 1300)
	}
}

func (r *holeRig) at() int64 { return int64(time.Hour) + r.ms*int64(time.Millisecond) }

// news is what the loop has found out; the MTU follows it.
func (r *holeRig) news() *mtuEvent {
	news, _ := r.e.mtuNews.take()
	if len(news) == 0 {
		return nil
	}
	r.e.updateMTU(news[0])
	return &news[0]
}

func (r *holeRig) mtu() int { return int(r.e.children[childA].out.route.Load().mtu.Load()) }

// fillWindow sends new data until nothing is acknowledged any more.
func (r *holeRig) fillWindow(flow uint16, segments int) {
	for i := range segments {
		r.send(0, flow, i, 1300)
	}
}

// TestBlackHole: a segment that is sent again after ever longer pauses has the gateway look for the MTU that gets it through,
// step by step and without waiting for the connection; after some time the system's is tried again.
func TestBlackHole(t *testing.T) {
	for acked, want := range []int{1400, 1280, MinPathMTU} {
		r := newHoleRig(t, 1500)
		r.hear()
		r.fillWindow(1, 40)
		if n := r.news(); n != nil {
			t.Fatalf("%+v without a repetition", n)
		}
		r.stall(1)
		if n := r.news(); n == nil || n.hole.mtu != 1500 || n.hole.pause != 800*time.Millisecond {
			t.Fatalf("news: %+v", n)
		}
		for step, mtu := range []int{1400, 1280, MinPathMTU}[:acked+1] {
			if r.mtu() != mtu {
				t.Fatalf("step %d: MTU %d", step, r.mtu())
			}
			if told, inner := r.told(), int(r.e.children[childA].inner.Load()); told != inner {
				t.Errorf("step %d: the sender was told %d, want %d", step, told, inner)
			}
			r.stall(1) // the connection goes on trying, which begins no other search
			r.news()
			r.acked(7, 1<<20) // another connection
			r.acked(1, 0)     // what was there before
			if step == acked {
				r.acked(1, 600)
			}
			r.later()
		}
		if r.mtu() != want || len(r.e.searches) != 0 || r.e.watches.Load() != nil || r.told() != 0 {
			t.Errorf("MTU %d, want %d; searches: %v", r.mtu(), want, r.e.searches)
		}
		// Neither the system nor a new SA makes it forget.
		r.e.updateMTU(mtuEvent{})
		if rt, err := r.e.route(r.e.children[childA].out.route.Load().path); err != nil || int(rt.mtu.Load()) != want || r.mtu() != want {
			t.Errorf("a new route has MTU %d, the old one %d: %v", rt.mtu.Load(), r.mtu(), err)
		}
		// When the time has come the system's is tried again, and then the hole is forgotten or found again.
		h := r.e.holes[labB.Addr()]
		h.until = r.e.clock.now()
		r.e.holes[labB.Addr()] = h
		if r.e.fillHoles(); r.mtu() != 1500 {
			t.Errorf("MTU %d after the hold time", r.mtu())
		}
		r.ms += holeStale.Milliseconds()
		r.stall(1)
		r.news()
		r.acked(1, 600)
		r.later()
		if h := r.e.holes[labB.Addr()]; h.hold != 2*holeHold || r.mtu() != 1400 {
			t.Errorf("found again: %+v, MTU %d", h, r.mtu())
		}
		h = r.e.holes[labB.Addr()]
		h.until = r.e.clock.now() - int64(h.hold)
		r.e.holes[labB.Addr()] = h
		if r.e.fillHoles(); len(r.e.holes) != 0 {
			t.Errorf("holes: %v", r.e.holes)
		}
	}
}

// hear has packets come in from the peer.
func (r *holeRig) hear() {
	ch := r.e.children[childA]
	if ch.in == nil {
		ch.in = &inboundSA{child: ch, cells: make([]counterCell, 1)}
		ch.in.route.Store(ch.out.route.Load())
	}
	ch.in.cells[0].add(1, 100, r.e.clock.now())
}

// TestOutage: a path that was down for some seconds, and came back during the search, is not slow for ten minutes. Only when
// it is found again and again the MTU stays low for longer.
func TestOutage(t *testing.T) {
	r := newHoleRig(t, 1500)
	r.fillWindow(1, 40)
	for _, want := range []time.Duration{holeTrial, 2 * holeTrial, 4 * holeTrial} {
		r.ms += holeStale.Milliseconds()
		r.stall(1)
		r.news()
		r.later()
		r.later() // nothing gets through, whatever its size
		if r.mtu() != MinPathMTU {
			t.Fatalf("MTU %d", r.mtu())
		}
		r.acked(1, 600)
		r.later()
		h := r.e.holes[labB.Addr()]
		if h.hold != want || h.mtu != MinPathMTU {
			t.Errorf("hold %v, want %v; MTU %d", h.hold, want, h.mtu)
		}
		h.until = r.e.clock.now()
		r.e.holes[labB.Addr()] = h
		if r.e.fillHoles(); r.mtu() != 1500 || len(r.e.holes) != 1 {
			t.Errorf("MTU %d after the hold time, holes %v", r.mtu(), r.e.holes)
		}
	}
	// The peer is heard while large packets vanish: that is no outage.
	r.ms += holeStale.Milliseconds()
	r.hear()
	r.stall(1)
	r.news()
	r.acked(1, 600)
	r.later()
	if h := r.e.holes[labB.Addr()]; h.hold != holeHold || h.mtu != 1400 {
		t.Errorf("hold %v, MTU %d", h.hold, h.mtu)
	}
	h := r.e.holes[labB.Addr()]
	h.until = r.e.clock.now() - int64(holeHold)
	r.e.holes[labB.Addr()] = h
	if r.e.fillHoles(); len(r.e.holes) != 0 {
		t.Errorf("holes: %v", r.e.holes)
	}
}

// TestAnotherTunnelGoesOn: while large packets of another tunnel get through to the same peer, a connection that hangs is no reason
// to lower the MTU of the path.
func TestAnotherTunnelGoesOn(t *testing.T) {
	r := newHoleRig(t, 1500)
	encr, integ := keys(t, gcm128(), "x")
	if err := r.e.InstallOutbound(childA+1, policyA+1, childA+1, esp.OutboundConfig{SPI: 4097, Suite: gcm128(), EncrKey: encr, IntegKey: integ},
		pair(t, ts4Local, "10.9.0.0/16"), esp.Path{Local: labA, Remote: labB, UDP: true}); err != nil {
		t.Fatal(err)
	}
	r.fillWindow(1, 40)
	r.stall(1)
	r.e.children[childA+1].out.progress.Store(r.e.clock.now())
	if n := r.news(); n == nil || r.mtu() != 1500 || len(r.e.searches) != 0 {
		t.Errorf("news %+v, MTU %d", n, r.mtu())
	}
	r.e.children[childA+1].out.progress.Store(r.e.clock.now() - int64(time.Second))
	r.stall(1)
	if n := r.news(); n == nil || r.mtu() != 1400 {
		t.Errorf("news %+v, MTU %d", n, r.mtu())
	}
}

// TestBlackHoleOfLongDelay: where the round trip takes long two repetitions are enough.
func TestBlackHoleOfLongDelay(t *testing.T) {
	r := newHoleRig(t, 1500)
	r.fillWindow(1, 40)
	r.send(900, 1, 0, 1300)
	if n := r.news(); n != nil {
		t.Errorf("%+v after one repetition", n)
	}
	r.send(1800, 1, 0, 1300)
	if n := r.news(); n == nil || r.mtu() != 1400 {
		t.Errorf("news: %+v, MTU %d", n, r.mtu())
	}
}

// TestHangsBehindASegmentThatArrived: a segment was sent again and has arrived. When one behind it hangs soon after, the search
// begins as quickly as it does otherwise: it does not wait until the first one is forgotten.
func TestHangsBehindASegmentThatArrived(t *testing.T) {
	for name, c := range map[string]struct {
		hangs []int // the segments that are sent again, in order
		waits []int64
	}{
		"it alone":                     {[]int{1, 1, 1}, []int64{200, 400, 800}},
		"it alone, after long pauses":  {[]int{3, 3}, []int64{900, 1800}},
		"with one behind it":           {[]int{1, 2, 1, 2, 1}, []int64{200, 10, 400, 10, 800}},
		"after another that arrived":   {[]int{1, 3, 3, 3, 3}, []int64{200, 10, 400, 800, 1600}},
		"after the first, once more":   {[]int{0, 1, 1, 1}, []int64{400, 200, 400, 800}},
		"and the first was not it":     {[]int{1, 0, 0}, []int64{10, 400, 800}},
		"the first alone, others once": {[]int{4, 0, 5, 0}, []int64{10, 400, 10, 800}},
	} {
		r := newHoleRig(t, 1500)
		r.fillWindow(1, 10)
		r.send(200, 1, 0, 1300)
		for i, n := range c.hangs {
			if n := r.news(); n != nil {
				t.Errorf("%s: %+v before repetition %d", name, n, i)
			}
			r.send(c.waits[i], 1, n, 1300)
		}
		last := c.hangs[len(c.hangs)-1]
		n := r.news()
		if n == nil || n.hole.seq != uint32(last*1300) || n.hole.pause != time.Duration(c.waits[len(c.waits)-1]+tail(c.hangs, c.waits))*time.Millisecond || r.mtu() != 1400 {
			t.Errorf("%s: news %+v, MTU %d", name, n, r.mtu())
		}
	}
}

// tail is how long after its last repetition but one others were sent again before the last segment was.
func tail(segments []int, waits []int64) (ms int64) {
	last := len(segments) - 1
	for i := last - 1; i >= 0 && segments[i] != segments[last]; i-- {
		ms += waits[i]
	}
	return ms
}

// TestNothingGetsThrough: when packets of no size get through the path is down, and the MTU is what it was.
func TestNothingGetsThrough(t *testing.T) {
	r := newHoleRig(t, 1500)
	r.fillWindow(1, 40)
	r.stall(1)
	r.news()
	for range 3 {
		if r.mtu() == 1500 {
			t.Fatal("no step was taken")
		}
		r.later()
	}
	if r.mtu() != 1500 || len(r.e.holes)+len(r.e.searches) != 0 {
		t.Errorf("MTU %d; holes %v", r.mtu(), r.e.holes)
	}
	r.stall(1)
	if r.news(); r.mtu() != 1500 {
		t.Error("another search follows at once")
	}
	delete(r.e.futile, labB.Addr())
	r.stall(1)
	if r.news(); r.mtu() != 1400 {
		t.Error("no search follows later")
	}
}

// TestSearchesAreBounded: however many paths stall.
func TestSearchesAreBounded(t *testing.T) {
	r := newHoleRig(t, 1500)
	for i := range 2 * maxSearches {
		r.e.updateMTU(mtuEvent{remote: netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), hole: &holeReport{
			mtu: 1500, packet: tcpSpec{sport: 1, dport: 2}.build(v4, nil)}})
	}
	if n := len(*r.e.watches.Load()); n != maxSearches || len(r.e.searches) != maxSearches {
		t.Errorf("%d searches", n)
	}
}

// TestNoBlackHole: what looks like one and isn't.
func TestNoBlackHole(t *testing.T) {
	for name, do := range map[string]func(r *holeRig){
		"sent again at once": func(r *holeRig) {
			for range 20 {
				r.send(20, 1, 0, 1300)
			}
		},
		"other segments": func(r *holeRig) { // a path with much loss
			for i := range 30 {
				r.send(200, 1, i, 1300)
			}
		},
		"new data in between": func(r *holeRig) { // the segment had arrived
			for i := range 20 {
				r.send(200, 1, 0, 1300)
				for n := range 60 {
					r.send(0, 1, 40+60*i+n, 1300)
				}
			}
		},
		"another connection goes on": func(r *holeRig) {
			for i := range 20 {
				r.send(200, 1, 0, 1300)
				for n := range 60 {
					r.send(1, 7, 60*i+n, 1300)
				}
			}
		},
		"small packets": func(r *holeRig) {
			r.fillSmall(9)
			for range 20 {
				r.send(200, 9, 0, 600)
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

func TestHoleSteps(t *testing.T) {
	for _, c := range []struct {
		mtu  int
		v6   bool
		want int
	}{
		{9000, false, 1400}, {1400, false, 1280}, {1280, false, 576}, {576, false, 0}, {1281, true, 1280}, {1280, true, 0},
	} {
		if got := holeStep(c.mtu, c.v6); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}

// TestFloorOfIPv6: a Packet Too Big message with less than what IPv6 links carry is discarded, and nothing lowers the
// MTU below that.
func TestFloorOfIPv6(t *testing.T) {
	l := newLab(t, plainEnds)
	l.sockets.mtu = 1500
	to := netip.MustParseAddrPort("[2001:db8::2]:4500")
	encr, integ := keys(t, gcm128(), "x")
	err := l.e.InstallOutbound(childA, policyA, childA, esp.OutboundConfig{SPI: 4096, Suite: gcm128(), EncrKey: encr, IntegKey: integ},
		pair(t, ts4Local, ts4Remote), esp.Path{Local: netip.MustParseAddrPort("[2001:db8::1]:4500"), Remote: to, UDP: true})
	if err != nil {
		t.Fatal(err)
	}
	rt := l.e.children[childA].out.route.Load()
	for _, c := range []struct{ icmp, system, want int }{{1200, 1500, 1500}, {1, 1500, 1500}, {1300, 1500, 1300}, {1280, 1500, 1280}, {0, 1000, 1280}} {
		l.sockets.mtu = c.system
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
	l.sockets.mtu = 1420
	l.e.mu.Unlock()
	l.e.mtuChanged(netip.Addr{}, 0)
	waitFor(t, "the new MTU", func() bool { return l.e.children[childA].out.route.Load().mtu.Load() == 1420 })
}
