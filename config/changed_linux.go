package config

import (
	"io/fs"
	"syscall"
)

// changedAt is when anything about a file was changed last, and on which device it is. Unlike the time of its content, nobody can put that
// back.
func changedAt(info fs.FileInfo) (nanoseconds int64, device uint64) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return s.Ctim.Nano(), uint64(s.Dev) //nolint:unconvert // it is another type elsewhere
	}
	return 0, 0
}
