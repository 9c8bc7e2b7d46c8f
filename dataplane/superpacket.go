package dataplane

import (
	"esplanade/esp"
	"esplanade/tun"
)

// Sizes of the buffers that packets live in.
const (
	// maxPacket is the largest IP packet.
	maxPacket = 65535
	// headroom is kept free in front of every packet: a virtio header, or what a device's Write needs.
	headroom = 64
	// tailroom is kept free behind every packet for the ESP trailer that Seal lays over it.
	tailroom = 64
	// packetSlot is a buffer for any packet, a multiple of the cache line. One cache line more than needed keeps the
	// slots of an arena from all falling into the same sets of the cache.
	packetSlot = headroom + 65536 + tailroom + 64
)

// The buffers are laid out for these.
var (
	_ [headroom - tun.Headroom]struct{}
	_ [tailroom - esp.TrailerRoom]struct{}
)

// superPacket is one IP packet in a buffer, or a run of segments of one flow that the kernel handles as one packet.
//
//	buf: | headroom | IP | TCP/UDP | payload of segment 0 | of segment 1 | … | tailroom |
//	               start                                                  end
//
// A plain packet is a super-packet of one segment: its vnet is zero, or asks for a checksum.
type superPacket struct {
	buf        []byte
	start, end int
	vnet       tun.VNetHdr
	segments   int // how many packets it counts as; on the way out, once it is parsed
}

// offloaded reports whether it is one that has to be cut into segments, and be it into one.
func (s *superPacket) offloaded() bool { return s.vnet.GSOType != tun.GSONone }

// bytes is the packet, with the room behind it as capacity.
func (s *superPacket) bytes() []byte { return s.buf[s.start:s.end] }
