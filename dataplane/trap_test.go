package dataplane

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"esplanade/esp"
	"esplanade/ike/selector"
	"esplanade/tun"
)

func TestTrapDeliversWhatWaits(t *testing.T) {
	ts := pair(t, ts4Local, ts4Remote)
	a, b := newLab(t, fastEnds), newLab(t, plainEnds)
	a.e.SetPolicy(policyA, selector.Policy{Pair: ts})
	first := udpPacket(v4, 1, 2, fill(10, 1))
	big := tcpSpec{sport: 1, dport: 2, flags: tcpACK}.build(v4, fill(5000, 1))
	vnet := tun.VNetHdr{Flags: tun.VNetNeedsCsum, GSOType: tun.GSOTCPv4, GSOSize: 1300, CsumStart: 20, CsumOffset: 16}
	if s := a.outSuper(super(first, tun.VNetHdr{}), super(big, vnet)); len(s) != 0 {
		t.Fatalf("sent without an SA: %v", s)
	}
	a.wantDrops("[]")
	if fmt.Sprint(a.rec.policies) != "[7]" || a.rec.acquires[0].String() != "10.1.0.5:1 > 10.2.0.9:2 udp" {
		t.Errorf("Acquire: %v %v", a.rec.policies, a.rec.acquires)
	}
	connect(t, a.e, b.e, childA, policyA, ts, gcm128(), labA, labB)
	got := b.in(labA, a.taken()...)
	if len(got) != 5 || !bytes.Equal(got[0].data, first) {
		t.Fatalf("%d packets came in; drops %v %v", len(got), dropsOf(a.e), dropsOf(b.e))
	}
	for i, p := range referenceSegments(big, vnet) {
		if !bytes.Equal(got[1+i].data, p) {
			t.Errorf("segment %d is not the same", i)
		}
	}
	// From now on nothing waits.
	if s := a.out(first); len(s) != 1 {
		t.Errorf("%d messages with an SA", len(s))
	}
	// When the SA goes, the trap is still there.
	a.e.RemoveOutbound(childA)
	if s := a.out(first); len(s) != 0 {
		t.Errorf("sent without an SA")
	}
	a.e.FailPending(policyA)
	a.wantDrops("[out wait_failed:1]")
	a.out(first, first)
	a.e.ClearPolicy(policyA)
	a.out(first)
	a.wantDrops("[out no_policy:1 out wait_failed:3]")
	a.e.ClearPolicy(policyA)
	a.e.FailPending(policyA)
}

func TestTrapIsBounded(t *testing.T) {
	o := fastEnds
	o.config.WaitRing = 3
	a := newLab(t, o)
	a.e.SetPolicy(policyA, selector.Policy{Pair: pair(t, ts4Local, ts4Remote)})
	p := udpPacket(v4, 1, 2, fill(10, 1))
	a.out(p, p, p, p, p)
	a.wantDrops("[out wait_full:2]")
	if len(a.rec.policies) != 1 {
		t.Errorf("Acquire was called %d times", len(a.rec.policies))
	}
	// A packet that finds no room asks for the tunnel too, once it is time.
	a.e.entries[policyA].p.trap.acquired.Store(-int64(AcquireInterval))
	a.out(p)
	if len(a.rec.policies) != 2 {
		t.Errorf("Acquire was called %d times", len(a.rec.policies))
	}
	a.e.FailPending(policyA)
	a.wantDrops("[out wait_failed:3 out wait_full:3]")

	o.config.WaitRing = -1
	a = newLab(t, o)
	a.e.SetPolicy(policyA, selector.Policy{Pair: pair(t, ts4Local, ts4Remote)})
	a.out(p)
	a.wantDrops("[out wait_full:1]")
	if len(a.rec.policies) != 1 {
		t.Error("no Acquire without a ring")
	}
}

func TestTrapNarrowedAndReplaced(t *testing.T) {
	a, b := newLab(t, plainEnds), newLab(t, plainEnds)
	a.e.SetPolicy(policyA, selector.Policy{Pair: pair(t, ts4Local, ts4Remote)})
	inside, outside := v4, v4
	outside.dst = "10.2.7.7"
	a.out(udpPacket(inside, 1, 2, nil), udpPacket(outside, 1, 2, nil))
	connect(t, a.e, b.e, childA, policyA, pair(t, ts4Local, "10.2.0.0/24"), gcm128(), labA, labB)
	if n := len(a.taken()); n != 1 {
		t.Errorf("%d messages", n)
	}
	a.wantDrops("[]")
	// What the SA does not cover is asked for again at once, and waits.
	if n := len(a.rec.acquires); n != 2 || a.rec.acquires[1].Dst.String() != outside.dst {
		t.Errorf("Acquire: %v", a.rec.acquires)
	}
	// When the peer does not give it, the packet is dropped as what it is.
	a.e.FailPending(policyA)
	a.wantDrops("[out wait_narrowed:1]")
	a.out(udpPacket(outside, 1, 2, nil))
	// A replaced trap hands over what waits.
	a.e.SetPolicy(policyA, selector.Policy{Pair: pair(t, ts4Local, "10.2.0.0/20")})
	a.wantDrops("[out wait_narrowed:1]")
	a.e.SetPolicy(policyA, selector.Policy{Pair: pair(t, ts4Local, "10.4.0.0/20")})
	a.wantDrops("[out no_policy:1 out wait_narrowed:1]")
}

// Packets of a tunnel that only its peer or a command brings up are refused while it is down, and so are those that its peer
// has left out. Their senders are told.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		ts      [2]string
		packet  []byte
		narrow  string
		outside []byte
		want    string
	}{
		{[2]string{ts4Local, ts4Remote}, udpPacket(v4, 1, 2, fill(2000, 1)), "10.2.7.0/24", udpPacket(v4, 1, 2, nil), "DestinationUnreachable(CommAdminProhibited)"},
		{[2]string{ts6Local, ts6Remote}, udpPacket(v6, 1, 2, fill(2000, 1)), "fd02::7:0/112", udpPacket(v6, 1, 2, nil), "DestinationUnreachable(AdminProhibited)"},
	} {
		l := spdLab{newLab(t, plainEnds)}
		ts := pair(t, c.ts[0], c.ts[1])
		l.e.SetPolicy(policyA, selector.Policy{Pair: ts, Without: selector.Refuse})
		told := func(about []byte) {
			t.Helper()
			if len(l.dev.written) != 1 {
				t.Fatalf("%d answers; drops %v", len(l.dev.written), dropsOf(l.e))
			}
			p := wantSound(t, l.dev.written[0].data)
			if s := p.String(); !strings.Contains(s, c.want) {
				t.Errorf("answer: %s, want %s", s, c.want)
			}
			if !bytes.Contains(l.dev.written[0].data, about[:min(len(about), 48)]) {
				t.Error("the packet is not quoted")
			}
			l.dev.written = nil
		}
		if s := l.out(c.packet); len(s) != 0 {
			t.Errorf("sent: %v", s)
		}
		l.wantDrops("[out down:1]")
		told(c.packet)
		l.install(childA, policyA, childA, c.ts[0], c.narrow)
		if s := l.out(c.outside); len(s) != 0 {
			t.Errorf("sent: %v", s)
		}
		l.wantDrops("[out down:1 out wait_narrowed:1]")
		told(c.outside)
		if len(l.rec.policies) != 0 {
			t.Error("a tunnel was asked for")
		}
		// Where it can be brought up its packets wait, and their senders are told when it cannot.
		l.e.RemoveOutbound(childA)
		l.e.SetPolicy(policyA, selector.Policy{Pair: ts})
		l.out(c.packet)
		l.e.FailPending(policyA)
		l.wantDrops("[out down:1 out wait_failed:1 out wait_narrowed:1]")
		if len(l.dev.written) != 1 || bytes.Equal(l.dev.written[0].data[:20], c.packet[:20]) {
			t.Errorf("answers: %v", l.dev.written)
		}
		l.dev.written = nil
		// What waits is refused when an operator takes the tunnel down.
		l.out(c.packet)
		l.e.SetPolicy(policyA, selector.Policy{Pair: ts, Without: selector.Refuse})
		l.wantDrops("[out down:2 out wait_failed:1 out wait_narrowed:1]")
	}
}

// TestTrapRace makes a packet wait for a trap that was looked up before its SA came.
func TestTrapRace(t *testing.T) {
	ts := pair(t, ts4Local, ts4Remote)
	a, b := newLab(t, plainEnds), newLab(t, plainEnds)
	a.e.SetPolicy(policyA, selector.Policy{Pair: ts})
	w := a.e.outLoops[0]
	w.begin() // has the table with the trap alone
	connect(t, a.e, b.e, childA, policyA, ts, gcm128(), labA, labB)
	s := super(udpPacket(v4, 1, 2, nil), tun.VNetHdr{})
	w.packet(&s, false)
	w.sendBatch()
	if n := len(a.taken()); n != 1 {
		t.Errorf("%d messages: the packet waits for an SA that is there", n)
	}
	// The same with a trap that is removed meanwhile.
	w.begin()
	a.e.RemoveOutbound(childA)
	w.begin()
	a.e.ClearPolicy(policyA)
	s = super(udpPacket(v4, 1, 2, nil), tun.VNetHdr{})
	w.packet(&s, false)
	a.wantDrops("[out no_policy:1]")
}

func TestControlErrors(t *testing.T) {
	l := newLab(t, plainEnds)
	ts := pair(t, ts4Local, ts4Remote)
	path := esp.Path{Local: labA, Remote: labB, UDP: true}
	encr, integ := keys(t, gcm128(), "x")
	in := esp.InboundConfig{Suite: gcm128(), EncrKey: encr, IntegKey: integ}
	in.SPI = 0x12345678
	if err := l.e.InstallInbound(1, 1, in, ts, path); err == nil {
		t.Error("an SPI that was not allocated")
	}
	spi, err := l.e.AllocateSPI()
	if err != nil {
		t.Fatal(err)
	}
	in.SPI = spi
	if err := l.e.InstallInbound(1, 1, in, pair(t, ts4Local, ts4Remote).Swap(), path); err != nil {
		t.Fatal(err)
	}
	if err := l.e.InstallInbound(2, 2, in, ts, path); err == nil {
		t.Error("an SPI twice")
	}
	if _, ok := l.e.Counters(2); ok {
		t.Error("a child that has no SA")
	}
	in.SPI, _ = l.e.AllocateSPI()
	if err := l.e.InstallInbound(1, 1, in, ts, path); err == nil {
		t.Error("a second inbound SA of a child")
	}
	in.EncrKey = nil
	if err := l.e.InstallInbound(3, 3, in, ts, path); err == nil {
		t.Error("no key")
	}
	l.e.ReleaseSPI(in.SPI)
	l.e.ReleaseSPI(spi)
	if _, ok := l.e.Counters(1); ok {
		t.Error("the SA is still there after its SPI was released")
	}
	l.e.RemoveInbound(9)
	l.e.RemoveOutbound(9)
	l.e.UpdatePath(9, path)
	l.e.shutdown()
	if err := l.e.InstallInbound(1, 1, in, ts, path); err == nil {
		t.Error("installed in a closed engine")
	}
	l.e.SetPolicy(1, selector.Policy{Pair: ts})
}
