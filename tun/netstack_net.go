package tun

import (
	"context"
	"net/netip"

	"gvisor.dev/gvisor/pkg/tcpip"
	"gvisor.dev/gvisor/pkg/tcpip/adapters/gonet"
	"gvisor.dev/gvisor/pkg/tcpip/stack"
)

// Net dials and listens through the stack of a device of [NewNetstack]. It is safe for concurrent use.
type Net struct{ stack *stack.Stack }

// at is an address of the stack; one without an IP address stands for all of them.
func (n *Net) at(a netip.AddrPort) (tcpip.FullAddress, tcpip.NetworkProtocolNumber) {
	ip := a.Addr().Unmap()
	return tcpip.FullAddress{NIC: netstackNIC, Addr: tcpip.AddrFromSlice(ip.AsSlice()), Port: a.Port()}, familyOf(ip)
}

// DialContextTCPAddrPort makes a TCP connection.
func (n *Net) DialContextTCPAddrPort(ctx context.Context, to netip.AddrPort) (*gonet.TCPConn, error) {
	a, family := n.at(to)
	return gonet.DialContextTCP(ctx, n.stack, a, family)
}

// ListenTCPAddrPort listens for TCP connections.
func (n *Net) ListenTCPAddrPort(at netip.AddrPort) (*gonet.TCPListener, error) {
	a, family := n.at(at)
	return gonet.ListenTCP(n.stack, a, family)
}

// DialUDPAddrPort makes a UDP socket that sends to one address.
func (n *Net) DialUDPAddrPort(to netip.AddrPort) (*gonet.UDPConn, error) {
	a, family := n.at(to)
	return gonet.DialUDP(n.stack, nil, &a, family)
}

// ListenUDPAddrPort makes a UDP socket that takes packets from any address.
func (n *Net) ListenUDPAddrPort(at netip.AddrPort) (*gonet.UDPConn, error) {
	a, family := n.at(at)
	return gonet.DialUDP(n.stack, &a, nil, family)
}
