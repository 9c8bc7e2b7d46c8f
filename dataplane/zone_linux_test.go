package dataplane

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestZoneOfSource: datagrams of a link-local address get the name of their interface, without a question to the system and an
// allocation for each.
func TestZoneOfSource(t *testing.T) {
	lo, err := net.InterfaceByName("lo")
	if err != nil {
		t.Skip("NOT TESTED: no loopback interface")
	}
	b := make([]byte, unix.SizeofSockaddrInet6)
	binary.NativeEndian.PutUint16(b, unix.AF_INET6)
	b[8], b[9], b[23] = 0xfe, 0x80, 1
	binary.NativeEndian.PutUint32(b[24:], uint32(lo.Index))
	var z zoneCache
	if a := getSockaddr(b, &z).Addr(); a != netip.MustParseAddr("fe80::1%lo") {
		t.Fatal(a)
	}
	if n := testing.AllocsPerRun(100, func() { getSockaddr(b, &z) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	// An interface that there is not is known by its number, also where another one has its slot, and a name is asked for again.
	now, other := time.Now(), uint32(lo.Index+zoneSlots<<20)
	for range 2 {
		if a := z.with(netip.MustParseAddr("fe80::2"), other, now); a.Zone() != strconv.Itoa(int(other)) {
			t.Error(a)
		}
		if a := z.with(netip.MustParseAddr("fe80::2"), uint32(lo.Index), now); a.Zone() != "lo" {
			t.Error(a)
		}
	}
	c := &z[lo.Index%zoneSlots]
	c.addr = netip.MustParseAddr("fe80::1%former")
	if a := z.with(netip.MustParseAddr("fe80::2"), uint32(lo.Index), now); a.Zone() != "former" {
		t.Error(a)
	}
	if a := z.with(netip.MustParseAddr("fe80::2"), uint32(lo.Index), now.Add(zoneAge)); a.Zone() != "lo" {
		t.Error(a)
	}
}
