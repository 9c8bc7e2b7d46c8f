package dataplane

import (
	"encoding/binary"
	"math/bits"
)

// sum adds b to a running ones' complement sum of little-endian words. The Internet checksum does not depend on the
// byte order (RFC 1071 section 2): fold turns the result to network order. b must begin at an even offset of what is
// summed up.
func sum(b []byte, acc uint64) uint64 {
	le := binary.LittleEndian
	var c uint64
	for len(b) >= 64 {
		acc, c = bits.Add64(acc, le.Uint64(b[0:]), 0)
		acc, c = bits.Add64(acc, le.Uint64(b[8:]), c)
		acc, c = bits.Add64(acc, le.Uint64(b[16:]), c)
		acc, c = bits.Add64(acc, le.Uint64(b[24:]), c)
		acc, c = bits.Add64(acc, le.Uint64(b[32:]), c)
		acc, c = bits.Add64(acc, le.Uint64(b[40:]), c)
		acc, c = bits.Add64(acc, le.Uint64(b[48:]), c)
		acc, c = bits.Add64(acc, le.Uint64(b[56:]), c)
		acc, c = bits.Add64(acc, 0, c)
		acc += c
		b = b[64:]
	}
	for len(b) >= 8 {
		acc, c = bits.Add64(acc, le.Uint64(b), 0)
		acc += c
		b = b[8:]
	}
	if len(b) > 0 {
		var t uint64
		for i, x := range b {
			t |= uint64(x) << (8 * i)
		}
		acc, c = bits.Add64(acc, t, 0)
		acc += c
	}
	return acc
}

// fold reduces a sum to 16 bits in network order, not complemented.
func fold(acc uint64) uint16 {
	acc = acc>>32 + acc&0xffffffff
	acc = acc>>32 + acc&0xffffffff
	acc = acc>>16 + acc&0xffff
	acc = acc>>16 + acc&0xffff
	return bits.ReverseBytes16(uint16(acc))
}

// word is a 16-bit number in network order as a term of a sum.
func word(v uint16) uint64 { return uint64(bits.ReverseBytes16(v)) }

// pseudoHeader is the sum of the pseudo-header of an upper-layer checksum (RFC 9293 section 3.1, RFC 8200 section 8.1)
// for the IP packet b, with n octets from the upper-layer header on.
func pseudoHeader(b []byte, v6 bool, protocol uint8, n int) uint64 {
	acc := word(uint16(protocol)) + word(uint16(n))
	if v6 {
		return sum(b[8:40], acc)
	}
	return sum(b[12:20], acc)
}

// setIPv4Checksum computes the header checksum of the IPv4 packet b again.
func setIPv4Checksum(b []byte) {
	ihl := int(b[0]&15) * 4
	b[10], b[11] = 0, 0
	be.PutUint16(b[10:], ^fold(sum(b[:ihl], 0)))
}

// updateChecksum is the checksum c after a 16-bit word that it covers changed: equation 3 of RFC 1624.
func updateChecksum(c, old, new uint16) uint16 {
	s := uint32(^c) + uint32(^old) + uint32(new)
	s = s>>16 + s&0xffff
	s = s>>16 + s&0xffff
	return ^uint16(s)
}
