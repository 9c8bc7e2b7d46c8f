//go:build !linux

package dataplane

import (
	"errors"
	"net"
)

// prepareSocket sets what has to be set before bind.
func prepareSocket(fd int, v6 bool, mark uint32, share bool) error {
	if share {
		return errors.ErrUnsupported
	}
	if !v6 {
		receiveTOS4(fd)
	}
	return nil // there are no marks: routes keep the sockets' packets out of the tunnel
}

// setReceiveBuffer sets the buffer, or as much of it as the system allows, and says how much that is.
func setReceiveBuffer(u *net.UDPConn, n int) (int, error) { return largest(u.SetReadBuffer, n) }

// setSendBuffer is the same for sending.
func setSendBuffer(u *net.UDPConn, n int) (int, error) { return largest(u.SetWriteBuffer, n) }

// largest halves n until set takes it: the BSDs refuse what is more than they allow.
func largest(set func(int) error, n int) (int, error) {
	var err error
	for ; n >= 1<<16; n /= 2 {
		if err = set(n); err == nil {
			return n, nil
		}
	}
	return 0, err
}

// MayMark reports whether this process may set the mark of a socket: there are marks on Linux only, and elsewhere none is set.
func MayMark() bool { return true }
