package selector

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// u128 is an address as a number: an IPv4 address is in the low 32 bits.
type u128 struct{ hi, lo uint64 }

func toNumber(a netip.Addr) u128 {
	if a.Is4() {
		b := a.As4()
		return u128{0, uint64(binary.BigEndian.Uint32(b[:]))}
	}
	b := a.As16()
	return u128{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// toAddr is the inverse of toNumber in the family that has bitLen bits.
func toAddr(u u128, bitLen int) netip.Addr {
	if bitLen == 32 {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], uint32(u.lo))
		return netip.AddrFrom4(b)
	}
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], u.hi)
	binary.BigEndian.PutUint64(b[8:], u.lo)
	return netip.AddrFrom16(b)
}

func (u u128) less(v u128) bool { return u.hi < v.hi || u.hi == v.hi && u.lo < v.lo }

// add is u+v, and whether it overflowed.
func (u u128) add(v u128) (u128, bool) {
	lo, c := bits.Add64(u.lo, v.lo, 0)
	hi, c := bits.Add64(u.hi, v.hi, c)
	return u128{hi, lo}, c != 0
}

func (u u128) sub(v u128) u128 {
	lo, b := bits.Sub64(u.lo, v.lo, 0)
	hi, _ := bits.Sub64(u.hi, v.hi, b)
	return u128{hi, lo}
}

// trailingZeros is at most 128.
func (u u128) trailingZeros() int {
	if u.lo != 0 {
		return bits.TrailingZeros64(u.lo)
	}
	return 64 + bits.TrailingZeros64(u.hi)
}

// bitLen is the number of bits needed for u, 0 for 0.
func (u u128) bitLen() int {
	if u.hi != 0 {
		return 64 + bits.Len64(u.hi)
	}
	return bits.Len64(u.lo)
}

// pow2 is 2^n for n below 128.
func pow2(n int) u128 {
	if n >= 64 {
		return u128{1 << (n - 64), 0}
	}
	return u128{0, 1 << n}
}

// lastAddr is the highest address of a masked prefix.
func lastAddr(p netip.Prefix) netip.Addr {
	n := p.Addr().BitLen() - p.Bits()
	if n == 128 {
		return toAddr(u128{^uint64(0), ^uint64(0)}, 128)
	}
	size := pow2(n).sub(u128{0, 1})
	last, _ := toNumber(p.Addr()).add(size)
	return toAddr(last, p.Addr().BitLen())
}

// Prefixes returns the fewest prefixes that together are exactly the addresses from Start to End, in ascending order:
// what a route table needs. It is empty for a selector without valid addresses.
func (s Selector) Prefixes() []netip.Prefix {
	if !s.validAddrs() {
		return nil
	}
	width := s.Start.BitLen()
	at, end := toNumber(s.Start), toNumber(s.End)
	var out []netip.Prefix
	for {
		// The largest aligned block that starts here and does not reach past the end. left is the number of
		// addresses less one, so that the whole of IPv6 fits.
		left := end.sub(at)
		n := min(at.trailingZeros(), width)
		if left.bitLen() < n {
			n = left.bitLen()
		}
		// 2^n - 1 must be at most left.
		if n > 0 && n < 128 && left.less(pow2(n).sub(u128{0, 1})) {
			n--
		}
		if n == 128 && left != (u128{^uint64(0), ^uint64(0)}) {
			n--
		}
		out = append(out, netip.PrefixFrom(toAddr(at, width), width-n))
		if n == 128 {
			return out
		}
		next, over := at.add(pow2(n))
		if over || end.less(next) {
			return out
		}
		at = next
	}
}

// singlePrefix is the prefix whose first and last addresses are start and end, if there is one.
func singlePrefix(start, end netip.Addr) (netip.Prefix, bool) {
	left := toNumber(end).sub(toNumber(start))
	n := left.bitLen()
	p := netip.PrefixFrom(start, start.BitLen()-n)
	if p.Masked() != p || lastAddr(p) != end {
		return netip.Prefix{}, false
	}
	return p, true
}
