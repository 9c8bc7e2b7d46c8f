package config

import (
	"encoding/binary"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// An access control list of Linux gives users and groups access by name. The group bits of such a file's mode are then the most
// that any of them has, so that a credential of systemd, which is root's and may be read by the service's user, has mode 0440.

// aclForUs reports whether a file of root's has an access control list that lets nobody but root, this process's user and groups
// of this process read it, and nobody but root write it. Others have no access by its mode.
func aclForUs(f *os.File) bool {
	const (
		version = 2
		entry   = 8 // tag, permissions, id: linux/posix_acl_xattr.h
		user    = 0x02
		group   = 0x04 // that of the file
		named   = 0x08
		mask    = 0x10
		other   = 0x20
	)
	b := make([]byte, 4+64*entry) // one with more entries is for others, surely
	n, err := unix.Fgetxattr(int(f.Fd()), "system.posix_acl_access", b)
	if err != nil || n < 4 || (n-4)%entry != 0 || binary.LittleEndian.Uint32(b) != version {
		return false
	}
	limit := uint16(7)
	for e := range slices.Chunk(b[4:n], entry) {
		if binary.LittleEndian.Uint16(e) == mask {
			limit = binary.LittleEndian.Uint16(e[2:])
		}
	}
	for e := range slices.Chunk(b[4:n], entry) {
		perm, id := binary.LittleEndian.Uint16(e[2:]), int(binary.LittleEndian.Uint32(e[4:]))
		ours := false
		switch binary.LittleEndian.Uint16(e) {
		case user:
			if perm &= limit; id == 0 {
				continue
			}
			ours = id == os.Geteuid()
		case named:
			perm &= limit
			ours = forGroup(id)
		case group:
			perm &= limit
		case other:
		default:
			continue
		}
		if perm != 0 && (perm != 4 || !ours) {
			return false
		}
	}
	return true
}
