//go:build !linux

package tun

import (
	"errors"
	"syscall"
)

// Removed reports whether an error of a device's Read or Write says that somebody has removed the device.
func Removed(err error) bool { return errors.Is(err, syscall.ENXIO) }
