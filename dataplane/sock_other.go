//go:build !linux

package dataplane

// newMmsgSockets reports that this system has neither recvmmsg nor sendmmsg as Linux does.
func newMmsgSockets(Config, *memory, socketEvents) (socketEnd, bool, error) { return nil, false, nil }
