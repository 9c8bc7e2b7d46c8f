//go:build !unix

package dataplane

import "net/netip"

// sendNow sends a datagram.
func (b *boundSocket) sendNow(p, oob []byte, remote netip.AddrPort) error {
	_, _, err := b.udp.WriteMsgUDPAddrPort(p, oob, remote)
	return err
}
