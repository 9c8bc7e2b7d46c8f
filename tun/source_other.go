//go:build !linux

package tun

import "syscall"

// setMark does nothing: there are no marks, and host routes keep peers out of the tunnels.
func setMark(syscall.RawConn, uint32) error { return nil }
