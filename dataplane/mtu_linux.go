package dataplane

import (
	"net/netip"

	"golang.org/x/sys/unix"
)

// probeMTU asks the kernel for the MTU of a route: a UDP socket connected to the remote address knows it, path MTU
// discovery included. mark is that of the real sockets. It gives 0 when the kernel can't tell.
func probeMTU(r *route, mark uint32) int {
	remote := r.path.Remote.Addr()
	domain, level, opt := unix.AF_INET, unix.IPPROTO_IP, unix.IP_MTU
	if remote.Is6() {
		domain, level, opt = unix.AF_INET6, unix.IPPROTO_IPV6, unix.IPV6_MTU
	}
	fd, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0
	}
	defer unix.Close(fd)
	if mark != 0 && unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(mark)) != nil {
		return 0
	}
	if a := r.path.Local.Addr(); a.IsValid() && !a.IsUnspecified() {
		if unix.Bind(fd, sockaddr(netip.AddrPortFrom(a, 0))) != nil {
			return 0
		}
	}
	// Any port will do: nothing is sent.
	if unix.Connect(fd, sockaddr(netip.AddrPortFrom(remote, max(1, r.path.Remote.Port())))) != nil {
		return 0
	}
	mtu, err := unix.GetsockoptInt(fd, level, opt)
	if err != nil {
		return 0
	}
	return min(mtu, maxPacket)
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is6() {
		return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: zoneID(a.Addr().Zone())}
	}
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
}
