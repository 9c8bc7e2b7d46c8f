//go:build !unix

package config

import "io/fs"

const (
	nonblock       = 0
	hasPermissions = false
)

// owner is unknown here.
func owner(fs.FileInfo) (uid int, ok bool) { return 0, false }
