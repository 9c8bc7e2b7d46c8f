//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package main

import "golang.org/x/sys/unix"

// The requests that read and set what a terminal does with what is typed.
const (
	getTerminal = unix.TIOCGETA
	setTerminal = unix.TIOCSETA
)
