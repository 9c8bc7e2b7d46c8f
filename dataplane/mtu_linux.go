package dataplane

import (
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"
)

// probeMTU asks the kernel for the MTU of a route: a UDP socket connected to the remote address knows it, path MTU
// discovery included. mark is that of the real sockets. It gives 0 when the kernel can't tell.
func probeMTU(r *route, mark uint32) int {
	fd, ok := probeSocket(r.path.Local.Addr(), r.path.Remote.Addr(), mark)
	if !ok {
		return 0
	}
	defer unix.Close(fd)
	return mtuTo(fd, r.path.Remote)
}

// maxProbes bounds the sockets of a prober; a gateway that is reached at more addresses asks from the others as before.
const maxProbes = 64

// prober is probeMTU with sockets that stay open, one for each local address: a connected socket can be connected to
// somewhere else, and each CHILD SA asks. Safe for concurrent use.
type prober struct {
	mark uint32

	mu      sync.Mutex
	closed  bool
	sockets map[netip.Addr]int
}

// ask is probeMTU.
func (p *prober) ask(r *route) int {
	local := r.path.Local.Addr()
	if !local.IsValid() || local.IsUnspecified() {
		// Its first destination gives a socket its address, which would be the source to all others too.
		return probeMTU(r, p.mark)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if fd, ok := p.sockets[local]; ok {
		if mtu := mtuTo(fd, r.path.Remote); mtu != 0 {
			return mtu
		}
		// The address may have gone and come back meanwhile.
		_ = unix.Close(fd)
		delete(p.sockets, local)
	}
	if p.closed || len(p.sockets) >= maxProbes {
		return probeMTU(r, p.mark)
	}
	fd, ok := probeSocket(local, r.path.Remote.Addr(), p.mark)
	if !ok {
		return 0
	}
	mtu := mtuTo(fd, r.path.Remote)
	if mtu == 0 {
		_ = unix.Close(fd)
		return 0
	}
	if p.sockets == nil {
		p.sockets = map[netip.Addr]int{}
	}
	p.sockets[local] = fd
	return mtu
}

func (p *prober) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, fd := range p.sockets {
		_ = unix.Close(fd) // there is nothing to lose
	}
	p.sockets = nil
}

// probeSocket makes a socket that sends nothing and keeps next to nothing of what somebody might send to it.
func probeSocket(local, remote netip.Addr, mark uint32) (fd int, ok bool) {
	domain := unix.AF_INET
	if remote.Is6() {
		domain = unix.AF_INET6
	}
	fd, err := unix.Socket(domain, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, false
	}
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 0) // the least that the kernel has
	if mark != 0 && unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, int(mark)) != nil ||
		local.IsValid() && !local.IsUnspecified() && unix.Bind(fd, sockaddr(netip.AddrPortFrom(local, 0))) != nil {
		_ = unix.Close(fd)
		return 0, false
	}
	return fd, true
}

// mtuTo connects a socket and gives the MTU of the way.
func mtuTo(fd int, remote netip.AddrPort) int {
	level, opt := unix.IPPROTO_IP, unix.IP_MTU
	if remote.Addr().Is6() {
		level, opt = unix.IPPROTO_IPV6, unix.IPV6_MTU
	}
	// Any port will do: nothing is sent.
	if unix.Connect(fd, sockaddr(netip.AddrPortFrom(remote.Addr(), max(1, remote.Port())))) != nil {
		return 0
	}
	mtu, err := unix.GetsockoptInt(fd, level, opt)
	if err != nil {
		return 0
	}
	return min(mtu, maxPacket)
}
