//go:build !linux

package main

import "syscall"

// marking is nil: only Linux has marks.
func marking(uint32) func(network, address string, c syscall.RawConn) error { return nil }
