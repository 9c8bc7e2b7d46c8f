package tun

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// superPacket builds the IP and transport headers of a super-packet with n octets of payload, and its virtio header.
func superPacket(version int, gsoType uint8, gso, n int) (VNetHdr, []byte) {
	ipLen := 20
	if version == 6 {
		ipLen = 40
	}
	l4, csum := 20, 16
	if gsoType == GSOUDPL4 {
		l4, csum = 8, 6
	}
	p := make([]byte, ipLen+l4+n)
	p[0] = byte(version<<4 | 5)
	if gsoType != GSOUDPL4 {
		p[ipLen+12] = 5 << 4
	}
	return VNetHdr{Flags: VNetNeedsCsum, GSOType: gsoType, HdrLen: uint16(ipLen + l4), GSOSize: uint16(gso),
		CsumStart: uint16(ipLen), CsumOffset: uint16(csum)}, p
}

func TestVNetHdrLayout(t *testing.T) {
	h := VNetHdr{Flags: 1, GSOType: 0x84, HdrLen: 0x0102, GSOSize: 0x0304, CsumStart: 0x0506, CsumOffset: 0x0708}
	want := []byte{1, 0x84}
	for _, v := range []uint16{0x0102, 0x0304, 0x0506, 0x0708} {
		want = binary.NativeEndian.AppendUint16(want, v)
	}
	b := append(make([]byte, VNetHdrLen), 0xee)
	if err := h.Encode(b); err != nil || !bytes.Equal(b, append(want, 0xee)) {
		t.Errorf("Encode: % x, %v; want % x and the octet behind untouched", b, err, want)
	}
	var back VNetHdr
	if err := back.Decode(b); err != nil || back != h {
		t.Errorf("Decode: %+v, %v; want %+v", back, err, h)
	}
	for n := range VNetHdrLen {
		if err := back.Decode(b[:n]); !errors.Is(err, ErrVNetHdr) {
			t.Errorf("Decode of %d octets: %v", n, err)
		}
		if err := h.Encode(make([]byte, n)); !errors.Is(err, ErrVNetHdr) {
			t.Errorf("Encode into %d octets: %v", n, err)
		}
	}
}

func TestVNetHdrCheck(t *testing.T) {
	for _, c := range []struct {
		name          string
		version       int
		gsoType       uint8
		headers       int
		gso, payloads int
	}{
		{"TCP over IPv4", 4, GSOTCPv4, 40, 1366, 30000},
		{"TCP over IPv4 with ECN", 4, GSOTCPv4 | GSOECN, 40, 1366, 30000},
		{"TCP over IPv6", 6, GSOTCPv6, 60, 1346, 30000},
		{"UDP over IPv4", 4, GSOUDPL4, 28, 1200, 2400},
		{"UDP over IPv6", 6, GSOUDPL4, 48, 1200, 1201},
		{"one octet", 4, GSOTCPv4, 40, 1, 1},
	} {
		h, p := superPacket(c.version, c.gsoType, c.gso, c.payloads)
		if n, err := h.Check(p); n != c.headers || err != nil {
			t.Errorf("%s: %d, %v; want %d", c.name, n, err, c.headers)
		}
		for n := range c.headers + 1 {
			if _, err := h.Check(p[:n]); !errors.Is(err, ErrVNetHdr) {
				t.Errorf("%s: the first %d octets pass: %v", c.name, n, err)
			}
		}
		// HdrLen is not trusted: the kernel may say anything there.
		h.HdrLen = 65535
		if n, err := h.Check(p); n != c.headers || err != nil {
			t.Errorf("%s with a wrong HdrLen: %d, %v; want %d", c.name, n, err, c.headers)
		}
	}
	if n, err := (VNetHdr{}).Check([]byte{0x45}); n != 0 || err != nil {
		t.Errorf("plain packet: %d, %v", n, err)
	}
	if n, err := (VNetHdr{Flags: VNetNeedsCsum, CsumStart: 20, CsumOffset: 6}).Check(make([]byte, 28)); n != 0 || err != nil {
		t.Errorf("checksum at the very end: %d, %v", n, err)
	}
}

func TestVNetHdrCheckMalformed(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(h *VNetHdr, p []byte)
	}{
		{"segments of nothing", func(h *VNetHdr, _ []byte) { h.GSOSize = 0 }},
		{"no partial checksum", func(h *VNetHdr, _ []byte) { h.Flags = 0 }},
		{"unknown GSO type", func(h *VNetHdr, _ []byte) { h.GSOType = 3 }},
		{"ECN alone", func(h *VNetHdr, _ []byte) { h.GSOType = GSOECN }},
		{"UDP with ECN", func(h *VNetHdr, _ []byte) { h.GSOType = GSOUDPL4 | GSOECN }},
		{"IPv6 type on IPv4", func(h *VNetHdr, _ []byte) { h.GSOType = GSOTCPv6 }},
		{"IPv4 type on IPv6", func(_ *VNetHdr, p []byte) { p[0] = 0x60 }},
		{"IP version 5", func(_ *VNetHdr, p []byte) { p[0] = 0x55 }},
		{"transport header inside the IP header", func(h *VNetHdr, _ []byte) { h.CsumStart = 19 }},
		{"transport header behind the packet", func(h *VNetHdr, _ []byte) { h.CsumStart = 65535 }},
		{"checksum elsewhere", func(h *VNetHdr, _ []byte) { h.CsumOffset = 6 }},
		{"checksum behind the packet", func(h *VNetHdr, _ []byte) { h.CsumOffset = 65535 }},
		{"TCP header too short", func(_ *VNetHdr, p []byte) { p[32] = 4 << 4 }},
		{"TCP header over the end", func(_ *VNetHdr, p []byte) { p[32] = 15 << 4 }},
	} {
		h, p := superPacket(4, GSOTCPv4, 10, 30)
		if _, err := h.Check(p); err != nil {
			t.Fatalf("unchanged: %v", err)
		}
		c.change(&h, p)
		if n, err := h.Check(p); !errors.Is(err, ErrVNetHdr) || n != 0 {
			t.Errorf("%s passes: %d, %v", c.name, n, err)
		}
	}
}

func TestVNetHdrDoesNotAllocate(t *testing.T) {
	h, p := superPacket(4, GSOTCPv4, 1366, 30000)
	b := make([]byte, VNetHdrLen)
	if n := testing.AllocsPerRun(100, func() {
		if h.Encode(b) != nil || h.Decode(b) != nil {
			t.Fatal("failed")
		}
		if _, err := h.Check(p); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzVNetHdr(f *testing.F) {
	for _, c := range []struct {
		version int
		gsoType uint8
	}{{4, GSOTCPv4}, {6, GSOTCPv6}, {4, GSOUDPL4}, {6, GSOUDPL4}, {4, GSOTCPv4 | GSOECN}} {
		h, p := superPacket(c.version, c.gsoType, 100, 250)
		b := make([]byte, VNetHdrLen)
		h.Encode(b)
		f.Add(append(b, p...))
	}
	f.Add(make([]byte, VNetHdrLen))
	f.Fuzz(func(t *testing.T, b []byte) {
		var h VNetHdr
		if err := h.Decode(b); err != nil {
			if len(b) >= VNetHdrLen {
				t.Fatalf("%d octets: %v", len(b), err)
			}
			return
		}
		back := make([]byte, VNetHdrLen)
		if err := h.Encode(back); err != nil || !bytes.Equal(back, b[:VNetHdrLen]) {
			t.Fatalf("% x encodes as % x, %v", b[:VNetHdrLen], back, err)
		}
		p := b[VNetHdrLen:]
		headers, err := h.Check(p)
		if err != nil {
			return
		}
		// What Check promises: following the fields stays inside the packet.
		if h.Flags&VNetNeedsCsum != 0 {
			_ = p[int(h.CsumStart)+int(h.CsumOffset)+1]
		}
		if h.GSOType == GSONone {
			if headers != 0 {
				t.Fatalf("plain packet with %d octets of headers", headers)
			}
			return
		}
		if h.GSOSize == 0 || headers <= int(h.CsumStart) || headers >= len(p) {
			t.Fatalf("%+v with %d octets of headers passes on %d octets", h, headers, len(p))
		}
	})
}
