//go:build unix

package main

import (
	"runtime"

	"golang.org/x/sys/unix"

	"esplanade/ike/vici"
)

// aboutThis is what `swanctl --version --daemon` shows: the machine as uname(1) does.
func aboutThis() vici.Version {
	v := vici.Version{Daemon: "esplanade", Version: fullVersion(), Sysname: runtime.GOOS, Machine: runtime.GOARCH}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		v.Sysname, v.Release, v.Machine = unix.ByteSliceToString(u.Sysname[:]), unix.ByteSliceToString(u.Release[:]), unix.ByteSliceToString(u.Machine[:])
	}
	return v
}
