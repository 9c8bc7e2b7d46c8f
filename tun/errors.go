package tun

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong with a device: the Reason of a DeviceError, to be asked for with errors.Is.
var (
	ErrNoTUN             = errors.New("this system has no TUN device")
	ErrPermission        = errors.New("not permitted")
	ErrNameTaken         = errors.New("it is in use")
	ErrBadName           = errors.New("not a possible device name")
	ErrBadRequest        = errors.New("not a possible request")
	ErrUnsupported       = errors.New("not supported on this operating system")
	ErrProbeInconclusive = errors.New("the kernel does not tell while the device is down")
	ErrSystem            = errors.New("the system refused")
	// ErrOnlyRefused is of a route that was added, and counts, but for the way into the device: until AddRoute is called again
	// and works, the packets are refused.
	ErrOnlyRefused = errors.New("the packets are refused, there is no way into the tunnel")
	ErrNotAdded    = errors.New("it was not added, or has already been removed") // of a LinkError
)

// DeviceError says why there is no device: what was tried, what is wrong and what would make it work.
type DeviceError struct {
	Op     string // "create", "open"
	Name   string // of the device
	Reason error  // one of the Err values of this package
	Detail string // what exactly, optional
	Fix    string // what to do about it, never empty
	Err    error  // the system's error, or nil
}

func (e *DeviceError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "cannot %s TUN device %q: %v", e.Op, e.Name, e.Reason)
	if e.Detail != "" {
		fmt.Fprintf(&b, ": %s", e.Detail)
	}
	if e.Err != nil {
		fmt.Fprintf(&b, " (%v)", e.Err)
	}
	if e.Fix != "" {
		fmt.Fprintf(&b, "; fix: %s", e.Fix)
	}
	return b.String()
}

// Unwrap gives the reason and the system's error.
func (e *DeviceError) Unwrap() []error {
	if e.Err == nil {
		return []error{e.Reason}
	}
	return []error{e.Reason, e.Err}
}

// LinkError says which change of addresses, routes or rules failed and why.
type LinkError struct {
	Op     string // "add route", "set MTU of"
	Object string // "10.1.0.0/16", "ipsec0"
	Device string
	Fix    string // what to do about it, if there is something particular
	Err    error
}

func (e *LinkError) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	if e.Object != "" {
		fmt.Fprintf(&b, " %s", e.Object)
	}
	if e.Device != "" {
		fmt.Fprintf(&b, " (device %s)", e.Device)
	}
	fmt.Fprintf(&b, ": %v", e.Err)
	if e.Fix != "" {
		fmt.Fprintf(&b, "; fix: %s", e.Fix)
	}
	return b.String()
}

// Unwrap gives the system's error.
func (e *LinkError) Unwrap() error { return e.Err }
