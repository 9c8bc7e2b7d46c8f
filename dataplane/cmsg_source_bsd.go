//go:build dragonfly || freebsd || netbsd || openbsd

package dataplane

import (
	"net/netip"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sourceControl4 makes an IP_SENDSRCADDR message, which has the number of IP_RECVDSTADDR (see ip(4)).
func sourceControl4(a netip.Addr) []byte {
	oob := make([]byte, unix.CmsgSpace(4))
	h := (*unix.Cmsghdr)(unsafe.Pointer(&oob[0]))
	h.Level, h.Type = unix.IPPROTO_IP, unix.IP_RECVDSTADDR
	h.SetLen(unix.CmsgLen(4))
	b := a.As4()
	copy(oob[unix.CmsgLen(0):], b[:])
	return oob
}
