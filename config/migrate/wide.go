package migrate

import (
	"net/netip"
	"strings"
)

// A selector is wide if its first and its last address have fewer bits in common than these: one of 10.0.0.0/8, or fc00::/7, is not.
const (
	narrowBits4 = 8
	narrowBits6 = 7
)

// Wide reports whether a selector has so many addresses that it is no network of anybody: all of them, half of them, all that are global.
// Protocols and ports do not count.
func Wide(ts string) bool {
	addrs, _, _ := strings.Cut(ts, "[")
	if n, err := netip.ParsePrefix(strings.TrimSpace(addrs)); err == nil {
		return n.Bits() < narrowBits(n.Addr())
	}
	from, to, ok := strings.Cut(addrs, "-")
	first, err1 := netip.ParseAddr(strings.TrimSpace(from))
	last, err2 := netip.ParseAddr(strings.TrimSpace(to))
	if !ok || err1 != nil || err2 != nil || first.BitLen() != last.BitLen() {
		return false // an address, dynamic, or nothing that a child is made of
	}
	n, err := first.Prefix(narrowBits(first))
	return err == nil && !n.Contains(last)
}

func narrowBits(a netip.Addr) int {
	if a.Is4() {
		return narrowBits4
	}
	return narrowBits6
}
