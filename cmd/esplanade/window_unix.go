//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// windowSize is how many columns and lines a terminal has.
func windowSize(f *os.File) (columns, lines int, ok bool) {
	z, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil || z.Col == 0 || z.Row == 0 {
		return 0, 0, false
	}
	return int(z.Col), int(z.Row), true
}
