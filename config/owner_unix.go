//go:build unix

package config

import (
	"io/fs"
	"syscall"
)

// nonblock keeps the opening of a pipe from waiting for its writer.
const nonblock = syscall.O_NONBLOCK

// hasPermissions says that the bits of a file's mode mean what they say.
const hasPermissions = true

// owner is the user whose file it is.
func owner(info fs.FileInfo) (uid int, ok bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, false
	}
	return int(s.Uid), true
}
