package dataplane

import (
	"errors"
	"io"
	"net/netip"
	"os"

	"golang.org/x/sys/unix"

	"esplanade/tun"
)

// watchLinks asks for the MTUs of all paths whenever the system's interfaces or routes have changed, until what it returns
// is closed. It returns nil where the system does not tell. The tunnel's own routes are no news: no path leads
// through them.
func watchLinks(ev socketEvents) io.Closer {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil
	}
	groups := uint32(unix.RTMGRP_LINK | unix.RTMGRP_IPV4_ROUTE | unix.RTMGRP_IPV6_ROUTE)
	_ = tun.IgnoreOwnRoutes(fd) // without a filter the news cost more, and that is all
	if unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}) != nil {
		_ = unix.Close(fd)
		return nil
	}
	f := os.NewFile(uintptr(fd), "route news")
	go func() {
		var buf [1 << 14]byte // what the news are is of no interest
		for {
			_, err := f.Read(buf[:])
			switch {
			case err == nil, errors.Is(err, unix.ENOBUFS): // so much news that some got lost
				ev.mtuChanged(netip.Addr{}, 0)
			default:
				return
			}
		}
	}()
	return f
}
