//go:build !linux

package dataplane

// overflowed says that the system does not tell what it has dropped in front of a socket.
func (b *boundSocket) overflowed() (uint32, bool) { return 0, false }
