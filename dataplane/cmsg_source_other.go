//go:build !linux && !dragonfly && !freebsd && !netbsd && !openbsd

package dataplane

import (
	"net/netip"

	"golang.org/x/net/ipv4"
)

// sourceControl4 makes an IP_PKTINFO message where the system has it.
func sourceControl4(a netip.Addr) []byte {
	return (&ipv4.ControlMessage{Src: a.AsSlice()}).Marshal()
}
