package tun

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
)

// maxNameLen is IFNAMSIZ without the closing zero, the same on all systems here.
const maxNameLen = 15

// checkRequest tells what is wrong with a request for a device before the system is asked.
func checkRequest(op, name string, mtu int) error {
	if detail, fix := checkName(runtime.GOOS, name); detail != "" {
		return &DeviceError{Op: op, Name: name, Reason: ErrBadName, Detail: detail, Fix: fix}
	}
	if mtu < MinMTU || mtu > MaxMTU {
		return &DeviceError{Op: op, Name: name, Reason: ErrBadRequest,
			Detail: fmt.Sprintf("mtu %d", mtu), Fix: fmt.Sprintf("set mtu to %d..%d", MinMTU, MaxMTU)}
	}
	return nil
}

// checkName says what is wrong with a device name on a system (runtime.GOOS), and what would be right. Both results are
// empty when nothing is.
func checkName(goos, name string) (detail, fix string) {
	switch {
	case name == "" || len(name) > maxNameLen:
		return fmt.Sprintf("%d characters", len(name)), fmt.Sprintf("choose a name of 1 to %d characters", maxNameLen)
	case name == "." || name == "..":
		return "a path", "choose a name like \"ipsec0\""
	}
	for _, c := range []byte(name) {
		// '%' because Linux takes "ipsec%d" for a pattern; then the device would not have the name asked for.
		if c <= ' ' || c > '~' || strings.IndexByte("/:%", c) >= 0 {
			return fmt.Sprintf("character %q", c), "use letters, digits, '.', '_' and '-' only"
		}
	}
	switch goos {
	case "darwin":
		if !numbered(name, "utun") {
			return "macOS calls them utun and a number", `set name = "utun" (any free number) or "utun7"`
		}
	case "openbsd":
		if !numbered(name, "tun") {
			return "OpenBSD calls them tun and a number", `set name = "tun" (any free number) or "tun7"`
		}
	}
	return "", ""
}

// numbered reports whether name is prefix alone or prefix and a decimal number without leading zeros.
func numbered(name, prefix string) bool {
	digits, ok := strings.CutPrefix(name, prefix)
	if !ok {
		return false
	}
	if digits == "" {
		return true
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == digits
}
