package tun

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// readRaw waits for one packet of a queue, header included.
func readRaw(fd int, timeout time.Duration) ([]byte, error) {
	p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if n, err := unix.Poll(p, int(timeout.Milliseconds())); err != nil || n == 0 {
		return nil, fmt.Errorf("nothing to read: %d, %v", n, err)
	}
	b := make([]byte, VNetHdrLen+65535)
	n, err := unix.Read(fd, b)
	if err != nil {
		return nil, err
	}
	return b[:n], nil
}

// upAndRouted configures a device such that 10.20.0.0/16 leads into it.
func (s *space) upAndRouted(d Device) Link {
	s.t.Helper()
	l := s.configure(d, LinkOptions{Mark: testMark})
	s.must(l.SetUp(testMTU))
	s.must(l.AddAddress(prefix("10.99.0.1/32")))
	s.must(l.AddRoute(Route{Dst: prefix("10.20.0.0/16")}))
	return l
}

// sendSegments sends n datagrams of size octets with one call, the kernel's UDP_SEGMENT.
func (s *space) sendSegments(to string, size, n int) {
	s.t.Helper()
	c := s.udp("10.99.0.1:0", 0)
	raw, err := c.SyscallConn()
	s.must(err)
	s.must(raw.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_UDP, unix.UDP_SEGMENT, size)
	}))
	s.must(err)
	a, err := net.ResolveUDPAddr("udp", to)
	s.must(err)
	_, err = c.WriteTo(bytes.Repeat([]byte{0xab}, size*n), a)
	s.must(err)
}

func TestQueuesReadSuperPacket(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	d := s.openQueues(allFeatures("ipsec0", testMTU, 1))
	f := d.Features()
	t.Logf("%s; notes: %q", f, f.Notes)
	if !f.VNetHdr || !f.Csum || !f.TSO {
		t.Fatalf("features every kernel since 2.6.27 has are missing: %s, %q", f, f.Notes)
	}
	if !f.USO {
		t.Skipf("SKIPPED: this kernel has no USO: %q", f.Notes)
	}
	s.upAndRouted(d)
	s.sendSegments("10.20.0.5:7", 1000, 20)
	b, err := readRaw(d.FD(0), 2*time.Second)
	s.must(err)
	var h VNetHdr
	s.must(h.Decode(b))
	headers, err := h.Check(b[VNetHdrLen:])
	if err != nil || h.GSOType != GSOUDPL4 || h.GSOSize != 1000 || headers != 28 || len(b) != VNetHdrLen+28+20000 {
		t.Errorf("read %d octets, %+v, headers %d, %v; want 20 segments of 1000", len(b), h, headers, err)
	}
	if _, err := unix.Read(d.FD(0), b); err != unix.EAGAIN {
		t.Errorf("an empty queue gives %v, want EAGAIN: the descriptor blocks", err)
	}
}

func TestQueuesSwitches(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	for i, c := range []struct {
		change func(*QueueOptions)
		want   string
		notes  string
	}{
		{func(o *QueueOptions) { o.USO = false }, "1 queue, vnet_hdr, csum, tso, tso_ecn, gso_write", "uso"},
		{func(o *QueueOptions) { o.TSOECN = false }, "1 queue, vnet_hdr, csum, tso, uso, gso_write", "tso_ecn"},
		{func(o *QueueOptions) { o.TSO = false }, "1 queue, vnet_hdr, csum, uso, gso_write", "tso"},
		{func(o *QueueOptions) { o.TSO, o.USO = false, false }, "1 queue, vnet_hdr, gso_write", "tso"},
		{func(o *QueueOptions) { o.GSOWrite = false }, "1 queue, vnet_hdr, csum, tso, tso_ecn, uso", "gso_write"},
		{func(o *QueueOptions) { o.VNetHdr = false }, "1 queue", "vnet_hdr"},
		{func(o *QueueOptions) { o.Queues = 3 }, "3 queues, vnet_hdr, csum, tso, tso_ecn, uso, gso_write", ""},
	} {
		o := allFeatures(fmt.Sprint("t", i), testMTU, 1)
		c.change(&o)
		d := s.openQueues(o)
		f := d.Features()
		if f.String() != c.want || (c.notes != "") != strings.Contains(strings.Join(f.Notes, "\n"), c.notes+": turned off") {
			if !strings.Contains(strings.Join(f.Notes, "\n"), "this kernel does not have it") {
				t.Errorf("%d: %s, notes %q; want %s and a note about %q", i, f, f.Notes, c.want, c.notes)
			}
		}
		if d.Queues() != f.Queues {
			t.Errorf("%d: %d queues, %d in the features", i, d.Queues(), f.Queues)
		}
		// The switch really is off: datagrams arrive one by one, and without header when that is off.
		l := s.upAndRouted(d)
		s.sendSegments("10.20.0.5:7", 1000, 4)
		var sizes []int
		for range 4 {
			for q := range d.Queues() {
				if b, err := readRaw(d.FD(q), 20*time.Millisecond); err == nil {
					sizes = append(sizes, len(b))
				}
			}
		}
		want := []int{10 + 28 + 4000}
		switch {
		case !f.VNetHdr:
			want = []int{1028, 1028, 1028, 1028}
		case !f.USO:
			want = []int{1038, 1038, 1038, 1038}
		}
		if fmt.Sprint(sizes) != fmt.Sprint(want) {
			t.Errorf("%d: reads of %v octets, want %v", i, sizes, want)
		}
		s.must(l.Close())
		s.must(d.Close())
	}
}

// Super-packets can be written, to be received as the datagrams they are made of.
func TestQueuesWriteSuperPacket(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	d := s.openQueues(allFeatures("ipsec0", testMTU, 2))
	if f := d.Features(); !f.GSOWrite || !f.USO {
		t.Skipf("SKIPPED: this kernel: %s, %q", f, f.Notes)
	}
	s.upAndRouted(d)
	c := s.udp("10.99.0.1:7", 0)
	const segment, n = 500, 3
	h, p := superPacket(4, GSOUDPL4, segment, segment*n)
	p[8], p[9] = 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(p[2:], uint16(len(p)))
	copy(p[12:], []byte{10, 20, 0, 5, 10, 99, 0, 1})
	binary.BigEndian.PutUint16(p[10:], ^sum16(p[:20], 0))
	binary.BigEndian.PutUint16(p[20:], 9)
	binary.BigEndian.PutUint16(p[22:], 7)
	binary.BigEndian.PutUint16(p[24:], uint16(len(p)-20))
	binary.BigEndian.PutUint16(p[26:], sum16(p[12:20], unix.IPPROTO_UDP+uint32(len(p)-20)))
	b := make([]byte, VNetHdrLen)
	s.must(h.Encode(b))
	if _, err := unix.Write(d.FD(1), append(b, p...)); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		buf := make([]byte, 2000)
		c.SetReadDeadline(time.Now().Add(2 * time.Second))
		if got, _, err := c.ReadFrom(buf); err != nil || got != segment {
			t.Fatalf("datagram %d: %d octets, %v; want %d", i, got, err, segment)
		}
	}
}

// Whoever does not care for queues uses the device like any other.
func TestQueuesAsDevice(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	d := s.openQueues(allFeatures("ipsec0", testMTU, 1))
	s.upAndRouted(d)
	var _ Device = d
	if name, err := d.Name(); name != "ipsec0" || err != nil {
		t.Errorf("name %q, %v", name, err)
	}
	s.sendSegments("10.20.0.5:7", 1000, 4)
	bufs, sizes := make([][]byte, d.BatchSize()), make([]int, d.BatchSize())
	for i := range bufs {
		bufs[i] = make([]byte, Headroom+65535)
	}
	n, err := d.Read(bufs, sizes, Headroom)
	if err != nil || n != 4 || sizes[0] != 1028 || sizes[3] != 1028 {
		t.Fatalf("read %d packets, sizes %v, %v; want 4 of 1028", n, sizes[:4], err)
	}
	// Back with source and destination exchanged.
	c := s.udp("10.99.0.1:7", 0)
	p := bufs[0][Headroom : Headroom+sizes[0]]
	src := append([]byte(nil), p[12:16]...)
	copy(p[12:], p[16:20])
	copy(p[16:], src)
	copy(p[20:], []byte{0, 9, 0, 7, 0x03, 0xf0, 0, 0}) // ports, length, no checksum
	if _, err := d.Write([][]byte{bufs[0][:Headroom+sizes[0]]}, Headroom); err != nil {
		t.Fatal(err)
	}
	c.SetReadDeadline(time.Now().Add(2 * time.Second))
	if n, _, err := c.ReadFrom(make([]byte, 2000)); n != 1000 || err != nil {
		t.Errorf("received %d octets, %v", n, err)
	}
	// Close ends a Read that waits.
	ended := make(chan error, 1)
	go func() { _, err := d.Read(bufs, sizes, Headroom); ended <- err }()
	s.must(d.Close())
	select {
	case err := <-ended:
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("Read ends with %v, want os.ErrClosed", err)
		}
	case <-time.After(5 * time.Second):
		t.Fatal("Close does not end Read")
	}
	s.must(d.Close())
	if _, err := d.Name(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Name of a closed device: %v", err)
	}
	if _, err := d.MTU(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("MTU of a closed device: %v", err)
	}
	if _, err := d.Write(bufs[:1], Headroom); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Write to a closed device: %v", err)
	}
	if _, err := s.LinkByName("ipsec0"); err == nil {
		t.Error("the device is still there")
	}
}

func TestQueuesEvents(t *testing.T) {
	needRoot(t)
	s := newSpace(t)
	d := s.openQueues(allFeatures("ipsec0", testMTU, 1))
	next := func() (Event, bool) {
		select {
		case e, ok := <-d.Events():
			return e, ok
		case <-time.After(5 * time.Second):
			t.Fatal("no event")
			return 0, false
		}
	}
	l := s.configure(d, LinkOptions{})
	s.must(l.SetUp(1300))
	var seen Event
	for seen&EventUp == 0 || seen&EventMTUUpdate == 0 {
		e, ok := next()
		if !ok || e == EventDown {
			t.Fatalf("event %v, %v", e, ok)
		}
		seen |= e
	}
	s.must(s.LinkSetDown(s.link("ipsec0")))
	for {
		if e, ok := next(); !ok {
			t.Fatal("closed")
		} else if e == EventDown {
			break
		}
	}
	s.must(d.Close())
	for {
		if _, ok := next(); !ok {
			break
		}
	}
}
