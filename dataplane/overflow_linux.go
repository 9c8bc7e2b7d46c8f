package dataplane

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// memInfo is what SO_MEMINFO tells of a socket: SK_MEMINFO_VARS words of linux/sock_diag.h.
type memInfo [9]uint32

// memDrops is the word SK_MEMINFO_DROPS: what was dropped because the receive buffer was full, since the socket is open.
const memDrops = 8

// overflowed is how many messages the kernel has dropped in front of the socket. It wraps around.
func (b *boundSocket) overflowed() (uint32, bool) {
	c, ok := b.conn.(syscall.Conn)
	if !ok {
		return 0, false
	}
	rc, err := c.SyscallConn()
	if err != nil {
		return 0, false
	}
	var info memInfo
	n := uint32(unsafe.Sizeof(info))
	var errno syscall.Errno
	err = rc.Control(func(fd uintptr) {
		_, _, errno = unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&n)), 0)
	})
	return info[memDrops], err == nil && errno == 0 && n > memDrops*4
}
