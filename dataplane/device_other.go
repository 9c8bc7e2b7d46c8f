//go:build !linux

package dataplane

// newQueueDevice reports that this system has no queues that can be driven with system calls.
func newQueueDevice(Config, *memory) (deviceEnd, bool, error) { return nil, false, nil }
