package vici

import (
	"net"
	"syscall"
)

// peerUser is the number of the user as whom the process at the other end of a unix socket ran when it connected, as this daemon's user
// namespace sees it.
func peerUser(c net.Conn) (uid int, known bool) {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return 0, false
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return 0, false
	}
	err = raw.Control(func(fd uintptr) {
		cred, err := syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
		if known = err == nil; known {
			uid = int(cred.Uid)
		}
	})
	return uid, known && err == nil
}
