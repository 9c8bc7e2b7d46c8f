package tun

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// setMark gives a socket the mark of the tunnel's own packets. Where that is not permitted, these have none either.
func setMark(c syscall.RawConn, mark uint32) error {
	if mark == 0 {
		return nil
	}
	var e error
	if err := c.Control(func(fd uintptr) { e = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, int(mark)) }); err != nil {
		return err
	}
	if errors.Is(e, unix.EPERM) {
		return nil
	}
	return e
}
