//go:build unix

package config

import (
	"errors"
	"io/fs"
	"syscall"
)

const (
	// nonblock keeps the opening of a pipe from waiting for its other end.
	nonblock = syscall.O_NONBLOCK
	// nofollow refuses a symbolic link as the last part of a name.
	nofollow = syscall.O_NOFOLLOW
	// hasPermissions says that the bits of a file's mode mean what they say.
	hasPermissions = true
)

// owner is the user and the group whose file it is.
func owner(info fs.FileInfo) (uid, gid int, ok bool) {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(s.Uid), int(s.Gid), true
}

// fileNumber tells files apart that have had one name: each has a number of its own while it is there.
func fileNumber(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Ino)
	}
	return 0
}

// links is the number of names of a file.
func links(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Nlink)
	}
	return 1
}

// isLink reports whether an error is that of nofollow: systems differ.
func isLink(err error) bool { return errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.EMLINK) }
