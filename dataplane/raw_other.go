//go:build !linux

package dataplane

// newRawDevice reports that there are no raw queues on this system.
func newRawDevice(Config, *memory) (deviceEnd, bool, error) { return nil, false, nil }

// newRawWire reports that there are no raw system calls on this system.
func newRawWire(Config, *memory, wireEvents) (wireEnd, bool, error) { return nil, false, nil }
