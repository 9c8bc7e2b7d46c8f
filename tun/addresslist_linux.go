package tun

import (
	"errors"

	"golang.org/x/sys/unix"
)

// addressNews is a subscription to changes of addresses that nobody waits for. The kernel queues a message as part of each
// change, so that who looks after a change finds one.
type addressNews struct {
	fd  int
	buf [1]byte // the rest of each message is cut off: what the news are is of no interest
}

func openAddressNews() *addressNews {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil
	}
	groups := uint32(unix.RTMGRP_IPV4_IFADDR | unix.RTMGRP_IPV6_IFADDR)
	if unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: groups}) != nil {
		_ = unix.Close(fd)
		return nil
	}
	return &addressNews{fd: fd}
}

// changed reports whether there was news since the last call, and takes it.
func (n *addressNews) changed() bool {
	changed := false
	for {
		_, err := unix.Read(n.fd, n.buf[:])
		switch {
		case err == nil, errors.Is(err, unix.ENOBUFS): // so much news that some got lost
			changed = true
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			return changed
		default:
			return true // it can't be known
		}
	}
}

func (n *addressNews) close() error { return unix.Close(n.fd) }
