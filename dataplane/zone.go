package dataplane

import (
	"net"
	"net/netip"
	"strconv"
	"time"
)

// zoneID is the index of the interface that the zone of an IPv6 address names.
func zoneID(zone string) uint32 {
	if zone == "" {
		return 0
	}
	if i, err := net.InterfaceByName(zone); err == nil {
		return uint32(i.Index)
	}
	n, _ := strconv.ParseUint(zone, 10, 32)
	return uint32(n)
}

// zoneName is the zone of an IPv6 address on the interface with this index.
func zoneName(index uint32) string {
	if i, err := net.InterfaceByIndex(int(index)); err == nil {
		return i.Name
	}
	return strconv.FormatUint(uint64(index), 10)
}

const (
	// zoneSlots is how many interfaces a receiver knows by name, a power of two.
	zoneSlots = 8
	// zoneAge is how long a name is believed: an interface may get another one.
	zoneAge = time.Second
)

// zoneCache keeps the zones of the interfaces from which link-local addresses call, for to ask the system takes longer than all
// else that is done for a datagram. Owned by one receiver.
type zoneCache [zoneSlots]struct {
	index uint32
	until time.Time
	addr  netip.Addr // one with the zone, which keeps it from being made again
}

// with gives the address the zone of the interface with this index.
func (z *zoneCache) with(a netip.Addr, index uint32, now time.Time) netip.Addr {
	c := &z[index%zoneSlots]
	if c.index != index || !now.Before(c.until) {
		c.index, c.until = index, now.Add(zoneAge)
		c.addr = a.WithZone(zoneName(index))
	}
	return a.WithZone(c.addr.Zone())
}
