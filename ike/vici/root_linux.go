package vici

import (
	"net"
	"syscall"
)

// peerIsRoot reports whether the process at the other end of a unix socket ran as root when it connected, as this daemon's user namespace sees it.
func peerIsRoot(c net.Conn) bool {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return false
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return false
	}
	root := false
	err = raw.Control(func(fd uintptr) {
		cred, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
		root = err == nil && cred.Uid == 0
	})
	return err == nil && root
}
