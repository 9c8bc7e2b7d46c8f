//go:build !linux && !darwin && !freebsd && !openbsd

package tun

import "runtime"

// DefaultName is the device's name when none is given.
const DefaultName = "ipsec0"

func create(name string, _ int) (Device, error) { return nil, unsupported("create", name) }

func openQueues(o QueueOptions) (QueueDevice, error) {
	return nil, unsupported("open", o.Name)
}

func configure(name string, _ LinkOptions) (Link, error) {
	return nil, &LinkError{Op: "configure", Device: name, Err: ErrUnsupported, Fix: `set device = "netstack"`}
}

func unsupported(op, name string) error {
	return &DeviceError{Op: op, Name: name, Reason: ErrUnsupported, Detail: runtime.GOOS, Fix: `set device = "netstack"`}
}
