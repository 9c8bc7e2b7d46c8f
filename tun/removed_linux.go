package tun

import (
	"errors"

	"golang.org/x/sys/unix"
)

// Removed reports whether an error of a device's Read or Write says that somebody has removed the device.
func Removed(err error) bool { return errors.Is(err, unix.EBADFD) }
