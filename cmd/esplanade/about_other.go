//go:build !unix

package main

import (
	"runtime"

	"esplanade/ike/vici"
)

// aboutThis is what `swanctl --version --daemon` shows.
func aboutThis() vici.Version {
	return vici.Version{Daemon: "esplanade", Version: fullVersion(), Sysname: runtime.GOOS, Machine: runtime.GOARCH}
}
