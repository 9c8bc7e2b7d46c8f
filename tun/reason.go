package tun

import (
	"errors"
	"io/fs"
	"syscall"
)

// reasonOf sorts an error of the system into one of the reasons of a DeviceError.
func reasonOf(err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EPERM):
		return ErrPermission
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENXIO), errors.Is(err, syscall.ENODEV):
		return ErrNoTUN
	case errors.Is(err, syscall.EBUSY), errors.Is(err, fs.ErrExist):
		return ErrNameTaken
	default:
		return ErrSystem
	}
}
