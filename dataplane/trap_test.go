package dataplane

import (
	"bytes"
	"fmt"
	"testing"

	"esplanade/esp"
	"esplanade/tun"
)

func TestTrapDeliversWhatWaits(t *testing.T) {
	ts := pair(t, ts4Local, ts4Remote)
	a, b := newLab(t, fastEnds), newLab(t, plainEnds)
	a.e.SetTrap(policyA, ts)
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
	got := b.in(labA, a.wire.take()...)
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
	a.e.ClearTrap(policyA)
	a.out(first)
	a.wantDrops("[out no_policy:1 out wait_failed:3]")
	a.e.ClearTrap(policyA)
	a.e.FailPending(policyA)
}

func TestTrapIsBounded(t *testing.T) {
	o := fastEnds
	o.config.WaitRing = 3
	a := newLab(t, o)
	a.e.SetTrap(policyA, pair(t, ts4Local, ts4Remote))
	p := udpPacket(v4, 1, 2, fill(10, 1))
	a.out(p, p, p, p, p)
	a.wantDrops("[out wait_full:2]")
	if len(a.rec.policies) != 1 {
		t.Errorf("Acquire was called %d times", len(a.rec.policies))
	}
	// A packet that finds no room asks for the tunnel too, once it is time.
	a.e.traps[policyA].trap.acquired.Store(-int64(AcquireInterval))
	a.out(p)
	if len(a.rec.policies) != 2 {
		t.Errorf("Acquire was called %d times", len(a.rec.policies))
	}
	a.e.FailPending(policyA)
	a.wantDrops("[out wait_failed:3 out wait_full:3]")

	o.config.WaitRing = -1
	a = newLab(t, o)
	a.e.SetTrap(policyA, pair(t, ts4Local, ts4Remote))
	a.out(p)
	a.wantDrops("[out wait_full:1]")
	if len(a.rec.policies) != 1 {
		t.Error("no Acquire without a ring")
	}
}

func TestTrapNarrowedAndReplaced(t *testing.T) {
	a, b := newLab(t, plainEnds), newLab(t, plainEnds)
	a.e.SetTrap(policyA, pair(t, ts4Local, ts4Remote))
	inside, outside := v4, v4
	outside.dst = "10.2.7.7"
	a.out(udpPacket(inside, 1, 2, nil), udpPacket(outside, 1, 2, nil))
	connect(t, a.e, b.e, childA, policyA, pair(t, ts4Local, "10.2.0.0/24"), gcm128(), labA, labB)
	if n := len(a.wire.take()); n != 1 {
		t.Errorf("%d messages", n)
	}
	a.wantDrops("[out wait_narrowed:1]")
	// What the SA does not cover waits again.
	a.out(udpPacket(outside, 1, 2, nil))
	a.wantDrops("[out wait_narrowed:1]")
	// A replaced trap hands over what waits.
	a.e.SetTrap(policyA, pair(t, ts4Local, "10.2.0.0/20"))
	a.wantDrops("[out wait_narrowed:1]")
	a.e.SetTrap(policyA, pair(t, ts4Local, "10.4.0.0/20"))
	a.wantDrops("[out no_policy:1 out wait_narrowed:1]")
}

// TestTrapRace makes a packet wait for a trap that was looked up before its SA came.
func TestTrapRace(t *testing.T) {
	ts := pair(t, ts4Local, ts4Remote)
	a, b := newLab(t, plainEnds), newLab(t, plainEnds)
	a.e.SetTrap(policyA, ts)
	w := a.e.outLoops[0]
	w.begin() // has the table with the trap alone
	connect(t, a.e, b.e, childA, policyA, ts, gcm128(), labA, labB)
	s := super(udpPacket(v4, 1, 2, nil), tun.VNetHdr{})
	w.packet(&s, false)
	w.flush()
	if n := len(a.wire.take()); n != 1 {
		t.Errorf("%d messages: the packet waits for an SA that is there", n)
	}
	// The same with a trap that is removed meanwhile.
	w.begin()
	a.e.RemoveOutbound(childA)
	w.begin()
	a.e.ClearTrap(policyA)
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
	if err := l.e.InstallInbound(1, in, ts, path); err == nil {
		t.Error("an SPI that was not allocated")
	}
	spi, err := l.e.AllocateSPI()
	if err != nil {
		t.Fatal(err)
	}
	in.SPI = spi
	if err := l.e.InstallInbound(1, in, pair(t, ts4Local, ts4Remote).Swap(), path); err != nil {
		t.Fatal(err)
	}
	if err := l.e.InstallInbound(2, in, ts, path); err == nil {
		t.Error("an SPI twice")
	}
	if _, ok := l.e.Counters(2); ok {
		t.Error("a child that has no SA")
	}
	in.SPI, _ = l.e.AllocateSPI()
	if err := l.e.InstallInbound(1, in, ts, path); err == nil {
		t.Error("a second inbound SA of a child")
	}
	in.EncrKey = nil
	if err := l.e.InstallInbound(3, in, ts, path); err == nil {
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
	if err := l.e.InstallInbound(1, in, ts, path); err == nil {
		t.Error("installed in a closed engine")
	}
	l.e.SetTrap(1, ts)
}
