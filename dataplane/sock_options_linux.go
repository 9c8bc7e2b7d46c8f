package dataplane

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"
)

// prepareSocket sets what has to be set before bind.
func prepareSocket(fd int, v6 bool, mark uint32, share bool) error {
	set := func(name string, level, opt, value int) error {
		return os.NewSyscallError(name, unix.SetsockoptInt(fd, level, opt, value))
	}
	if mark != 0 {
		if err := set("SO_MARK", unix.SOL_SOCKET, unix.SO_MARK, int(mark)); err != nil {
			return fmt.Errorf("%w (it takes CAP_NET_ADMIN, or CAP_NET_RAW since Linux 5.17)", err)
		}
	}
	if share {
		if err := set("SO_REUSEPORT", unix.SOL_SOCKET, unix.SO_REUSEPORT, 1); err != nil {
			return err
		}
	}
	// The address a message came to, its TOS, and ICMP errors. Packets are sent with DF while they fit the path and
	// fragmented when they don't (IP_PMTUDISC_WANT): the engine sees to it that the latter is rare.
	level, opts := unix.IPPROTO_IP, [][2]int{{unix.IP_PKTINFO, 1}, {unix.IP_RECVTOS, 1}, {unix.IP_RECVERR, 1},
		{unix.IP_MTU_DISCOVER, unix.IP_PMTUDISC_WANT}}
	if v6 {
		level, opts = unix.IPPROTO_IPV6, [][2]int{{unix.IPV6_RECVPKTINFO, 1}, {unix.IPV6_RECVTCLASS, 1},
			{unix.IPV6_RECVERR, 1}, {unix.IPV6_MTU_DISCOVER, unix.IPV6_PMTUDISC_WANT}}
	}
	for _, o := range opts {
		if err := set(fmt.Sprintf("setsockopt(%d, %d)", level, o[0]), level, o[0], o[1]); err != nil {
			return err
		}
	}
	return nil
}

// setReceiveBuffer sets the buffer, past the system's limit if that is allowed, and says how much it is.
func setReceiveBuffer(u *net.UDPConn, n int) (int, error) {
	return setBuffer(u, n, unix.SO_RCVBUF, unix.SO_RCVBUFFORCE)
}

// setSendBuffer is the same for sending.
func setSendBuffer(u *net.UDPConn, n int) (int, error) {
	return setBuffer(u, n, unix.SO_SNDBUF, unix.SO_SNDBUFFORCE)
}

func setBuffer(u *net.UDPConn, n, opt, force int) (got int, err error) {
	rc, err := u.SyscallConn()
	if err != nil {
		return 0, err
	}
	e := rc.Control(func(fd uintptr) {
		if unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, force, n) != nil {
			err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, opt, n)
		}
		if v, e := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, opt); e == nil {
			got = v / 2 // the kernel doubles the value for its bookkeeping
		}
	})
	if e != nil {
		return 0, e
	}
	return got, err
}

// setRawBuffers sets the buffers of a socket that is no UDP socket.
func setRawBuffers(fd int, c SocketConfig) error {
	for _, o := range []struct{ n, opt, force int }{
		{c.ReceiveBuffer, unix.SO_RCVBUF, unix.SO_RCVBUFFORCE}, {c.SendBuffer, unix.SO_SNDBUF, unix.SO_SNDBUFFORCE},
	} {
		if o.n <= 0 || unix.SetsockoptInt(fd, unix.SOL_SOCKET, o.force, o.n) == nil {
			continue
		}
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, o.opt, o.n); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
	}
	return nil
}

// MayMark reports whether this process may set the mark of a socket. It takes CAP_NET_ADMIN, or CAP_NET_RAW since Linux 5.17.
func MayMark() bool {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_MARK, 1) == nil
}
