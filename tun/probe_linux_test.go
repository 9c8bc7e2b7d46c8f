package tun

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The probe tells the same whether the device is down or up.
func TestProbeGSOWriteUp(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	d := s.openQueues(allFeatures("ipsec0", testMTU, 1))
	down := d.Features()
	l := s.configure(d, LinkOptions{})
	s.must(l.SetUp(testMTU))
	s.must(d.ProbeGSOWrite())
	if up := d.Features(); up.GSOWrite != down.GSOWrite || len(up.Notes) != len(down.Notes) {
		t.Errorf("down: %s %q, up: %s %q", down, down.Notes, up, up.Notes)
	}
	// Nobody answers the probe.
	if b, err := readRaw(d.FD(0), 50*time.Millisecond); err == nil {
		t.Errorf("the probe makes the host send % x", b)
	}
}

// A kernel that refuses super-packets must be seen as such: here one is refused because its header is bad.
func TestProbePacketIsWhatTheKernelChecks(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	d := s.openQueues(allFeatures("ipsec0", testMTU, 1)).(*queueDevice)
	p := probePacket()
	var h VNetHdr
	s.must(h.Decode(p))
	if n, err := h.Check(p[VNetHdrLen:]); n != 40 || err != nil {
		t.Errorf("the probe is no good super-packet: %d, %v", n, err)
	}
	h.CsumStart = 60000
	s.must(h.Encode(p))
	if err := d.writeRaw(p); err != unix.EINVAL {
		t.Errorf("a checksum behind the packet: %v, want EINVAL", err)
	}
}
