package tun

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// SourceFor is the address that packets with the mark, those of IKE and ESP, have towards a peer: the way outside the
// tunnels, also when a route into one of them covers the peer. It asks the routing table by connecting a UDP socket, which
// sends nothing. 0 is no mark.
func SourceFor(remote netip.Addr, mark uint32) (netip.Addr, error) {
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error { return setMark(c, mark) }}
	c, err := d.Dial("udp", netip.AddrPortFrom(remote, ikePort).String())
	if err != nil {
		return netip.Addr{}, fmt.Errorf("no route to %s: %w", remote, err)
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}

// ikePort is any port: routing rules may look at it, so that it is that of IKE.
const ikePort = 500
