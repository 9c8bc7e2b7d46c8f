//go:build unix

package dataplane

import (
	"errors"
	"syscall"
)

// isTooBig reports whether a packet was refused because the path does not carry it.
func isTooBig(err error) bool { return errors.Is(err, syscall.EMSGSIZE) }

// sendError tells a full buffer from other errors.
func sendError(err error) error {
	if errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.EAGAIN) {
		return errSendBuffer
	}
	return err
}
