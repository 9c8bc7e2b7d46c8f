package gateway

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
	"slices"

	"esplanade/ike/diag"
)

// maxLikened is how many connections are compared with the addresses of a stranger, who costs no more than that.
const maxLikened = 256

// nearest is the connection that a peer at remote that has called local may be meant for, although its addresses do not fit: first
// one that only the called address does not fit, then one whose tunnel is missing, and of those the one whose peer's address has
// most in common with remote.
func (g *Manager) nearest(local, remote netip.Addr) diag.Nearest {
	var best *connection
	high, key := -1, ""
	for _, c := range g.conns[:min(len(g.conns), maxLikened)] {
		if score, k := g.likeness(c, local, remote); score > high {
			best, high, key = c, score, k
		}
	}
	if best == nil {
		return diag.Nearest{}
	}
	list := best.conf.RemoteAddrs
	if key == "local_addrs" {
		list = best.conf.LocalAddrs
	}
	return diag.Nearest{Connection: best.conf.Name, Key: key, Value: joined(endpoints(list)), Line: best.conf.At(key).FileLine()}
}

// likeness is how much speaks for a connection that does not fit a pair of addresses, and the key that does not fit.
func (g *Manager) likeness(c *connection, local, remote netip.Addr) (score int, key string) {
	const called, missing = 4096, 1024 // above every number of bits
	if g.names.match(c.conf.RemoteAddrs, remote) > 0 {
		return called, "local_addrs"
	}
	if g.names.match(c.conf.LocalAddrs, local) > 0 {
		score++
	}
	if !slices.ContainsFunc(c.children, func(h *child) bool { return h.state == phaseUp }) {
		score += missing
	}
	common := 0
	for _, e := range c.conf.RemoteAddrs {
		if e.Name == "" {
			common = max(common, commonBits(e.Addr().Unmap(), remote.Unmap()))
			continue
		}
		for _, a := range g.names.addrsOf(e) {
			common = max(common, commonBits(a.Unmap(), remote.Unmap()))
		}
	}
	return score + 2*common, "remote_addrs"
}

// commonBits is how many bits two addresses begin with that are the same: none if one is no address, or of the other version of IP.
func commonBits(a, b netip.Addr) int {
	if a.BitLen() != b.BitLen() || !a.IsValid() {
		return 0
	}
	x, y := a.As16(), b.As16()
	n := bits.LeadingZeros64(binary.BigEndian.Uint64(x[:8]) ^ binary.BigEndian.Uint64(y[:8]))
	if n == 64 {
		n += bits.LeadingZeros64(binary.BigEndian.Uint64(x[8:]) ^ binary.BigEndian.Uint64(y[8:]))
	}
	return n - (128 - a.BitLen()) // all of IPv4 begin with the same 96
}
