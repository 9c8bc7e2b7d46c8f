//go:build !unix

package config

import "io/fs"

const (
	nonblock       = 0
	nofollow       = 0
	hasPermissions = false
)

// owner is unknown here.
func owner(fs.FileInfo) (uid, gid int, ok bool) { return 0, 0, false }

// links is unknown here.
func links(fs.FileInfo) uint64 { return 1 }

// isLink is of no use without nofollow.
func isLink(error) bool { return false }

func fileNumber(fs.FileInfo) uint64 { return 0 }
