//go:build unix

package dataplane

import (
	"net/netip"
	"os"

	"golang.org/x/sys/unix"
)

// sendNow sends a datagram, or fails when the socket's buffer is full. It waits neither for room nor for another goroutine
// that does, as a method of net.UDPConn would: an IKE message that is lost is sent again, but the IKE daemon that waits for
// a socket serves no peer.
func (b *boundSocket) sendNow(p, oob []byte, remote netip.AddrPort) error {
	rc, err := b.udp.SyscallConn()
	if err != nil {
		return err
	}
	e := rc.Control(func(fd uintptr) {
		for {
			if _, err = unix.SendmsgN(int(fd), p, oob, sockaddr(remote), unix.MSG_DONTWAIT); err != unix.EINTR {
				return
			}
		}
	})
	if e != nil {
		return e
	}
	return sendError(os.NewSyscallError("sendmsg", err))
}

func sockaddr(a netip.AddrPort) unix.Sockaddr {
	if a.Addr().Is6() {
		return &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16(), ZoneId: zoneID(a.Addr().Zone())}
	}
	return &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
}
