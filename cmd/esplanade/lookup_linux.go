package main

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// marking marks sockets, so that their packets stay out of the tunnels; nil without a mark.
func marking(mark uint32) func(network, address string, c syscall.RawConn) error {
	if mark == 0 {
		return nil
	}
	return func(_, _ string, c syscall.RawConn) error {
		var err error
		if e := c.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_MARK, int(mark)) }); e != nil {
			return e
		}
		return err
	}
}
