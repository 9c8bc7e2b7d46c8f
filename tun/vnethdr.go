package tun

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// VNetHdrLen is the size of a [VNetHdr] in front of a packet.
const VNetHdrLen = 10

// Bits of [VNetHdr].Flags.
const (
	VNetNeedsCsum = 1 // the checksum at CsumStart+CsumOffset holds the pseudo-header's sum only and is to be finished
	VNetDataValid = 2 // the checksum has been verified
)

// Values of [VNetHdr].GSOType; GSOECN is a bit on top of the TCP ones.
const (
	GSONone  = 0
	GSOTCPv4 = 1
	GSOTCPv6 = 4
	GSOUDPL4 = 5
	GSOECN   = 0x80
)

// VNetHdr is struct virtio_net_hdr: what precedes each packet read from or written to a device with IFF_VNET_HDR. Its
// numbers are in the machine's byte order.
//
//	 0       1       2               4               6               8              10
//	+-------+-------+---------------+---------------+---------------+---------------+
//	| Flags |GSOType|    HdrLen     |    GSOSize    |   CsumStart   |  CsumOffset   |
//	+-------+-------+---------------+---------------+---------------+---------------+
//
// HdrLen as read is a hint and not to be trusted: on forwarded packets it can be the length of the whole first packet.
type VNetHdr struct {
	Flags      uint8
	GSOType    uint8
	HdrLen     uint16 // octets of IP and transport header
	GSOSize    uint16 // octets of transport payload in each segment but the last
	CsumStart  uint16 // where the checksummed range begins, from the start of the packet
	CsumOffset uint16 // where the checksum is, from CsumStart
}

// ErrVNetHdr is wrapped by every error about a VNetHdr.
var ErrVNetHdr = errors.New("bad virtio_net_hdr")

// Decode reads the header from the first VNetHdrLen octets of b. It does not look at what the fields mean; see Check.
func (h *VNetHdr) Decode(b []byte) error {
	if len(b) < VNetHdrLen {
		return fmt.Errorf("%w: %d of %d octets", ErrVNetHdr, len(b), VNetHdrLen)
	}
	h.Flags = b[0]
	h.GSOType = b[1]
	h.HdrLen = binary.NativeEndian.Uint16(b[2:])
	h.GSOSize = binary.NativeEndian.Uint16(b[4:])
	h.CsumStart = binary.NativeEndian.Uint16(b[6:])
	h.CsumOffset = binary.NativeEndian.Uint16(b[8:])
	return nil
}

// Encode writes the header to the first VNetHdrLen octets of b.
func (h VNetHdr) Encode(b []byte) error {
	if len(b) < VNetHdrLen {
		return fmt.Errorf("%w: room for %d of %d octets", ErrVNetHdr, len(b), VNetHdrLen)
	}
	b[0] = h.Flags
	b[1] = h.GSOType
	binary.NativeEndian.PutUint16(b[2:], h.HdrLen)
	binary.NativeEndian.PutUint16(b[4:], h.GSOSize)
	binary.NativeEndian.PutUint16(b[6:], h.CsumStart)
	binary.NativeEndian.PutUint16(b[8:], h.CsumOffset)
	return nil
}

// Sizes of the headers that Check looks at.
const (
	minIPv4Header = 20
	ipv6Header    = 40
	minTCPHeader  = 20
	maxTCPHeader  = 60
	udpHeader     = 8
	tcpCsumOffset = 16 // of the checksum in the TCP header
	udpCsumOffset = 6
)

// Check verifies that the header fits the packet behind it, so that whoever follows its fields stays inside. headers is
// the length of the IP and transport headers of a super-packet, taken from the packet itself, and 0 of other packets. A
// super-packet has at least one octet of payload, and GSOSize is not 0.
func (h VNetHdr) Check(packet []byte) (headers int, err error) {
	if len(packet) == 0 {
		return 0, fmt.Errorf("%w: no packet behind it", ErrVNetHdr)
	}
	if h.Flags&VNetNeedsCsum != 0 && int(h.CsumStart)+int(h.CsumOffset)+2 > len(packet) {
		return 0, fmt.Errorf("%w: checksum at %d+%d in a packet of %d octets", ErrVNetHdr, h.CsumStart, h.CsumOffset, len(packet))
	}
	if h.GSOType == GSONone {
		return 0, nil
	}
	if h.Flags&VNetNeedsCsum == 0 {
		return 0, fmt.Errorf("%w: super-packet without partial checksum", ErrVNetHdr)
	}
	if h.GSOSize == 0 {
		return 0, fmt.Errorf("%w: segments of 0 octets", ErrVNetHdr)
	}
	version := packet[0] >> 4
	minStart := minIPv4Header
	if version == 6 {
		minStart = ipv6Header
	} else if version != 4 {
		return 0, fmt.Errorf("%w: IP version %d", ErrVNetHdr, version)
	}
	start := int(h.CsumStart)
	if start < minStart {
		return 0, fmt.Errorf("%w: transport header at %d of an IPv%d packet", ErrVNetHdr, start, version)
	}
	var csum int
	switch t := h.GSOType; {
	case t&^GSOECN == GSOTCPv4 && version == 4, t&^GSOECN == GSOTCPv6 && version == 6:
		csum = tcpCsumOffset
		if len(packet) < start+minTCPHeader {
			return 0, fmt.Errorf("%w: %d octets are too few for a TCP header at %d", ErrVNetHdr, len(packet), start)
		}
		n := int(packet[start+12]>>4) * 4
		if n < minTCPHeader || n > maxTCPHeader {
			return 0, fmt.Errorf("%w: TCP header of %d octets", ErrVNetHdr, n)
		}
		headers = start + n
	case t == GSOUDPL4:
		csum = udpCsumOffset
		headers = start + udpHeader
	default:
		return 0, fmt.Errorf("%w: GSO type %#x of an IPv%d packet", ErrVNetHdr, t, version)
	}
	if int(h.CsumOffset) != csum {
		return 0, fmt.Errorf("%w: checksum at offset %d of the transport header, not %d", ErrVNetHdr, h.CsumOffset, csum)
	}
	if len(packet) <= headers {
		return 0, fmt.Errorf("%w: %d octets with %d of headers", ErrVNetHdr, len(packet), headers)
	}
	return headers, nil
}
